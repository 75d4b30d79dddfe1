package redislive_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/redistemp"
	"dozor/internal/testkit"
)

// planted is a password that must never be seen again.
const planted = "hunter2-tajne-haslo"

// troubled is a store in trouble, with its log and one subscription.
type troubled struct {
	*redislive.Store
	t        *testing.T
	log      *testkit.LogBook
	secrets  []string
	position int64
	heard    chan live.Frame
}

func inTrouble(t *testing.T, address string, ca ...string) *troubled {
	t.Helper()
	b := &troubled{t: t, log: &testkit.LogBook{}, secrets: []string{planted}, heard: make(chan live.Frame, 10_000)}
	u, err := url.Parse(address)
	require.NoError(t, err)
	if password, ok := u.User.Password(); ok {
		b.secrets = append(b.secrets, password)
	}
	b.Store, err = redislive.New(redislive.Config{URL: address, CAFile: strings.Join(ca, ""), Ledger: pglive.NewLedger(testkit.DB(t).Pool), Log: b.log.Logger()})
	require.NoError(t, err)
	t.Cleanup(func() {
		b.Wait()
		require.NoError(t, b.Close())
		b.keepsSecrets(b.log.Everything())
	})
	return b
}

func (b *troubled) subscribe() {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(b.t, b.Subscribe(ctx, func(frames []live.Frame) {
		for _, f := range frames {
			b.heard <- f
		}
	}))
	b.t.Cleanup(cancel)
}

func (b *troubled) keepsSecrets(text string) {
	b.t.Helper()
	for _, secret := range b.secrets {
		require.NotContains(b.t, text, secret)
	}
}

// limit is what one step may take: its own limit, and a slow machine.
const limit = 750 * time.Millisecond

// tries does one of each and returns why it failed, the check first.
func (b *troubled) tries() []error {
	b.t.Helper()
	b.position++
	ctx := context.Background()
	var errs []error
	for _, step := range []func() error{
		func() error { return b.Check(ctx) },
		func() error {
			return b.Publish(ctx, []live.Frame{{Epoch: 1, Position: b.position, Type: "alarm.new", Data: []byte("{}")}})
		},
		func() error {
			return b.PutStates(ctx, []live.PanelState{{PanelID: 1, Fence: 1, Seq: b.position, Link: live.LinkUp}})
		},
	} {
		began := time.Now()
		err := step()
		require.Less(b.t, time.Since(began), limit)
		if err != nil {
			b.keepsSecrets(err.Error())
		}
		errs = append(errs, err)
	}
	return errs
}

// until tries until something is so.
func (b *troubled) until(so func([]error) bool) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		errs := b.tries()
		if so(errs) {
			return
		}
		require.True(b.t, time.Now().Before(end), "it does not come so: %v", errs)
	}
}

// fails tries until all fail for the reason, and then on for a while.
func (b *troubled) fails(reason string) {
	b.t.Helper()
	all := func(errs []error) bool {
		for _, err := range errs {
			if redislive.Reason(err) != reason {
				return false
			}
		}
		return true
	}
	b.until(all)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		for _, err := range b.tries() {
			// A busy machine may be too slow for any answer.
			require.Contains(b.t, []string{reason, "timeout"}, redislive.Reason(err), "%v", err)
		}
	}
}

// recovers tries until all succeed and, with a subscription, a frame of now is heard.
func (b *troubled) recovers() {
	b.t.Helper()
	b.until(func(errs []error) bool { return errs[0] == nil && errs[1] == nil && errs[2] == nil })
}

func (b *troubled) hears() {
	b.t.Helper()
	from := b.position
	b.until(func([]error) bool {
		for {
			select {
			case f := <-b.heard:
				if f.Position > from {
					return true
				}
			default:
				return false
			}
		}
	})
}

func (b *troubled) tellsOnce(what string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.log.Count(what) > 0 }, 20*time.Second, time.Millisecond)
	require.Equal(b.t, 1, b.log.Count(what), b.log.String())
}

func admin(t *testing.T, server *redistemp.Server, args ...any) {
	t.Helper()
	require.NoError(t, record.Behind(t, server).Do(context.Background(), args...).Err())
}

func withPassword(t *testing.T, address, user, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(user, password)
	return u.String()
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{})
	b := inTrouble(t, withPassword(t, server.URL(), "", planted))
	b.fails("password")
	admin(t, server, "CONFIG", "SET", "requirepass", planted)
	b.recovers()
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{})
	admin(t, server, "ACL", "SETUSER", "station", "on", ">"+planted, "~*", "&*", "+@all")
	b := inTrouble(t, withPassword(t, server.URL(), "station", planted))
	b.subscribe()
	b.recovers()
	b.hears()
	// It may listen, and not say anything: then nothing is heard any more.
	admin(t, server, "ACL", "SETUSER", "station", "-set", "-eval", "-evalsha", "-publish")
	b.fails("permission")
	require.Eventually(t, func() bool { return b.Stats().Resubscribed > 3 }, 20*time.Second, time.Millisecond, "it tries on")
	require.Equal(t, 1, b.log.Count("not heard any more"), b.log.String())
	admin(t, server, "ACL", "SETUSER", "station", "+@all")
	b.recovers()
	b.hears()
	b.tellsOnce("is heard again")
}

