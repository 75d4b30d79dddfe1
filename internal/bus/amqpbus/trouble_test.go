package amqpbus_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/rabbittemp"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

// planted is a password that must never be seen again.
const planted = "hunter2-tajne-haslo"

// troubled is a bus in trouble, with its log.
type troubled struct {
	*amqpbus.Bus
	t   *testing.T
	log *testkit.LogBook
	n   byte
}

func inTrouble(t *testing.T, cfg amqpbus.Config) *troubled {
	t.Helper()
	b := &troubled{t: t, log: &testkit.LogBook{}}
	cfg.Name, cfg.Logger = "trouble", b.log.Logger()
	var err error
	b.Bus, err = amqpbus.New(cfg)
	require.NoError(t, err)
	secrets := []string{planted}
	if address, err := url.Parse(cfg.URL); err == nil {
		if password, ok := address.User.Password(); ok {
			secrets = append(secrets, password)
		}
	}
	t.Cleanup(func() {
		require.NoError(t, b.Close())
		health := fmt.Sprintf("%+v", b.Health())
		for _, secret := range secrets {
			require.NotContains(t, b.log.Everything(), secret)
			require.NotContains(t, health, secret)
		}
	})
	return b
}

// limit is what a Publish may take: its confirm, and a slow machine.
const limit = 1500 * time.Millisecond

// publish tries one message and holds the time that it takes against the limit.
func (b *troubled) publish() bus.Outcome {
	b.t.Helper()
	b.n++
	began := time.Now()
	got := b.Publish(context.Background(), []bus.Message{{Key: bus.Key{1, b.n}, Lane: bus.Live, Topic: "satel.event.1", Body: []byte("b")}})
	require.Less(b.t, time.Since(began), limit)
	return got[0]
}

// fails publishes until the reason is the one expected, and then on for a while: nothing
// is confirmed, and nothing said again and again.
func (b *troubled) fails(reason string) {
	b.t.Helper()
	b.until(func(bus.Outcome) bool { return b.Health().Reason() == reason })
	ended := time.Now().Add(time.Second)
	for time.Now().Before(ended) {
		require.Equal(b.t, bus.Unknown, b.publish())
	}
	require.Equal(b.t, reason, b.Health().Reason(), b.log.String())
}

// recovers publishes until something is confirmed again.
func (b *troubled) recovers() {
	b.t.Helper()
	b.until(func(o bus.Outcome) bool { return o == bus.Confirmed && b.Health().Reason() == "" })
}

// until publishes until something is so.
func (b *troubled) until(so func(bus.Outcome) bool) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(b.publish()); {
		require.True(b.t, time.Now().Before(end), "it does not come so; the reason is %q; %s", b.Health().Reason(), b.log)
	}
}

func eval(t *testing.T, server *rabbittemp.Server, expression string, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	value, err := server.Eval(ctx, fmt.Sprintf(expression, args...))
	require.NoError(t, err)
	return value
}

// user makes a user of the private broker with no rights, and returns an address with it.
func user(t *testing.T, vhost, name, password string) string {
	t.Helper()
	server := testkit.Rabbit(t)
	require.Equal(t, "ok", eval(t, server, "rabbit_auth_backend_internal:add_user(<<%q>>, <<%q>>, <<%q>>).", name, password, rabbittemp.User))
	t.Cleanup(func() {
		eval(t, server, "rabbit_auth_backend_internal:delete_user(<<%q>>, <<%q>>).", name, rabbittemp.User)
	})
	address, err := url.Parse(server.URL(vhost))
	require.NoError(t, err)
	address.User = url.UserPassword(name, password)
	return address.String()
}

func permit(t *testing.T, name, vhost, configure, write, read string) {
	t.Helper()
	require.Equal(t, "ok", eval(t, testkit.Rabbit(t), "rabbit_auth_backend_internal:set_permissions(<<%q>>, <<%q>>, <<%q>>, <<%q>>, <<%q>>, <<%q>>).",
		name, vhost, configure, write, read, rabbittemp.User))
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server, vhost := testkit.Rabbit(t), testkit.Vhost(t)
	const name = "mistyped"
	user(t, vhost, name, "the right one")
	permit(t, name, vhost, ".*", ".*", ".*")
	address, err := url.Parse(server.URL(vhost))
	require.NoError(t, err)
	address.User = url.UserPassword(name, planted)
	b := inTrouble(t, amqpbus.Config{URL: address.String()})
	b.until(func(bus.Outcome) bool { return b.Health().Publishing.NeedsPerson })
	b.fails("password")
	require.Equal(t, 1, b.log.Count("out of reach"), b.log.String())
	require.Equal(t, 1, b.log.Count("level=ERROR"), b.log.String())
	require.Equal(t, "ok", eval(t, server, "rabbit_auth_backend_internal:change_password(<<%q>>, <<%q>>, <<%q>>).", name, planted, rabbittemp.User))
	b.recovers()
	require.Equal(t, 1, b.log.Count("RabbitMQ answers"), b.log.String())
}

