package amqpbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dozor/internal/bus"
)

// consumer is one consumer of a lane. Its goroutine keeps a session and fills the window;
// Receive and the batches work on the window.
type consumer struct {
	bus  *Bus
	name bus.Lane
	log  *slog.Logger

	lifetime context.Context //nolint:containedctx // its own life, not that of a call
	cancel   context.CancelFunc
	done     chan struct{} // closed when the goroutine has ended
	state    linkState

	mu      sync.Mutex
	window  *window       // nil: no session
	arrived chan struct{} // capacity 1: something may be ready, or due earlier
}

// Consume implements bus.Bus. The consumer connects by itself; ctx bounds nothing but
// this call.
func (b *Bus) Consume(_ context.Context, name bus.Lane) (bus.Consumer, error) {
	if _, ok := lanes[name]; !ok {
		return nil, fmt.Errorf("consume lane %q: no such lane", name)
	}
	c := &consumer{
		bus: b, name: name, log: b.log.With("link", "consume", "lane", string(name)),
		done: make(chan struct{}), arrived: make(chan struct{}, 1),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("consume lane %s: %w", name, errBusClosed)
	}
	c.lifetime, c.cancel = context.WithCancel(b.lifetime)
	b.consumers[c] = struct{}{}
	go c.run()
	return c, nil
}

// Close implements bus.Consumer: the connection ends, and with it all that is unsettled
// goes back.
func (c *consumer) Close() error {
	c.cancel()
	<-c.done
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	delete(c.bus.consumers, c)
	return nil
}

// Receive implements bus.Consumer.
func (c *consumer) Receive(ctx context.Context, max int) (bus.Batch, error) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if c.lifetime.Err() != nil {
			return nil, bus.ErrClosed
		}
		b, due, waits := c.take(max)
		if b != nil {
			return b, nil
		}
		var wake <-chan time.Time
		if waits {
			timer.Reset(time.Until(due))
			wake = timer.C
		}
		select {
		case <-ctx.Done():
		case <-c.lifetime.Done():
		case <-c.arrived:
		case <-wake:
		}
	}
}

// take returns a batch, or when the next message put off is due.
func (c *consumer) take(n int) (b *batch, due time.Time, waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.window
	if w == nil {
		return nil, due, false
	}
	items := w.take(max(n, 1), time.Now())
	if len(items) == 0 {
		due, waits = w.nextDue()
		return nil, due, waits
	}
	b = &batch{consumer: c, window: w, deliveries: make([]bus.Delivery, len(items))}
	for i, it := range items {
		b.deliveries[i] = bus.Delivery{Message: it.msg, Attempt: it.attempt, Tag: it.tag}
		if it.attempt > 1 {
			c.bus.stats.redelivered.Add(1)
		}
	}
	c.bus.stats.delivered.Add(int64(len(items)))
	return b, due, false
}

func (c *consumer) unsettled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window == nil {
		return 0
	}
	return c.window.unsettled
}

func (c *consumer) oldest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window == nil {
		return time.Time{}
	}
	return c.window.oldest()
}

func (c *consumer) nudge() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// batch is what one Receive returned.
type batch struct {
	consumer   *consumer
	window     *window // of the session in which it was received
	deliveries []bus.Delivery
}

func (b *batch) Deliveries() []bus.Delivery { return b.deliveries }

// Ack implements bus.Batch. The broker confirms no acks: when the connection breaks a
// moment later, the messages may come again.
func (b *batch) Ack(ctx context.Context, tags ...uint64) error {
	n, err := b.settle(ctx, tags)
	b.consumer.bus.stats.acked.Add(int64(n))
	return err
}

// Later implements bus.Batch, in memory.
func (b *batch) Later(_ context.Context, delay time.Duration, tags ...uint64) error {
	due := time.Now().Add(delay)
	return b.inSession(func(w *window) {
		for _, tag := range tags {
			if w.putOff(tag, due) {
				b.consumer.bus.stats.putOff.Add(1)
			}
		}
		b.consumer.nudge() // a Receive may be waiting until a later time
	})
}

// Dead implements bus.Batch: the dead letters are confirmed before their messages are
// settled.
func (b *batch) Dead(ctx context.Context, reason string, tags ...uint64) error {
	var letters []publishing
	if err := b.inSession(func(w *window) {
		for _, tag := range tags {
			if it, ok := w.handed[tag]; ok {
				letters = append(letters, encodeDead(it.msg, reason))
			}
		}
	}); err != nil {
		return err
	}
	if len(letters) == 0 {
		return nil
	}
	if _, err := b.consumer.bus.dead.publish(ctx, letters); err != nil {
		return fmt.Errorf("make %d dead letters: %w", len(letters), err)
	}
	n, err := b.settle(ctx, tags)
	b.consumer.bus.stats.dead.Add(int64(n))
	return err
}

// inSession runs f on the window, if the session of the batch is not over.
func (b *batch) inSession(f func(w *window)) error {
	c := b.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window != b.window {
		return b.gone(nil)
	}
	f(c.window)
	return nil
}

func (b *batch) gone(cause error) error {
	return errors.Join(fmt.Errorf("settle deliveries of lane %s: %w", b.consumer.name, bus.ErrReturned), cause)
}

// settle forgets deliveries and tells the broker.
func (b *batch) settle(ctx context.Context, tags []uint64) (n int, err error) {
	w := b.window
	select {
	case w.settling <- struct{}{}:
		defer func() { <-w.settling }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("settle deliveries of lane %s: %w", b.consumer.name, err)
	}
	var upTo uint64
	var single []uint64
	if err := b.inSession(func(w *window) { n, upTo, single = w.settle(tags) }); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, w.conn.abortWrites)
	defer stop()
	told := false
	tell := func(delivery uint64, multiple bool) {
		if err == nil {
			err = w.channel.Ack(delivery, multiple)
			told = told || err == nil
		}
	}
	if upTo > 0 {
		tell(upTo, true)
	}
	for _, delivery := range single {
		tell(delivery, false)
	}
	if err != nil && !told {
		return 0, b.gone(err)
	}
	// After a part the rest comes again, as it may after any ack.
	return n, nil
}
