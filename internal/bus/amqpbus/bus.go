package amqpbus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/bus"
)

// Bus is the bus over RabbitMQ. Safe for concurrent use.
type Bus struct {
	ends     *endpoints
	limits   Limits
	log      *slog.Logger
	lifetime context.Context //nolint:containedctx // its own life, not that of a call
	cancel   context.CancelFunc
	topology topology

	publishing *link
	questions  *link
	lanes      map[bus.Lane]*road
	dead       *road
	notes      *road
	canaries   *road

	mu        sync.Mutex
	consumers map[*consumer]struct{}
	closed    bool
	stats     counters
}

var _ bus.Bus = (*Bus)(nil)

// New makes the bus. It connects when it is first used, and fails only for a
// configuration that can't be read.
func New(cfg Config) (*Bus, error) {
	ends, err := newEndpoints(cfg)
	if err != nil {
		return nil, err
	}
	b := &Bus{
		ends: ends, limits: cfg.Limits.withDefaults(), log: cfg.Logger.With("component", "amqpbus"),
		lanes: map[bus.Lane]*road{}, consumers: map[*consumer]struct{}{},
	}
	b.lifetime, b.cancel = context.WithCancel(context.Background())
	b.publishing = b.newLink("publish")
	b.questions = b.newLink("ask")
	for name, l := range lanes {
		b.lanes[name] = newRoad(b.publishing, l.exchange, b.limits)
	}
	b.dead = newRoad(b.publishing, DeadExchange, b.limits)
	b.notes = newRoad(b.publishing, NotificationsExchange, b.limits)
	b.canaries = newRoad(b.publishing, "", b.limits)
	return b, nil
}

func (b *Bus) newLink(purpose string) *link {
	return &link{ends: b.ends, topology: &b.topology, purpose: purpose, log: b.log.With("link", purpose), lifetime: b.lifetime}
}

// Close ends all consumers and connections and waits for them. Idempotent.
func (b *Bus) Close() error {
	b.cancel()
	b.mu.Lock()
	b.closed = true
	open := make([]*consumer, 0, len(b.consumers))
	for c := range b.consumers {
		open = append(open, c)
	}
	b.mu.Unlock()
	var ending sync.WaitGroup
	for _, c := range open {
		ending.Go(func() { _ = c.Close() })
	}
	ending.Go(b.publishing.end)
	ending.Go(b.questions.end)
	ending.Wait()
	return nil
}

// Publish implements bus.Publisher. Refused are messages that can never be accepted: no
// key, no such lane, a body longer than MaxBody, a topic longer than 255 bytes.
func (b *Bus) Publish(ctx context.Context, msgs []bus.Message) []bus.Outcome {
	outcomes := make([]bus.Outcome, len(msgs))
	at := map[bus.Lane][]int{}
	for i, m := range msgs {
		if !acceptable(m) {
			outcomes[i] = bus.Refused
			continue
		}
		at[m.Lane] = append(at[m.Lane], i)
	}
	var ways sync.WaitGroup
	for name, indexes := range at {
		ways.Go(func() {
			items := make([]publishing, len(indexes))
			for n, i := range indexes {
				items[n] = encode(msgs[i])
			}
			got, err := b.lanes[name].publish(ctx, items)
			if err != nil {
				b.log.Debug("messages not confirmed", "lane", name, "err", err)
			}
			for n, i := range indexes {
				outcomes[i] = got[n]
			}
		})
	}
	ways.Wait()
	b.stats.count(outcomes)
	return outcomes
}

// Notification is one message for integrations.
type Notification struct {
	// ID is the same when the relay publishes it again, for example epoch-position.
	ID    string
	Topic string // routing key, at most 255 bytes
	Trace string // W3C traceparent
	Body  []byte
}

// Notify publishes to NotificationsExchange, in order, and waits for the confirms. One
// that no integration has a queue for is nobody's loss and no error.
func (b *Bus) Notify(ctx context.Context, notes []Notification) error {
	items := make([]publishing, len(notes))
	for i, n := range notes {
		if len(n.Topic) > maxTopic || len(n.ID) > maxTopic {
			return fmt.Errorf("notify integrations: topic or id of notification %.40q is longer than %d bytes", n.ID, maxTopic)
		}
		headers := amqp.Table{}
		if n.Trace != "" && len(n.Trace) <= maxTrace {
			headers[headerTrace] = n.Trace
		}
		items[i] = publishing{key: n.Topic, msg: persistent(n.ID, "", headers, n.Body)}
	}
	if _, err := b.notes.publish(ctx, items); err != nil {
		return fmt.Errorf("notify integrations: %w", err)
	}
	return nil
}