func TestWrongVhost(t *testing.T) {
	t.Parallel()
	server := testkit.Rabbit(t)
	const vhost = "made_later"
	b := inTrouble(t, amqpbus.Config{URL: server.URL(vhost)})
	b.fails("vhost")
	require.True(t, b.Health().Publishing.NeedsPerson)
	require.Equal(t, 1, b.log.Count("level=ERROR"), b.log.String())
	require.NoError(t, server.AddVhost(t.Context(), vhost))
	t.Cleanup(func() { require.NoError(t, server.DeleteVhost(context.Background(), vhost)) })
	b.recovers()
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	vhost := testkit.Vhost(t)
	const name = "barred"
	address := user(t, vhost, name, planted)
	// In two steps, as a person may mend it in two.
	permit(t, name, vhost, "^$", ".*", ".*")
	b := inTrouble(t, amqpbus.Config{URL: address})
	b.fails("permission")
	require.True(t, b.Health().Publishing.NeedsPerson)
	permit(t, name, vhost, ".*", "^events.*", ".*")
	b.until(func(bus.Outcome) bool { return b.Health().Publishing.Up })
	b.fails("permission")
	require.True(t, b.Health().Lanes[bus.Live].NeedsPerson, "the connection stands, and yet nothing is taken")
	require.Equal(t, 2, b.log.Count("level=ERROR"), b.log.String())
	permit(t, name, vhost, ".*", ".*", ".*")
	b.recovers()
	require.Equal(t, 1, b.log.Count("takes messages here again"), b.log.String())
}

func TestForeignQueue(t *testing.T) {
	t.Parallel()
	server, vhost := testkit.Rabbit(t), testkit.Vhost(t)
	conn, err := amqp.Dial(server.URL(vhost))
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	_, err = ch.QueueDeclare("events.processing", true, false, false, false, amqp.Table{"x-queue-type": "classic"})
	require.NoError(t, err)
	b := inTrouble(t, amqpbus.Config{URL: server.URL(vhost)})
	c, err := b.Consume(t.Context(), bus.Live)
	require.NoError(t, err)
	b.fails("topology")
	var foreign *amqpbus.TopologyError
	require.ErrorAs(t, b.Health().Publishing.Err, &foreign)
	require.Equal(t, "events.processing", foreign.Name)
	require.Contains(t, foreign.Error(), "x-queue-type")
	require.Equal(t, 2, b.log.Count("level=ERROR"), "one of who publishes, one of who consumes: %s", b.log)
	_, err = ch.QueueDelete("events.processing", false, false, false)
	require.NoError(t, err)
	b.recovers()
	_, err = c.Receive(t.Context(), 1)
	require.NoError(t, err)
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	vhost := testkit.Vhost(t)
	proxy, address := behindProxy(t, vhost)
	proxy.Cut()
	b := inTrouble(t, amqpbus.Config{URL: address})
	b.fails("broken")
	require.Equal(t, 1, b.log.Count("out of reach"), b.log.String())
	proxy.Heal()
	b.recovers()

	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close())
	other := inTrouble(t, amqpbus.Config{URL: "amqp://dozor:" + planted + "@" + nobody.Addr().String() + "/"})
	other.fails("refused")
	require.Equal(t, 1, other.log.Count("out of reach"), other.log.String())
}

func TestFrozenWay(t *testing.T) {
	t.Parallel()
	proxy, address := behindProxy(t, testkit.Vhost(t))
	b := inTrouble(t, amqpbus.Config{URL: address})
	b.recovers()
	proxy.Stall()
	b.fails("timeout")
	b.until(func(bus.Outcome) bool { return !b.Health().Publishing.Up }) // heartbeats are missing
	proxy.Heal()
	b.recovers()
	require.Equal(t, 1, b.log.Count("out of reach"), b.log.String())
	require.Equal(t, 2, b.log.Count("RabbitMQ answers"), b.log.String())
}

func behindProxy(t *testing.T, vhost string) (*faultproxy.Proxy, string) {
	t.Helper()
	server := testkit.Rabbit(t)
	proxy := faultproxy.New(t, "tcp", server.Addr())
	address, err := url.Parse(server.URL(vhost))
	require.NoError(t, err)
	address.Host = proxy.Addr()
	return proxy, address.String()
}

