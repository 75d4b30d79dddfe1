package outage

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// wrongPassword must never be seen in a log.
const wrongPassword = "nie-to-haslo-4711"

// RabbitMQ and Redis are there, and yet of no use: misconfigured, full, somebody else's. dozor says which it is and why, in
// few words, and works without.
func TestUselessPartsAreNamedAndDoneWithout(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	const panels = 2
	h := open(t, 0, station.Options{Panels: panels, Rabbit: true, Redis: true})
	options, err := redis.ParseURL(h.Redis.URL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	eval := func(expression string) {
		t.Helper()
		_, err := h.Rabbit.Eval(ctx, expression)
		require.NoError(t, err)
	}
	do := func(args ...any) {
		t.Helper()
		require.NoError(t, client.Do(ctx, args...).Err())
	}
	nothing := func() {}

	i := h.Instance("dozor", station.AllRoles)
	i.Start("")
	i.Ready(time.Minute)
	h.all = append(h.all, i)
	h.desks = append(h.desks, h.Desk(i))
	h.screens = append(h.screens, h.desks[0].Screen())
	h.AddPanels(panels)
	h.Connected(time.Minute)

	for _, c := range []struct {
		name    string
		part    string
		setting string        // of the instance; empty: it runs already when the trouble begins
		spoil   func() func() // begins the trouble and returns what ends it
		says    string        // an expression that the reason matches
	}{
		{"wrong password of RabbitMQ", "rabbitmq", "AMQP_URL=" + withPassword(t, h.Rabbit.URL("/")), nil, "^password: .*wrong user name or password"},
		{"no such virtual host", "rabbitmq", "AMQP_URL=" + h.Rabbit.URL("nie-ma"), nil, "^vhost: .*nie-ma"},
		{"somebody else's queue", "rabbitmq", "AMQP_URL=" + foreign(ctx, t, h), nil, `^topology: .*another queue "events.processing" than dozor needs`},
		{"TLS where RabbitMQ speaks none", "rabbitmq", "AMQP_URL=" + strings.Replace(h.Rabbit.URL("/"), "amqp:", "amqps:", 1), nil, "^tls: "},
		{"RabbitMQ out of memory", "rabbitmq", "", func() func() {
			eval("vm_memory_monitor:set_vm_memory_high_watermark(0.00001).")
			return func() { eval("vm_memory_monitor:set_vm_memory_high_watermark(0.4).") }
		}, "^memory: "},
		{"RabbitMQ's disk is full", "rabbitmq", "", func() func() {
			eval(`rabbit_disk_monitor:set_disk_free_limit("1000000GB").`)
			return func() { eval(`rabbit_disk_monitor:set_disk_free_limit("50MB").`) }
		}, "^disk: "},
		{"wrong password of Redis", "redis", "REDIS_URL=" + withPassword(t, h.Redis.TCPURL()), nil, "^password: "},
		{"TLS where Redis speaks none", "redis", "REDIS_URL=" + strings.Replace(h.Redis.TCPURL(), "redis:", "rediss:", 1), nil, "^timeout: "}, // it takes the greeting for the beginning of a line
		{"Redis is a replica", "redis", "", func() func() {
			do("REPLICAOF", "127.0.0.1", "1")
			return func() { do("REPLICAOF", "NO", "ONE") }
		}, "^read_only: "},
		{"Redis out of memory", "redis", "", func() func() {
			do("CONFIG", "SET", "maxmemory", "1")
			return func() { do("CONFIG", "SET", "maxmemory", "0") }
		}, "^memory: "},
	} {
		i.Signal(15)
		_, _ = i.WaitEnd(20 * time.Second)
		i.Set()
		mend := nothing
		if c.setting != "" {
			i.Set(c.setting)
			i.Allow("RabbitMQ can't be used until somebody mends it") // somebody must
		}
		before := len(i.Log())
		i.Start("")
		i.Ready(time.Minute)
		h.Connected(time.Minute)
		if c.spoil != nil {
			require.Eventually(t, func() bool { return h.allSee(c.part, "") }, 10*time.Second, 20*time.Millisecond, c.name)
			mend = c.spoil()
		}
		h.holdUps(c.name, after(4*rest))
		var state, reason string
		says := regexp.MustCompile(c.says)
		require.Eventually(t, func() bool {
			state, reason = i.Sees(c.part)
			return (state == "down" || state == "aside") && says.MatchString(reason)
		}, 15*time.Second, 50*time.Millisecond, "%s: it says %q", c.name, c.says)
		t.Logf("%s: %s: %s", c.name, state, reason)
		require.True(t, i.IsReady(), "%s: ready without", c.name)
		for other := range map[string]bool{"rabbitmq": true, "redis": true} {
			if other != c.part {
				require.True(t, h.allSee(other, ""), "%s: %s is not blamed", c.name, other)
			}
		}
		h.holdUps(c.name+", and it is known", after(4*rest))

		trouble := regexp.MustCompile(`(?m)^.*"level":"(WARN|ERROR)".*$`)
		require.Eventually(t, func() bool { return trouble.MatchString(i.Log()[before:]) }, 15*time.Second, 50*time.Millisecond, "%s: it is said in the log", c.name)
		log := i.Log()[before:]
		for _, secret := range []string{wrongPassword, passwordOf(t, h.Rabbit.URL("/")), passwordOf(t, h.Redis.URL())} {
			require.NotContains(t, log+reason, secret, c.name)
		}
		troubles := trouble.FindAllString(log, -1)
		require.LessOrEqual(t, len(troubles), 10, "%s: changes are said, and nothing again and again:\n%s", c.name, strings.Join(troubles, "\n"))
		mend()
	}
	h.compare()
}

func withPassword(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), wrongPassword)
	return u.String()
}

func passwordOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	password, ok := u.User.Password()
	require.True(t, ok)
	return password
}

// foreign makes a virtual host in which a queue of dozor's name is another one, and returns its address.
func foreign(ctx context.Context, t testing.TB, h *house) string {
	t.Helper()
	require.NoError(t, h.Rabbit.AddVhost(ctx, "obcy"))
	conn, err := amqp.Dial(h.Rabbit.URL("obcy"))
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	_, err = ch.QueueDeclare("events.processing", true, false, false, false, nil)
	require.NoError(t, err)
	return h.Rabbit.URL("obcy")
}

// Instances come and die, and RabbitMQ has no more of them than it had.
func TestDeadInstancesLeaveNothingInRabbitMQ(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	h := open(t, 2, station.Options{Panels: 2, Rabbit: true})
	ask := func(expression string) string {
		t.Helper()
		value, err := h.Rabbit.Eval(ctx, expression)
		require.NoError(t, err)
		return value
	}
	has := func() string {
		return ask("N = fun(R) -> binary_to_atom(element(4, R)) end, " +
			"lists:sort([{queue, N(amqqueue:get_name(Q))} || Q <- rabbit_amqqueue:list()] " +
			"++ [{exchange, N(element(2, X))} || X <- rabbit_exchange:list(<<\"/\">>)] " +
			"++ [{binding, N(element(2, B)), N(element(4, B))} || B <- rabbit_binding:list(<<\"/\">>)]).")
	}
	const consumers = "length(rabbit_amqqueue:consumers_all(<<\"/\">>))."
	// Of the instances that die: the others connect when they have something to publish.
	const connections = "length([N || [{client_properties, P}] <- rabbit_networking:connection_info_all([client_properties]), " +
		"{<<\"connection_name\">>, _, N} <- P, binary:match(N, <<\"api-\">>) =/= nomatch])."
	before, listening, connected := has(), ask(consumers), ask(connections)
	require.Contains(t, before, "events.processing")
	require.NotEqual(t, "0", connected)
	for n := range 4 {
		api := h.apis[n%len(h.apis)]
		api.Kill()
		h.holdUp(h.Panels[0], 1)
		api.Start("")
		api.Ready(time.Minute)
	}
	require.Equal(t, before, has())
	require.Eventually(t, func() bool { return ask(consumers) == listening && ask(connections) == connected }, 20*time.Second, 100*time.Millisecond)
	h.compare()
}
