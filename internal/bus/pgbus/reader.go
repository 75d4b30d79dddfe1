package pgbus

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// connectBackoff is the first pause after a session that broke.
const connectBackoff = 20 * time.Millisecond

// run keeps a session until Close, a new one after each that broke.
func (c *consumer) run() {
	defer close(c.done)
	// Statements may go on for a moment after stop, and no longer.
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watching.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-c.stop:
		}
		timer := time.NewTimer(closeGrace)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
			cancel()
		}
	})

	wake, unfollow := c.bus.hints.Subscribe(Channel(c.lane.name))
	defer unfollow()
	log := c.bus.log.With("lane", c.lane.name)
	backoff, failing := connectBackoff, false
	for !c.stopped() {
		err := c.serve(ctx, wake, func() {
			if failing {
				log.Info("the lane is read again")
			}
			backoff, failing = connectBackoff, false
		})
		c.endTerm()
		if c.stopped() {
			return
		}
		if !failing {
			log.Warn("lost the way to the lane, trying on", "err", err)
		}
		failing = true
		c.wait(backoff+rand.N(backoff), nil)
		backoff = min(2*backoff, c.bus.limits.retryMax)
	}
}

func (c *consumer) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// pause returns after d, or at Close.
func (c *consumer) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.stop:
	}
}

// wait returns after d, when something is to be done, or at Close.
func (c *consumer) wait(d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.stop:
	case <-wake:
	case <-c.settled:
	}
}

func (c *consumer) endTerm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.window = nil
}

// serve uses one session: stands by until it has the lock, then reads until something
// breaks or Close. standing is called once it does either.
func (c *consumer) serve(ctx context.Context, wake <-chan struct{}, standing func()) error {
	s, err := openSession(ctx, c.bus.direct, c.lane, c.bus.limits)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		active, err := s.tryLock(ctx)
		if err != nil {
			return err
		}
		if active {
			break
		}
		standing()
		c.wait(c.bus.limits.standby, nil)
		if c.stopped() {
			return nil
		}
	}
	st, err := s.load(ctx)
	if err != nil {
		return err
	}
	standing()
	c.bus.stats.terms.Add(1)
	t := &term{consumer: c, session: s, limits: c.bus.limits, written: st.settled, writing: st.writing, turnedAt: time.Now()}
	w := newWindow(c.bus.limits, st.settled)
	w.rows = st.rows
	c.mu.Lock()
	c.window, t.window = w, w
	c.mu.Unlock()
	return t.run(ctx, wake)
}

// term is one holding of the lane's lock. It belongs to the consumer's goroutine; the
// window is shared with those who settle, under the consumer's mutex.
type term struct {
	consumer *consumer
	session  *session
	window   *window
	limits   limits

	written   int64 // what bus_lanes.settled says
	writtenAt time.Time
	writing   int16
	turnedAt  time.Time

	nextUpkeep time.Time
	nextLook   time.Time // at the holes
	nextEmpty  time.Time
	emptyPause time.Duration
}

func (t *term) run(ctx context.Context, wake <-chan struct{}) error {
	for !t.consumer.stopped() {
		started := time.Now()
		more, err := t.step(ctx)
		if err != nil {
			return err
		}
		if !time.Now().Before(t.nextUpkeep) {
			if err := t.upkeep(ctx); err != nil {
				return err
			}
			t.nextUpkeep = time.Now().Add(t.limits.poll)
		} else if t.rests(time.Now()) {
			if err := t.settle(ctx); err != nil {
				return err
			}
		}
		if more {
			continue
		}
		t.consumer.wait(t.idle(), wake)
		if left := t.limits.minInterval - time.Since(started); left > 0 {
			t.consumer.pause(left)
		}
	}
	return t.settle(ctx)
}

// idle is how long there is nothing to do without a hint.
func (t *term) idle() time.Duration {
	t.consumer.mu.Lock()
	defer t.consumer.mu.Unlock()
	until := t.nextUpkeep
	if rest := t.restAt(); rest.Before(until) {
		until = rest
	}
	if due, ok := t.window.nextDue(); ok && due.Before(until) && t.window.space() > 0 {
		until = due
	}
	return max(0, time.Until(until))
}

// restAt is when to write down that all is settled: soon, so that little comes again
// after a crash, but not for each message. Call it under the mutex.
func (t *term) restAt() time.Time {
	if t.window.top == t.written || !t.window.atRest() {
		return t.nextUpkeep
	}
	return t.writtenAt.Add(t.limits.settleRest)
}

func (t *term) rests(now time.Time) bool {
	t.consumer.mu.Lock()
	defer t.consumer.mu.Unlock()
	return !now.Before(t.restAt())
}

