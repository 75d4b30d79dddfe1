package redislive

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

const defaultSentinelPort = "26379"

// Address names a Redis server, or the sentinels that know which one it is.
type Address struct {
	single   *redis.Options
	failover *redis.FailoverOptions
}

// Parse reads an address:
//
//	redis://[user:password@]host[:6379][/database]       rediss:// the same with TLS
//	unix://[user:password@]/path/to/socket[?db=database]
//	redis-sentinel://[user:password@]host[:26379],host[:26379],.../master[/database]
//	    [?sentinel_user=...&sentinel_password=...]       rediss-sentinel:// with TLS
//
// With sentinels, user and password are those of the servers; the sentinels' own follow
// behind. Errors never repeat the text, since it may hold a password.
func Parse(address string) (Address, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return Address{}, errors.New("an address of Redis begins with redis://, rediss://, unix://, redis-sentinel:// or rediss-sentinel://")
	}
	switch scheme {
	case "redis", "rediss", "unix":
		u, err := url.Parse(address)
		if err != nil {
			return Address{}, errors.New("not an address of Redis: user and password must be percent-encoded, the port be a number")
		}
		if err := onlyKnown(u.Query(), "db"); err != nil {
			return Address{}, err
		}
		options, err := redis.ParseURL(address)
		if err != nil {
			return Address{}, errors.New("not an address of Redis: want redis://[user:password@]host[:port][/database]")
		}
		return Address{single: options}, nil
	case "redis-sentinel", "rediss-sentinel":
		options, err := parseSentinel(rest, scheme == "rediss-sentinel")
		return Address{failover: options}, err
	default:
		return Address{}, errors.New("an address of Redis does not begin so: want redis://, rediss://, unix://, redis-sentinel:// or rediss-sentinel://")
	}
}

// parseSentinel takes the hosts out before the rest is read as a URL, which knows one.
func parseSentinel(rest string, withTLS bool) (*redis.FailoverOptions, error) {
	authority, path, _ := strings.Cut(rest, "/")
	user := ""
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, authority = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse("redis://" + user + "sentinel/" + path)
	if err != nil {
		return nil, errors.New("not an address of sentinels: user and password must be percent-encoded")
	}
	if err := onlyKnown(u.Query(), "sentinel_user", "sentinel_password"); err != nil {
		return nil, err
	}
	options := &redis.FailoverOptions{
		SentinelUsername: u.Query().Get("sentinel_user"), SentinelPassword: u.Query().Get("sentinel_password"),
	}
	if u.User != nil {
		options.Username = u.User.Username()
		options.Password, _ = u.User.Password()
	}
	for host := range strings.SplitSeq(authority, ",") {
		if host == "" {
			return nil, errors.New("the address of sentinels names none, or ends with a comma")
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), defaultSentinelPort)
		}
		options.SentinelAddrs = append(options.SentinelAddrs, host)
	}
	master, database, hasDatabase := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if master == "" {
		return nil, errors.New("the address of sentinels lacks the name of the master after the hosts")
	}
	options.MasterName = master
	if hasDatabase {
		if options.DB, err = strconv.Atoi(database); err != nil {
			return nil, errors.New("the database in the address of sentinels is not a number")
		}
	}
	if withTLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return options, nil
}

func onlyKnown(query url.Values, names ...string) error {
	for _, name := range names {
		query.Del(name)
	}
	for name := range query {
		return fmt.Errorf("the address of Redis has an unknown parameter %q", name)
	}
	return nil
}

// connect makes the client; nothing is connected yet.
func (a Address) connect() redis.UniversalClient {
	// One more try, for a connection that ended while nobody used it; all within the
	// limit, since contexts are obeyed. Old protocol: subscriptions need nothing more.
	const (
		protocol = 2
		retries  = 1
		pause    = 10 * time.Millisecond
	)
	if a.failover != nil {
		o := *a.failover
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = operationLimit, operationLimit, operationLimit, operationLimit
		o.ContextTimeoutEnabled, o.Protocol, o.DisableIdentity = true, protocol, true
		o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff, o.DialerRetries = retries, pause, pause, 1
		o.PoolSize, o.PipelinePoolSize = poolSize, -1
		return redis.NewFailoverClient(&o)
	}
	o := *a.single
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = operationLimit, operationLimit, operationLimit, operationLimit
	o.ContextTimeoutEnabled, o.Protocol, o.DisableIdentity = true, protocol, true
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff, o.DialerRetries = retries, pause, pause, 1
	o.PoolSize, o.PipelinePoolSize = poolSize, -1
	return redis.NewClient(&o)
}

// trust replaces the system's authorities by those of a file.
func (a Address) trust(caFile string) error {
	var settings *tls.Config
	switch {
	case a.failover != nil:
		settings = a.failover.TLSConfig
	case a.single != nil:
		settings = a.single.TLSConfig
	}
	if settings == nil {
		return errors.New("a file of authorities is given for Redis, but its address begins neither with rediss:// nor with rediss-sentinel://")
	}
	raw, err := os.ReadFile(caFile)
	if err != nil {
		return fmt.Errorf("read the authorities of Redis: %w", err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(raw) {
		return fmt.Errorf("read the authorities of Redis: no certificate in %s", caFile)
	}
	return nil
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}

func isTimeout(err error) bool {
	if errors.Is(err, redis.ErrPoolTimeout) {
		return true
	}
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

func isRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}

func isBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed)
}
