package amqpbus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Config of a bus.
type Config struct {
	// URL is amqp:// or amqps://user:password@host:port/vhost. The nodes of a cluster are
	// separated by commas; they are tried in turn.
	URL string
	// CAFile is a PEM file with the authorities to trust for amqps, instead of the system's.
	CAFile string
	// Name is shown in RabbitMQ's list of connections, so that an administrator knows whose they are.
	Name   string
	Logger *slog.Logger
	// Limits that are zero have their default.
	Limits Limits
}

// Limits bound waiting and memory.
type Limits struct {
	// Window is how many unsettled messages a consumer gets at most, its prefetch. Two
	// batches of ingest: one in work, one ready. Default 1000.
	Window int
	// Confirm bounds one Publish, a new connection included; what has no outcome then is Unknown.
	// Default 1 s.
	Confirm time.Duration
	// InFlight is how many messages of one exchange are sent and not confirmed at most. Default 2000.
	InFlight int
}

func (l Limits) withDefaults() Limits {
	if l.Window <= 0 {
		l.Window = 1000
	}
	if l.Confirm <= 0 {
		l.Confirm = time.Second
	}
	if l.InFlight <= 0 {
		l.InFlight = 2000
	}
	return l
}

const (
	// heartbeat is what both ends agree on; silence for one and a half of it ends a connection at our end.
	heartbeat = 2 * time.Second
	// dialLimit bounds connecting, TLS and login together. RabbitMQ thinks for three seconds
	// before it hangs up on a wrong password, which is to be told from one that hangs.
	dialLimit = 4 * time.Second
	// callLimit bounds one question to the broker.
	callLimit = 2 * time.Second
	// declareLimit bounds the first declaration of everything, of which a cluster makes replicas.
	declareLimit = 10 * time.Second
	// writeLimit bounds one write to a socket whose other end does not read.
	writeLimit = 2 * time.Second
	// closeLimit bounds a farewell.
	closeLimit = 500 * time.Millisecond
	// retryMin and retryMax bound the pause between two tries to connect.
	retryMin = 50 * time.Millisecond
	retryMax = 2 * time.Second
)

// endpoints are the nodes, and how to speak to them.
type endpoints struct {
	urls []string
	tls  *tls.Config
	name string
}

func newEndpoints(cfg Config) (*endpoints, error) {
	e := &endpoints{name: cfg.Name}
	for address := range strings.SplitSeq(cfg.URL, ",") {
		address = strings.TrimSpace(address)
		parsed, err := amqp.ParseURI(address)
		if err != nil {
			// The error of the parser may quote the address, and with it the password.
			return nil, errors.New("the address of RabbitMQ can't be read: want amqp://user:password@host:port/vhost")
		}
		if parsed.Scheme == "amqps" && e.tls == nil {
			if e.tls, err = trust(cfg.CAFile); err != nil {
				return nil, err
			}
		}
		e.urls = append(e.urls, address)
	}
	if cfg.CAFile != "" && e.tls == nil {
		return nil, errors.New("a file of authorities is given for RabbitMQ, but no address begins with amqps://")
	}
	return e, nil
}

func trust(caFile string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return cfg, nil
	}
	raw, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the authorities of RabbitMQ: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("read the authorities of RabbitMQ: no certificate in %s", caFile)
	}
	return cfg, nil
}