// Probe sends a canary the way of a lane's messages and waits until it is confirmed. Its
// consumer swallows it.
func (b *Bus) Probe(ctx context.Context, name bus.Lane) error {
	l, ok := lanes[name]
	if !ok {
		return fmt.Errorf("probe lane %q: no such lane", name)
	}
	// Past the exchange: integrations that listen there get no canaries.
	canary := publishing{key: l.queue, mandatory: true, msg: persistent("canary", typeCanary, nil, nil)}
	if _, err := b.canaries.publish(ctx, []publishing{canary}); err != nil {
		return fmt.Errorf("probe lane %s: %w", name, err)
	}
	return nil
}

// Depth implements bus.Bus: what waits at the broker, and what consumers of this Bus
// hold. The broker does not say what others hold; they say it of themselves.
func (b *Bus) Depth(ctx context.Context, name bus.Lane) (int64, error) {
	l, ok := lanes[name]
	if !ok {
		return 0, fmt.Errorf("depth of lane %q: no such lane", name)
	}
	waiting, err := b.waiting(ctx, l.queue)
	if err != nil {
		return 0, fmt.Errorf("depth of lane %s: %w", name, err)
	}
	// Asked after the broker: what moves meanwhile is counted twice rather than not at all.
	return waiting + b.held(name), nil
}

// Oldest says how long the longest held message of a lane has been unsettled at a consumer
// of this Bus. The broker does not tell the age of what waits there; but that waits only
// when the windows are full, and then what is in them grows old too.
func (b *Bus) Oldest(_ context.Context, name bus.Lane) (time.Duration, error) {
	if _, ok := lanes[name]; !ok {
		return 0, fmt.Errorf("age of lane %q: no such lane", name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var oldest time.Duration
	for c := range b.consumers {
		if c.name != name {
			continue
		}
		if since := c.oldest(); !since.IsZero() {
			oldest = max(oldest, time.Since(since))
		}
	}
	return oldest, nil
}

// DeadLetters says how many dead letters lie at the broker.
func (b *Bus) DeadLetters(ctx context.Context) (int64, error) {
	n, err := b.waiting(ctx, DeadQueue)
	if err != nil {
		return 0, fmt.Errorf("count dead letters: %w", err)
	}
	return n, nil
}

func (b *Bus) waiting(ctx context.Context, queue string) (n int64, err error) {
	err = b.questions.ask(ctx, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		n = int64(q.Messages)
		return err
	})
	if isMissing(err) {
		b.topology.declared.Store(false)
	}
	return n, err
}

func (b *Bus) held(name bus.Lane) (n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.consumers {
		if c.name == name {
			n += int64(c.unsettled())
		}
	}
	return n
}

// Health says how the broker is, without asking it.
func (b *Bus) Health() Health {
	h := Health{Publishing: b.publishing.state.get(), Blocked: b.publishing.blocked(), Lanes: map[bus.Lane]Link{}}
	for name, r := range b.lanes {
		h.Lanes[name] = r.state.get()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.consumers {
		h.Consumers = append(h.Consumers, c.state.get())
	}
	return h
}

type counters struct {
	confirmed, unknown, refused                 atomic.Int64
	delivered, redelivered, acked, putOff, dead atomic.Int64
	sessions                                    atomic.Int64
}

func (s *counters) count(outcomes []bus.Outcome) {
	for _, o := range outcomes {
		switch o {
		case bus.Confirmed:
			s.confirmed.Add(1)
		case bus.Refused:
			s.refused.Add(1)
		case bus.Unknown:
			s.unknown.Add(1)
		}
	}
}

// Stats counts since the bus was made.
type Stats struct {
	Confirmed, Unknown, Refused int64 // messages published
	Delivered                   int64 // handed to consumers
	Redelivered                 int64 // of them, not for the first time
	Acked, PutOff, Dead         int64 // settled deliveries, by how
	Sessions                    int64 // times that a consumer found its way to the broker
}

// Stats returns the counters as they stand.
func (b *Bus) Stats() Stats {
	s := &b.stats
	return Stats{
		Confirmed: s.confirmed.Load(), Unknown: s.unknown.Load(), Refused: s.refused.Load(),
		Delivered: s.delivered.Load(), Redelivered: s.redelivered.Load(),
		Acked: s.acked.Load(), PutOff: s.putOff.Load(), Dead: s.dead.Load(), Sessions: s.sessions.Load(),
	}
}