func TestReadOnlyReplica(t *testing.T) {
	t.Parallel()
	primary, replica := testkit.Redis(t, redistemp.Config{TCP: true}), testkit.Redis(t, redistemp.Config{})
	b := inTrouble(t, replica.URL())
	b.recovers()
	host, port, err := net.SplitHostPort(primary.Addr())
	require.NoError(t, err)
	admin(t, replica, "CONFIG", "SET", "masterauth", primary.Password())
	admin(t, replica, "REPLICAOF", host, port)
	b.until(func(errs []error) bool { return redislive.Reason(errs[0]) != "" })
	b.fails("read_only")
	admin(t, replica, "REPLICAOF", "NO", "ONE")
	b.recovers()
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{})
	b := inTrouble(t, server.URL())
	b.recovers()
	admin(t, server, "CONFIG", "SET", "maxmemory", "1")
	require.Equal(t, "memory", redislive.Reason(b.Check(t.Context())))
	_, err := b.Renew(t.Context(), "a", []live.Lease{{PanelID: 1, Fence: 1}}, time.Second)
	require.Equal(t, "memory", redislive.Reason(err))
	// What replaces something that is there is still taken, since it frees first.
	_, err = b.States(t.Context())
	require.NoError(t, err)
	admin(t, server, "CONFIG", "SET", "maxmemory", "0")
	b.recovers()
}

// TestLoading has a replica wait for its data: how long a server reads its own can't be
// arranged.
func TestLoading(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{})
	b := inTrouble(t, server.URL())
	b.recovers()
	admin(t, server, "CONFIG", "SET", "replica-serve-stale-data", "no", "replica-read-only", "no")
	admin(t, server, "REPLICAOF", "127.0.0.1", "1")
	b.fails("loading")
	_, err := b.States(t.Context())
	require.Equal(t, "loading", redislive.Reason(err))
	admin(t, server, "REPLICAOF", "NO", "ONE")
	b.recovers()
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{TCP: true})
	for _, address := range []string{server.URL(), server.TCPURL()} {
		b := inTrouble(t, address)
		b.subscribe()
		b.recovers()
		require.NoError(t, server.Kill(t.Context()))
		b.fails("refused")
		require.NoError(t, server.Restart(t.Context()))
		b.recovers()
		b.hears()
		require.Equal(t, 1, b.log.Count("not heard any more"), b.log.String())
		b.tellsOnce("is heard again")
	}
}

func TestFrozenServer(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, redistemp.Config{})
	b := inTrouble(t, server.URL())
	b.subscribe()
	b.recovers()
	server.Freeze()
	b.fails("timeout")
	require.Eventually(t, func() bool { return b.Stats().Listening == 0 }, 20*time.Second, time.Millisecond, "silence is noticed")
	server.Thaw()
	b.recovers()
	b.hears()
	require.Equal(t, 1, b.log.Count("not heard any more"), b.log.String())
	b.tellsOnce("is heard again")
}

func TestTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testkit.NewCertificate(t), testkit.NewCertificate(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	secure := free.Addr().String()
	require.NoError(t, free.Close())
	_, port, err := net.SplitHostPort(secure)
	require.NoError(t, err)
	plain := testkit.Redis(t, redistemp.Config{TCP: true, Settings: map[string]string{
		"tls-port": port, "tls-cert-file": trusted.CertFile, "tls-key-file": trusted.KeyFile, "tls-ca-cert-file": trusted.CertFile, "tls-auth-clients": "no",
	}})
	at := func(scheme, host string) string {
		u, err := url.Parse(plain.TCPURL())
		require.NoError(t, err)
		u.Scheme, u.Host = scheme, host
		return u.String()
	}
	right := inTrouble(t, at("rediss", secure), trusted.CertFile)
	right.subscribe()
	right.recovers()
	right.hears()
	for _, wrong := range []struct{ name, reason, address, ca string }{
		{"TLS at a plain port", "timeout", at("rediss", plain.Addr()), trusted.CertFile},
		{"plain at a TLS port", "broken", at("redis", secure), ""},
		{"another's authority", "tls", at("rediss", secure), other.CertFile},
		{"the system's authorities", "tls", at("rediss", secure), ""},
	} {
		t.Run(wrong.name, func(t *testing.T) { inTrouble(t, wrong.address, wrong.ca).fails(wrong.reason) })
	}
	_, err = redislive.New(redislive.Config{URL: at("redis", secure), CAFile: trusted.CertFile})
	require.ErrorContains(t, err, "rediss://")
}
