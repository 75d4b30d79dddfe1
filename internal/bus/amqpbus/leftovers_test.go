package amqpbus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/testkit"
)

// inventory is everything that a virtual host has of queues, exchanges and bindings.
func inventory(t *testing.T, vhost string) string {
	t.Helper()
	return eval(t, testkit.Rabbit(t), `VHost = <<%q>>, {lists:sort(rabbit_amqqueue:list_names(VHost)), lists:sort([element(2, X) || X <- rabbit_exchange:list(VHost)]), lists:sort(rabbit_binding:list(VHost))}.`, vhost)
}

func connections(t *testing.T, vhost string) string {
	t.Helper()
	return eval(t, testkit.Rabbit(t), "length(rabbit_connection_tracking:list(<<%q>>)).", vhost)
}

// TestADeadProcessLeavesNothing: what is at the broker belongs to the station, never to a
// process, so that a hundred that die leave what one did.
func TestADeadProcessLeavesNothing(t *testing.T) {
	t.Parallel()
	vhost := testkit.Vhost(t)
	first := newProcess(t, vhost, amqpbus.Limits{})
	msg := bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.event.1"}
	require.Equal(t, []bus.Outcome{bus.Confirmed}, first.bus.Publish(t.Context(), []bus.Message{msg}))
	before := inventory(t, vhost)
	require.Equal(t, "3", eval(t, testkit.Rabbit(t), "length(rabbit_amqqueue:list_names(<<%q>>)).", vhost))
	for n := range byte(5) {
		p := newProcess(t, vhost, amqpbus.Limits{})
		for _, lane := range bus.Lanes {
			c, err := p.bus.Consume(t.Context(), lane)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			other := bus.Message{Key: bus.Key{2, n}, Lane: lane, Topic: "satel.event.1"}
			require.Equal(t, []bus.Outcome{bus.Confirmed}, p.bus.Publish(ctx, []bus.Message{other}))
			_, err = c.Receive(ctx, 10)
			require.NoError(t, err)
			cancel()
		}
		require.NoError(t, p.bus.Probe(t.Context(), bus.Live))
		require.NoError(t, p.bus.Notify(t.Context(), []amqpbus.Notification{{ID: "1-1", Topic: "alarm.new"}}))
		p.kill()
	}
	first.kill()
	require.Eventually(t, func() bool { return connections(t, vhost) == "0" }, 20*time.Second, 50*time.Millisecond, "the broker has seen their death")
	require.Equal(t, before, inventory(t, vhost))
}

func TestEveryQueueIsBounded(t *testing.T) {
	t.Parallel()
	server, vhost := testkit.Rabbit(t), testkit.Vhost(t)
	p := newProcess(t, vhost, amqpbus.Limits{})
	require.NoError(t, p.bus.Probe(t.Context(), bus.Live))
	for queue, want := range map[string]string{"events.processing": "500000", "events.backfill": "500000", "events.dead": "10000"} {
		args := eval(t, server, "{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<%q>>, queue, <<%q>>)), [{V, A} || {A, _, V} <- amqqueue:get_arguments(Q), A == <<\"x-max-length\">>].", vhost, queue)
		require.Contains(t, args, "{"+want+",", queue)
	}

	conn, err := amqp.Dial(server.URL(vhost))
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	require.NoError(t, ch.Confirm(false))
	const most, more = 10_000, 50
	var last *amqp.DeferredConfirmation
	for n := range most + more {
		last, err = ch.PublishWithDeferredConfirm(amqpbus.DeadExchange, "", false, false, amqp.Publishing{MessageId: fmt.Sprint(n), DeliveryMode: amqp.Persistent})
		require.NoError(t, err)
	}
	require.True(t, last.Wait())
	require.Eventually(t, func() bool {
		letters, err := p.bus.DeadLetters(t.Context())
		require.NoError(t, err)
		return letters <= most
	}, 20*time.Second, 20*time.Millisecond)
	oldest, ok, err := ch.Get(amqpbus.DeadQueue, true)
	require.NoError(t, err)
	require.True(t, ok)
	require.NotEqual(t, "0", oldest.MessageId, "the oldest are dropped")
}

// TestCloseWhileConnecting ends buses at every moment of their first connection.
func TestCloseWhileConnecting(t *testing.T) {
	t.Parallel()
	vhost := testkit.Vhost(t)
	for n := range 60 {
		p := newProcess(t, vhost, amqpbus.Limits{})
		if n%3 == 0 {
			p.Stall()
		}
		_, err := p.bus.Consume(t.Context(), bus.Live)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*time.Millisecond/2)
		p.bus.Publish(ctx, []bus.Message{{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.event.1"}})
		cancel()
		closed := make(chan error, 1)
		go func() { closed <- p.bus.Close() }()
		select {
		case err := <-closed:
			require.NoError(t, err)
		case <-time.After(5 * time.Second):
			t.Fatalf("a bus that was closed %v after its beginning does not end", time.Duration(n)*time.Millisecond/2)
		}
	}
}

// TestOneThatStandsStillKeepsItsWindowAndNoMore: what is beyond it goes to the others.
func TestOneThatStandsStillKeepsItsWindowAndNoMore(t *testing.T) {
	t.Parallel()
	vhost := testkit.Vhost(t)
	const window, all = 50, 400
	p := newProcess(t, vhost, amqpbus.Limits{Window: window})
	stuck, err := p.bus.Consume(t.Context(), bus.Live)
	require.NoError(t, err)
	msgs := make([]bus.Message, all)
	for n := range msgs {
		msgs[n] = bus.Message{Key: bus.Key{byte(n), byte(n >> 8), 1}, Lane: bus.Live, Topic: "satel.event.1"}
	}
	publish := func(msgs []bus.Message) {
		for _, o := range p.bus.Publish(t.Context(), msgs) {
			require.Equal(t, bus.Confirmed, o)
		}
	}
	publish(msgs[:1])
	_, err = stuck.Receive(t.Context(), 1)
	require.NoError(t, err)
	quick, err := newProcess(t, vhost, amqpbus.Limits{}).bus.Consume(t.Context(), bus.Live)
	require.NoError(t, err)
	publish(msgs[1:])
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	take := func(n int) {
		for n > 0 {
			b, err := quick.Receive(ctx, 100)
			require.NoError(t, err)
			var tags []uint64
			for _, d := range b.Deliveries() {
				tags = append(tags, d.Tag)
			}
			require.NoError(t, b.Ack(ctx, tags...))
			n -= len(tags)
		}
		require.Zero(t, n)
	}
	take(all - window)
	require.NoError(t, stuck.Close())
	take(window)
}