// step reads what there is room for: what is due again, the holes, what is new. It says
// whether there is more to read at once.
func (t *term) step(ctx context.Context) (more bool, err error) {
	c, started := t.consumer, time.Now()
	q, looking := t.ask(started)
	a, err := t.session.ask(ctx, q)
	if err != nil {
		return false, err
	}
	now := time.Now()

	c.mu.Lock()
	w := t.window
	gone := w.restored(q.due, a.again)
	abandoned := 0
	if looking {
		w.found(a.found, now)
		// A look that was cut short proves nothing of what it did not reach.
		if len(a.found) < q.space {
			abandoned = w.holes.looked(a.xmin)
		}
	}
	if a.barrier != 0 {
		w.holes.mark(a.barrier)
	}
	missing := w.scanned(a.news, now)
	ready := len(w.ready) > 0
	more = (q.room > 0 && len(a.news) == q.room || looking && len(a.found) == q.space) && w.room() > 0
	c.mu.Unlock()

	if looking {
		// However many holes there are, looking for them leaves most of the time.
		t.nextLook = now.Add(min(4*now.Sub(started), t.limits.poll))
	}
	c.bus.stats.holes.Add(int64(missing))
	c.bus.stats.abandoned.Add(int64(abandoned))
	if len(gone) > 0 {
		c.bus.log.Error("messages that were put off are gone from their table", "lane", c.lane.name, "position", gone[0], "messages", len(gone))
	}
	if ready {
		nudge(c.arrived)
	}
	return more, nil
}

// ask decides what the next reading asks for.
func (t *term) ask(now time.Time) (q question, looking bool) {
	c := t.consumer
	c.mu.Lock()
	defer c.mu.Unlock()
	w := t.window
	q = question{after: w.top, room: w.room(), space: w.space()}
	if q.room == 0 {
		c.full = true
		c.bus.stats.waiting.Add(1)
	}
	if q.space > 0 {
		q.due = w.due(now, q.space)
		if len(w.holes.spans) > 0 && !now.Before(t.nextLook) {
			looking = true
			q.lows, q.highs = w.holes.bounds()
			q.barrier = w.holes.wantsBarrier()
		}
	}
	return q, looking
}

// settle writes down the settled prefix, if it has grown.
func (t *term) settle(ctx context.Context) error {
	t.consumer.mu.Lock()
	floor := t.window.floor()
	t.consumer.mu.Unlock()
	if floor <= t.written {
		return nil
	}
	if err := t.session.settle(ctx, floor); err != nil {
		return err
	}
	t.written, t.writtenAt = floor, time.Now()
	return nil
}

// upkeep does what is due every poll: writes down what is settled, and keeps the tables
// small.
func (t *term) upkeep(ctx context.Context) error {
	if err := t.settle(ctx); err != nil {
		return err
	}
	if err := t.moveStragglers(ctx); err != nil {
		return err
	}
	if err := t.emptyDrained(ctx); err != nil {
		return err
	}
	return t.turn(ctx)
}

// turn lets writers go over to the other table when the one they fill has grown.
func (t *term) turn(ctx context.Context) error {
	t.consumer.mu.Lock()
	rows := t.window.rows
	t.consumer.mu.Unlock()
	full, other, age := rows[t.writing], 1-t.writing, time.Since(t.turnedAt)
	due := full >= t.limits.turnRows || full >= t.limits.turnSomeRows && age >= t.limits.turnSome || full > 0 && age >= t.limits.turnAny
	if !due || rows[other] > 0 {
		return nil
	}
	turned, err := t.session.turn(ctx, other)
	if err != nil || !turned {
		return err
	}
	t.writing, t.turnedAt = other, time.Now()
	t.consumer.bus.stats.turns.Add(1)
	return nil
}

// emptyDrained truncates the table that is not written once all of it is settled.
func (t *term) emptyDrained(ctx context.Context) error {
	drained := 1 - t.writing
	t.consumer.mu.Lock()
	w := t.window
	want := w.rows[drained] > 0 && w.held[drained] == 0 && !time.Now().Before(t.nextEmpty)
	top, floor := w.top, w.floor()
	lows, highs := w.holes.bounds()
	t.consumer.mu.Unlock()
	if !want {
		return nil
	}
	result, err := t.session.empty(ctx, drained, top, floor, lows, highs)
	if err != nil {
		return err
	}
	switch result {
	case tableBusy:
		// Somebody reads it for long, a backup perhaps; each try makes writers wait.
		t.emptyPause = min(max(2*t.emptyPause, t.limits.poll), 8*t.limits.retryMax)
		t.nextEmpty = time.Now().Add(t.emptyPause)
	case emptied:
		t.emptyPause = 0
		t.written = max(t.written, floor)
		t.consumer.mu.Lock()
		w.rows[drained] = 0
		t.consumer.mu.Unlock()
		t.consumer.bus.stats.emptied.Add(1)
	case notYet:
	}
	return nil
}

// moveStragglers copies to the end of the queue what is held for so long that it keeps
// a table from being emptied, or what is settled from being written down.
func (t *term) moveStragglers(ctx context.Context) error {
	t.consumer.mu.Lock()
	ids := t.window.stragglers(time.Now(), 1-t.writing)
	t.consumer.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	copies, err := t.session.move(ctx, ids, t.writing)
	if err != nil {
		return err
	}
	t.consumer.mu.Lock()
	t.window.moved(copies, t.writing, time.Now())
	t.consumer.mu.Unlock()
	t.consumer.bus.stats.moved.Add(int64(len(copies)))
	return nil
}
