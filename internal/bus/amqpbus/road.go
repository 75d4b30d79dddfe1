package amqpbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/singleflight"

	"dozor/internal/bus"
)

// road publishes to one exchange.
type road struct {
	link     *link
	exchange string
	limits   Limits

	turn   chan struct{} // capacity 1: held by whoever sends
	flight singleflight.Group

	state linkState // of publishing, as far as the connection is not to blame

	mu     sync.Mutex
	outlet *outlet
}

func newRoad(l *link, exchange string, limits Limits) *road {
	return &road{link: l, exchange: exchange, limits: limits, turn: make(chan struct{}, 1)}
}

// note keeps whether the broker takes what it is sent here. A caller that gave up, and a
// connection that is lost or blocked, say nothing of that.
func (r *road) note(o *outlet, err error, gaveUp bool) {
	if err != nil && (o == nil || gaveUp || o.conn.IsClosed() || r.link.blocked() != "") {
		return
	}
	first := r.state.get().Since.IsZero()
	log := r.link.log.With("exchange", r.exchange)
	switch r.state.set(err) {
	case unchanged:
	case nowUp:
		if !first {
			log.Info("RabbitMQ takes messages here again")
		}
	case nowDown:
		log.Warn("RabbitMQ does not take messages here: trying on", "reason", Reason(err), "err", err)
	case nowHopeless:
		log.Error("RabbitMQ takes no messages here until somebody mends it", "reason", Reason(err), "err", err)
	}
}

// outlet is one channel with confirms. It is given up at the first sign that it may be one that
// never confirms any more.
type outlet struct {
	conn    *conn
	channel *amqp.Channel
	returns chan amqp.Return
	closed  chan *amqp.Error // holds the broker's reason, if it closed the channel

	sent []inFlight // under the road's turn, oldest first

	mu       sync.Mutex
	returned map[string]struct{} // message ids that no queue took
}

type inFlight struct {
	at time.Time
	// Not the library's sequenced notifications: an ack of many hides a nack among them.
	confirm *amqp.DeferredConfirmation
}

var (
	errNotConfirmed = errors.New("RabbitMQ did not confirm in time")
	errNacked       = errors.New("RabbitMQ refused to confirm, or the channel was lost")
	errUnroutable   = errors.New("no queue takes the message")
)

// publish sends messages and waits for their outcomes, Confirmed or Unknown, as long as
// ctx and the limit last. The error says why some are not confirmed.
func (r *road) publish(callers context.Context, items []publishing) ([]bus.Outcome, error) {
	ctx, cancel := context.WithTimeout(callers, r.limits.Confirm)
	defer cancel()
	outcomes := make([]bus.Outcome, len(items))
	part := max(1, r.limits.InFlight/2)
	for start := 0; start < len(items); start += part {
		end := min(len(items), start+part)
		o, err := r.publishPart(ctx, items[start:end], outcomes[start:end])
		r.note(o, err, callers.Err() != nil)
		if err != nil {
			return outcomes, err
		}
	}
	return outcomes, nil
}

func (r *road) publishPart(ctx context.Context, items []publishing, outcomes []bus.Outcome) (*outlet, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("publish to %q: others are still sending: %w", r.exchange, ctx.Err())
	}
	o, confirms, err := r.send(ctx, items)
	<-r.turn
	if len(confirms) > 0 {
		err = errors.Join(err, r.await(ctx, o, items[:len(confirms)], confirms, outcomes))
	}
	if err == nil {
		return o, nil
	}
	if isMissing(err) || errors.Is(err, errUnroutable) {
		r.link.topology.declared.Store(false)
	}
	return o, fmt.Errorf("publish to %q: %w", r.exchange, err)
}

// await waits for the confirms of messages that were sent.
func (r *road) await(ctx context.Context, o *outlet, items []publishing, confirms []*amqp.DeferredConfirmation, outcomes []bus.Outcome) error {
	nacked, open := 0, 0
	for i, confirm := range confirms {
		select {
		case <-confirm.Done():
		case <-ctx.Done():
		}
		switch acked, done := confirm.Acked(), isDone(confirm); {
		case acked:
			outcomes[i] = bus.Confirmed
		case done:
			nacked++
		default:
			open++
		}
	}
	// Whatever came back had done so before its confirm.
	switch back := o.takeBack(items, outcomes); {
	case back > 0:
		r.giveUp(o)
		return errUnroutable
	case nacked > 0:
		r.giveUp(o)
		return cmp.Or(o.whyClosed(), errNacked)
	case open > 0:
		return errNotConfirmed
	}
	return nil
}

func isDone(confirm *amqp.DeferredConfirmation) bool {
	select {
	case <-confirm.Done():
		return true
	default:
		return false
	}
}

