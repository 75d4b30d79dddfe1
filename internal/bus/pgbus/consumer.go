package pgbus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dozor/internal/bus"
)

// closeGrace is how long Close waits for a statement that is under way.
const closeGrace = time.Second

// consumer is one consumer of a lane. Its goroutine stands by for the lane's lock and
// reads while it has it; Receive and the batches work on the window in memory.
type consumer struct {
	bus  *Bus
	lane *lane

	mu     sync.Mutex
	window *window // nil: another consumer is the active one, or the way is lost
	closed bool

	arrived chan struct{} // capacity 1: something is ready
	settled chan struct{} // capacity 1: for the reader: room again, an earlier due time, or nothing left
	full    bool          // under mu: the reader waits for room

	stop chan struct{} // closed by Close
	done chan struct{} // closed when the goroutine has ended
}

// Consume implements bus.Bus. The consumer stands by until it is the active one, which
// may be for ever while another lives; ctx bounds nothing but this call.
func (b *Bus) Consume(_ context.Context, name bus.Lane) (bus.Consumer, error) {
	l, ok := lanes[name]
	if !ok {
		return nil, fmt.Errorf("consume lane %q: no such lane", name)
	}
	c := &consumer{
		bus: b, lane: l,
		arrived: make(chan struct{}, 1), settled: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go c.run()
	return c, nil
}

// Receive implements bus.Consumer.
func (c *consumer) Receive(ctx context.Context, max int) (bus.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.mu.Lock()
		closed := c.closed
		var b *batch
		if !closed && c.window != nil {
			b = c.takeLocked(max)
		}
		c.mu.Unlock()
		switch {
		case closed:
			return nil, bus.ErrClosed
		case b != nil:
			return b, nil
		}
		select {
		case <-ctx.Done():
		case <-c.arrived:
		case <-c.stop:
		}
	}
}

func (c *consumer) takeLocked(n int) *batch {
	items := c.window.take(max(n, 1))
	if len(items) == 0 {
		return nil
	}
	b := &batch{consumer: c, window: c.window, deliveries: make([]bus.Delivery, len(items))}
	for i, it := range items {
		b.deliveries[i] = bus.Delivery{Message: it.msg, Attempt: it.attempt, Tag: it.tag}
		if it.attempt > 1 {
			c.bus.stats.redelivered.Add(1)
		}
	}
	c.bus.stats.delivered.Add(int64(len(items)))
	return b
}

// Close implements bus.Consumer. What is settled is written down, as far as the
// database answers within a moment; the rest comes again.
func (c *consumer) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.stop)
	}
	c.mu.Unlock()
	<-c.done
	return nil
}

// batch is what one Receive returned.
type batch struct {
	consumer   *consumer
	window     *window // of the term in which it was received
	deliveries []bus.Delivery
}

func (b *batch) Deliveries() []bus.Delivery { return b.deliveries }

// Ack implements bus.Batch. It happens in memory and reaches the database later.
func (b *batch) Ack(_ context.Context, tags ...uint64) error {
	n, err := b.settle(tags)
	b.consumer.bus.stats.acked.Add(int64(n))
	return err
}

func (b *batch) settle(tags []uint64) (n int, err error) {
	err = b.inTerm(func(w *window) {
		for _, tag := range tags {
			if w.settle(tag) {
				n++
			}
		}
	})
	return n, err
}

// Later implements bus.Batch.
func (b *batch) Later(_ context.Context, delay time.Duration, tags ...uint64) error {
	due := time.Now().Add(delay)
	n := 0
	err := b.inTerm(func(w *window) {
		for _, tag := range tags {
			if w.putOff(tag, due) {
				n++
			}
		}
		// The reader may be asleep until a later time.
		nudge(b.consumer.settled)
	})
	b.consumer.bus.stats.putOff.Add(int64(n))
	return err
}

// Dead implements bus.Batch: the messages are dead letters before they are settled.
func (b *batch) Dead(ctx context.Context, reason string, tags ...uint64) error {
	var dead []bus.Message
	if err := b.inTerm(func(w *window) {
		for _, tag := range tags {
			if it, ok := w.handed[tag]; ok {
				dead = append(dead, it.msg)
			}
		}
	}); err != nil {
		return err
	}
	if err := b.consumer.bus.bury(ctx, reason, dead); err != nil {
		return err
	}
	n, err := b.settle(tags)
	b.consumer.bus.stats.dead.Add(int64(n))
	return err
}

// inTerm runs f on the window, if the term of the batch is not over.
func (b *batch) inTerm(f func(w *window)) error {
	c := b.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window != b.window {
		return fmt.Errorf("settle deliveries of lane %s: %w", c.lane.name, bus.ErrReturned)
	}
	f(c.window)
	if c.full && c.window.space() > 0 || c.window.atRest() {
		c.full = false
		nudge(c.settled)
	}
	return nil
}

func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