// TestFullLane: a policy makes it full with a few.
func TestFullLane(t *testing.T) {
	t.Parallel()
	server, vhost := testkit.Rabbit(t), testkit.Vhost(t)
	b := inTrouble(t, amqpbus.Config{URL: server.URL(vhost)})
	b.recovers()
	require.Equal(t, "ok", eval(t, server, `rabbit_policy:parse_set(<<%q>>, <<"small">>, <<"^events.processing$">>, <<"{\"max-length\":10}">>, <<"1">>, <<"queues">>, <<%q>>).`, vhost, rabbittemp.User))
	b.fails("nacked")
	require.True(t, b.Health().Publishing.Up)
	require.Equal(t, 1, b.log.Count("does not take messages here", "reason=nacked"), b.log.String())
	other := []bus.Message{{Key: bus.Key{9}, Lane: bus.Backfill, Topic: "satel.event.1"}}
	require.Equal(t, []bus.Outcome{bus.Confirmed}, b.Publish(t.Context(), other), "the other lane has room")
	depth, err := b.Depth(t.Context(), bus.Live)
	require.NoError(t, err)
	require.LessOrEqual(t, depth, int64(20), "it is bounded")

	c, err := b.Consume(t.Context(), bus.Live)
	require.NoError(t, err)
	for got := int64(0); got < depth; {
		batch, err := c.Receive(t.Context(), 100)
		require.NoError(t, err)
		var tags []uint64
		for _, d := range batch.Deliveries() {
			tags = append(tags, d.Tag)
		}
		require.NoError(t, batch.Ack(t.Context(), tags...))
		got += int64(len(tags))
	}
	b.recovers()
	require.Equal(t, 1, b.log.Count("takes messages here again"), b.log.String())
}

// The alarms are the whole broker's, so that this test is no parallel one.
func TestMemoryAndDiskAlarm(t *testing.T) {
	server, vhost := testkit.Rabbit(t), testkit.Vhost(t)
	for _, alarm := range []struct{ reason, raise, end string }{
		{"memory", "vm_memory_monitor:set_vm_memory_high_watermark(0.00001).", "vm_memory_monitor:set_vm_memory_high_watermark(0.4)."},
		{"disk", "rabbit_disk_monitor:set_disk_free_limit(100000000000000).", "rabbit_disk_monitor:set_disk_free_limit(50000000)."},
	} {
		b := inTrouble(t, amqpbus.Config{URL: server.URL(vhost)})
		b.recovers()
		eval(t, server, "%s", alarm.raise)
		ended := false
		t.Cleanup(func() {
			if !ended {
				eval(t, server, "%s", alarm.end)
			}
		})
		b.fails(alarm.reason)
		require.True(t, b.Health().Publishing.Up)
		require.Equal(t, 1, b.log.Count("takes no messages for now", "reason="+alarm.reason), b.log.String())
		depth, err := b.Depth(t.Context(), bus.Live)
		require.NoError(t, err, "questions are answered meanwhile")

		// What is there is still served: the alarm ends by being worked off.
		c, err := b.Consume(t.Context(), bus.Live)
		require.NoError(t, err)
		batch, err := c.Receive(t.Context(), int(depth))
		require.NoError(t, err)
		require.NoError(t, batch.Ack(t.Context(), batch.Deliveries()[0].Tag))
		require.NoError(t, c.Close())

		eval(t, server, "%s", alarm.end)
		ended = true
		b.recovers()
		require.Equal(t, 1, b.log.Count("takes messages again"), b.log.String())
		require.Equal(t, 1, b.log.Count("RabbitMQ answers", "link=publish"), "the connection was kept: %s", b.log.String())
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testkit.NewCertificate(t), testkit.NewCertificate(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	secure := free.Addr().String()
	require.NoError(t, free.Close())
	dir, err := os.MkdirTemp("", "dozor-test-") //nolint:usetesting // the server's user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	server, err := rabbittemp.Start(t.Context(), rabbittemp.Config{Dir: dir + "/broker", Settings: map[string]string{
		"listeners.ssl.1": secure, "ssl_options.certfile": trusted.CertFile, "ssl_options.keyfile": trusted.KeyFile,
		"ssl_options.verify": "verify_none", "num_acceptors.ssl": strconv.Itoa(2),
	}})
	require.NoError(t, err)
	t.Cleanup(server.Kill)
	at := func(scheme, host string) string {
		address, err := url.Parse(server.URL("/"))
		require.NoError(t, err)
		address.Scheme, address.Host = scheme, host
		return address.String()
	}
	right := inTrouble(t, amqpbus.Config{URL: at("amqps", secure), CAFile: trusted.CertFile})
	right.recovers()
	for name, wrong := range map[string]amqpbus.Config{
		"TLS at a plain port": {URL: at("amqps", server.Addr()), CAFile: trusted.CertFile},
		"plain at a TLS port": {URL: at("amqp", secure)},
		"another's authority": {URL: at("amqps", secure), CAFile: other.CertFile},
		"the system's ones":   {URL: at("amqps", secure)},
	} {
		t.Run(name, func(t *testing.T) {
			b := inTrouble(t, wrong)
			b.fails("tls")
			require.Equal(t, 1, b.log.Count("out of reach")+b.log.Count("level=ERROR"), b.log.String())
		})
	}
}