// send hands messages to the broker, as many as it can. The caller has the turn.
func (r *road) send(ctx context.Context, items []publishing) (*outlet, []*amqp.DeferredConfirmation, error) {
	if reason := r.link.blocked(); reason != "" {
		sleep(ctx, briefly)
		return nil, nil, &blockedError{said: reason}
	}
	o, err := r.ready(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := r.waitForRoom(ctx, o, len(items)); err != nil {
		return o, nil, err
	}
	if err := ctx.Err(); err != nil {
		return o, nil, err
	}
	// The library would wait for a socket that takes nothing, past the end of ctx.
	stop := context.AfterFunc(ctx, o.conn.abortWrites)
	defer stop()
	confirms := make([]*amqp.DeferredConfirmation, 0, len(items))
	for _, item := range items {
		if err := ctx.Err(); err != nil {
			return o, confirms, err
		}
		confirm, err := o.channel.PublishWithDeferredConfirm(r.exchange, item.key, item.mandatory, false, item.msg)
		if err != nil {
			r.giveUp(o)
			return o, confirms, errors.Join(err, o.whyClosed())
		}
		confirms = append(confirms, confirm)
		o.sent = append(o.sent, inFlight{at: time.Now(), confirm: confirm})
	}
	return o, confirms, nil
}

// waitForRoom waits until so few messages are unconfirmed that n more may be sent.
func (r *road) waitForRoom(ctx context.Context, o *outlet, n int) error {
	o.drainReturns()
	for {
		for len(o.sent) > 0 && isDone(o.sent[0].confirm) {
			o.sent = o.sent[1:]
		}
		if len(o.sent) == 0 {
			o.sent = nil
		}
		if len(o.sent)+n <= r.limits.InFlight {
			return nil
		}
		select {
		case <-o.sent[0].confirm.Done():
		case <-ctx.Done():
			return errNotConfirmed
		}
	}
}

// ready returns a channel that nothing speaks against. The caller has the turn.
func (r *road) ready(ctx context.Context) (*outlet, error) {
	r.mu.Lock()
	o := r.outlet
	r.mu.Unlock()
	if o != nil {
		overdue := len(o.sent) > 0 && !isDone(o.sent[0].confirm) && time.Since(o.sent[0].at) > r.limits.Confirm
		if !overdue && !o.channel.IsClosed() {
			return o, nil
		}
		r.giveUp(o)
	}
	return share(ctx, &r.flight, r.open)
}

func (r *road) open() (*outlet, error) {
	if !r.link.begin() {
		return nil, errBusClosed
	}
	defer r.link.running.Done()
	// One that was opened for somebody who did not wait for it.
	r.mu.Lock()
	o := r.outlet
	r.mu.Unlock()
	if o != nil && !o.channel.IsClosed() {
		return o, nil
	}
	c, err := r.link.get(r.link.lifetime)
	if err != nil {
		return nil, err
	}
	o = &outlet{
		conn: c, closed: make(chan *amqp.Error, 1),
		returns: make(chan amqp.Return, 2*r.limits.InFlight), returned: map[string]struct{}{},
	}
	err = c.call(callLimit, func() error {
		if o.channel, err = c.Channel(); err != nil {
			return err
		}
		o.channel.NotifyReturn(o.returns)
		o.channel.NotifyClose(o.closed)
		return o.channel.Confirm(false)
	})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outlet = o
	return o, nil
}

// giveUp closes a channel in the background: the answer may take as long as the broker
// stands still. What is unconfirmed on it becomes Unknown.
func (r *road) giveUp(o *outlet) {
	r.mu.Lock()
	current := r.outlet == o
	if current {
		r.outlet = nil
	}
	r.mu.Unlock()
	if !current || !r.link.begin() {
		return
	}
	go func() {
		defer r.link.running.Done()
		// An error says that it was closed already, or that the connection has ended.
		_ = o.conn.call(callLimit, o.channel.Close)
	}()
}

// whyClosed is the broker's reason, as the first that asks gets it.
func (o *outlet) whyClosed() error {
	select {
	case why := <-o.closed:
		if why != nil {
			return explain(why)
		}
	default:
	}
	return nil
}

// drainReturns empties the library's notifications. They are never more than were sent
// since the last time, so that the library never waits.
func (o *outlet) drainReturns() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drainLocked()
}

func (o *outlet) drainLocked() {
	for {
		select {
		case back, ok := <-o.returns:
			if !ok {
				return
			}
			o.returned[back.MessageId] = struct{}{}
		default:
			return
		}
	}
}

// takeBack makes Unknown of what no queue took. An id stays known as returned as long as
// the channel lives, which is not long.
func (o *outlet) takeBack(items []publishing, outcomes []bus.Outcome) (back int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drainLocked()
	if len(o.returned) == 0 {
		return 0
	}
	for i, item := range items {
		if _, ok := o.returned[item.msg.MessageId]; ok && item.mandatory {
			outcomes[i] = bus.Unknown
			back++
		}
	}
	return back
}
