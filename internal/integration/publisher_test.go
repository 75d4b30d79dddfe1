package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus/amqpbus"
	"dozor/internal/integration"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// broker is RabbitMQ, which a test may put aside.
type broker struct {
	bus    *amqpbus.Bus
	aside  bool
	broken error
}

func (b *broker) Usable() bool { return !b.aside }

func (b *broker) Notify(ctx context.Context, notes []integration.Note) error {
	if b.broken != nil {
		return b.broken
	}
	all := make([]amqpbus.Notification, len(notes))
	for i, n := range notes {
		all[i] = amqpbus.Notification(n)
	}
	return b.bus.Notify(ctx, all)
}

type scene struct {
	db     *testkit.Database
	broker *broker
	told   <-chan amqp.Delivery
}

// newScene binds a queue as an integration does.
func newScene(t *testing.T) *scene {
	url := testkit.Rabbit(t).URL(testkit.Vhost(t))
	bus, err := amqpbus.New(amqpbus.Config{URL: url, Name: "test", Logger: testkit.Logger(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bus.Close()) })
	require.NoError(t, bus.Notify(t.Context(), nil))
	_, err = bus.DeadLetters(t.Context()) // declares what there is
	require.NoError(t, err)

	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	require.NoError(t, err)
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	require.NoError(t, err)
	require.NoError(t, ch.QueueBind(q.Name, "alarm.#", amqpbus.NotificationsExchange, false, nil))
	told, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	require.NoError(t, err)
	return &scene{db: testkit.DB(t), broker: &broker{bus: bus}, told: told}
}

func (s *scene) publisher(t *testing.T, holder string) *integration.Publisher {
	return integration.New(integration.Config{Pool: s.db.Pool, Broker: s.broker, Holder: holder, Logger: testkit.Logger(t)})
}

// stamp makes notifications of a type with the next positions.
func (s *scene) stamp(t *testing.T, n int, kind, audience string) {
	s.db.Exec(t, `WITH head AS (UPDATE stream_head SET last = last + $1, published = last + $1 RETURNING epoch, last)
		INSERT INTO outbox (epoch, position, type, data, audience) SELECT epoch, last - $1 + i, $2, json_build_object('n', i), $3
		FROM head, generate_series(1, $1) AS i`, n, kind, audience)
}

func all(t *testing.T, p *integration.Publisher) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = p.Step(t.Context())
		require.NoError(t, err)
	}
}

// hear takes n messages and returns their ids.
func (s *scene) hear(t *testing.T, n int) (ids []string) {
	t.Helper()
	for range n {
		select {
		case d := <-s.told:
			ids = append(ids, d.MessageId)
			var frame struct {
				Epoch, Position int64
				Type            string
			}
			require.NoError(t, json.Unmarshal(d.Body, &frame))
			require.Equal(t, d.MessageId, fmt.Sprintf("%d-%d", frame.Epoch, frame.Position))
			require.Equal(t, d.RoutingKey, frame.Type)
		case <-time.After(20 * time.Second):
			require.Fail(t, "a notification does not come", "%d of %d came", len(ids), n)
		}
	}
	return ids
}

func positions(epoch int64, from, to int) (ids []string) {
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf("%d-%d", epoch, i))
	}
	return ids
}

func TestIntegrationsAreToldOnceInOrder(t *testing.T) {
	s := newScene(t)
	epoch := testkit.One[int64](t, s.db, "SELECT epoch FROM stream_head")
	s.stamp(t, 5, "alarm.new", "operators")
	p := s.publisher(t, "a")
	all(t, p) // what was before the first broker is no news
	s.stamp(t, 1200, "alarm.new", "operators")
	s.stamp(t, 1, "access.changed", "user:7")
	s.stamp(t, 1, "alarm.updated", "operators")
	all(t, p)
	require.Empty(t, cmp.Diff(append(positions(epoch, 6, 1205), positions(epoch, 1207, 1207)...), s.hear(t, 1201)), "what is for one person does not leave")

	// A broker that fails or is put aside delays, and loses nothing.
	s.stamp(t, 3, "alarm.new", "operators")
	s.broker.broken = errors.New("broken")
	_, err := p.Step(t.Context())
	require.ErrorContains(t, err, "broken")
	s.broker.broken, s.broker.aside = nil, true
	all(t, p)
	s.broker.aside = false
	all(t, p)
	require.Equal(t, positions(epoch, 1208, 1210), s.hear(t, 3))

	// The end of an epoch is told before the next one.
	s.stamp(t, 2, "alarm.new", "operators")
	s.db.Exec(t, "UPDATE stream_head SET epoch = epoch + 7, last = 0, published = 0")
	s.stamp(t, 2, "alarm.new", "operators")
	all(t, p)
	require.Equal(t, append(positions(epoch, 1211, 1212), positions(epoch+7, 1, 2)...), s.hear(t, 4))
}

func TestOneProcessHasTheTurn(t *testing.T) {
	s := newScene(t)
	epoch := testkit.One[int64](t, s.db, "SELECT epoch FROM stream_head")
	a, b := s.publisher(t, "a"), s.publisher(t, "b")
	all(t, a)
	s.stamp(t, 2, "alarm.new", "operators")
	all(t, b)
	require.Empty(t, s.told, "it is not its turn")
	all(t, a)
	require.Equal(t, positions(epoch, 1, 2), s.hear(t, 2))
	s.stamp(t, 2, "alarm.new", "operators")
	s.db.Exec(t, "UPDATE integration_cursor SET held_until = dozor_now() - interval '1 s'") // the holder has died
	all(t, b)
	require.Equal(t, positions(epoch, 3, 4), s.hear(t, 2))

	// It had only slept: what it hands over once more is a repetition, and it moves nothing.
	s.stamp(t, 2, "alarm.new", "operators")
	all(t, a)
	require.Equal(t, 4, testkit.One[int](t, s.db, "SELECT position FROM integration_cursor"))
	all(t, b)
	require.Subset(t, s.hear(t, 6), positions(epoch, 5, 6))
	require.Equal(t, 6, testkit.One[int](t, s.db, "SELECT position FROM integration_cursor"))
}

func TestWhatWasTrimmedIsSaid(t *testing.T) {
	s := newScene(t)
	epoch := testkit.One[int64](t, s.db, "SELECT epoch FROM stream_head")
	p := s.publisher(t, "a")
	all(t, p)
	s.stamp(t, 10, "alarm.new", "operators")
	s.db.Exec(t, "DELETE FROM outbox WHERE position <= 4")
	all(t, p)
	require.Equal(t, positions(epoch, 5, 10), s.hear(t, 6))
	s.stamp(t, 2, "alarm.new", "operators")
	s.db.Exec(t, "DELETE FROM outbox")
	all(t, p)
	s.stamp(t, 1, "alarm.new", "operators")
	all(t, p)
	require.Equal(t, positions(epoch, 13, 13), s.hear(t, 1))
}
