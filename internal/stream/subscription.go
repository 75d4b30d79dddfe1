package stream

import (
	"context"
	"strconv"
	"sync"
	"time"

	"dozor/internal/wire"
)

const (
	// HeartbeatEvery is how often a client hears where it stands.
	HeartbeatEvery = time.Second
	// One call of Next returns at most so many messages, or so many bytes and one more.
	maxMessages = 64
	maxBytes    = 256 << 10
	// maxScanned bounds how many frames out of scope are passed over under one lock.
	maxScanned = 1000
)

// Message is what goes to a client as one message of the transport.
type Message struct {
	// Data is JSON; it is shared and must not be written to.
	Data []byte
	// Position, Trace and AnsweredAt are those of a frame; zero for other messages.
	Position   int64
	Trace      string
	AnsweredAt time.Time

	frame *entry // of a frame that came while the client was up to date
}

// FirstShown reports, once for each frame, that this client is the first of the
// instance to have it, among those that were up to date. Call it after the write.
func (m Message) FirstShown() bool { return m.frame != nil && !m.frame.shown.Swap(true) }

type phase int

const (
	checking phase = iota // the cursor has not been found in the stream yet
	running
	waiting // a reset was sent; the client resumes again when it has loaded
)

// Subscription is one client of the stream. One goroutine calls Next; the rest is safe
// for concurrent use.
type Subscription struct {
	hub   *Hub
	scope scope
	done  chan struct{}
	wake  chan struct{} // capacity 1: something below was asked for

	mu        sync.Mutex
	err       error                // why done is closed
	newResume *wire.StreamPosition // asked for, not begun yet
	newChoice *panelChoice

	// What follows belongs to the goroutine that calls Next.

	place
	out         []Message   // what collecting fills, again and again
	generation  int64       // counts begins, so that late answers are known
	questions   questions   // to what lies below the ring
	beat        time.Time   // when the next heartbeat is due
	timer       *time.Timer // the goroutine's own, for waiting
	choice      panelChoice
	stateChange int64
	noticed     int64 // the newest notice that it took
}

// place is where a client stands since it last began.
type place struct {
	phase    phase
	epoch    int64
	cursor   int64                // everything up to it was written, or is out of scope
	next     int64                // what the cursor becomes when the messages handed out are written
	upToDate bool                 // has had everything at some moment
	counted  bool                 // the way of this resume is in the metrics
	below    []*entry             // read below the ring, not handed out
	lost     *wire.StreamPosition // the stream can't be continued here; the head to say
}

// Attach makes a subscription of a client that has everything up to resume. It fails
// with ErrStopping, ErrAccessEnded or the error of ctx; what the position leads to, Next
// tells. The owner closes it.
func (h *Hub) Attach(ctx context.Context, viewer Viewer, resume wire.StreamPosition) (*Subscription, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Subscription{
		hub: h, scope: newScope(viewer), done: make(chan struct{}), wake: make(chan struct{}, 1),
		questions: questions{slots: h.below, answers: make(chan answer, 1)},
		beat:      time.Now().Add(HeartbeatEvery), timer: time.NewTimer(HeartbeatEvery),
	}
	s.begin(resume)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, ErrStopping
	}
	if h.revokedLocked(viewer) {
		return nil, ErrAccessEnded
	}
	h.subs[s] = struct{}{}
	h.cfg.Metrics.subscriptions.Set(float64(len(h.subs)))
	return s, nil
}

// Close ends the subscription and waits for what it has begun. Idempotent. The goroutine
// that calls Next calls it, or whoever has waited for that one.
func (s *Subscription) Close() {
	s.end(ErrClosed)
	s.hub.mu.Lock()
	delete(s.hub.subs, s)
	s.hub.cfg.Metrics.subscriptions.Set(float64(len(s.hub.subs)))
	s.hub.mu.Unlock()
	s.questions.stop()
}

func (s *Subscription) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
	}
}

// Done is closed when the subscription has ended; Err says why.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// Err is ErrStopping, ErrAccessEnded or ErrClosed after Done, nil before.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Resume begins again from a position that the client has, usually after a reset.
func (s *Subscription) Resume(from wire.StreamPosition) {
	s.mu.Lock()
	s.newResume = &from
	s.mu.Unlock()
	s.nudge()
}

func (s *Subscription) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next returns what the client is sent next, at least one message: frames, a reset,
// notices, panel states, a heartbeat each second. Calling it says that all messages returned
// before were written; that is what makes heartbeats true. The slice is good until then.
// It ends with Err's errors, or with that of ctx.
func (s *Subscription) Next(ctx context.Context) ([]Message, error) {
	s.cursor = s.next
	for {
		if err := s.Err(); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.takeOrders()
		if now := time.Now(); !now.Before(s.beat) {
			s.beat = now.Add(HeartbeatEvery)
			return []Message{s.heartbeat(now)}, nil
		}
		// Taken before looking, so that a change after the look wakes the wait below.
		s.hub.mu.RLock()
		changed := s.hub.changed
		s.hub.mu.RUnlock()
		// Before frames: a client that has much to catch up with must know at once that
		// the station itself is ill.
		if messages := s.takeNotices(); len(messages) > 0 {
			return messages, nil
		}
		if messages := s.advance(); len(messages) > 0 {
			return messages, nil
		}
		if messages := s.takeStates(); len(messages) > 0 {
			return messages, nil
		}
		s.wait(ctx, changed)
	}
}

func (s *Subscription) wait(ctx context.Context, changed <-chan struct{}) {
	until := s.beat
	if again := s.questions.notBefore; !s.questions.open && again.After(time.Now()) && again.Before(until) {
		until = again
	}
	s.timer.Reset(time.Until(until))
	select {
	case <-ctx.Done():
	case <-s.done:
	case <-s.wake:
	case <-changed:
	case a := <-s.questions.answers:
		s.hear(a)
	case <-s.timer.C:
	}
}

func (s *Subscription) takeOrders() {
	s.mu.Lock()
	resume, choice := s.newResume, s.newChoice
	s.newResume, s.newChoice = nil, nil
	s.mu.Unlock()
	if resume != nil {
		s.begin(*resume)
	}
	if choice != nil {
		s.choice, s.stateChange = *choice, 0
	}
}

// begin looks for a place in the stream.
func (s *Subscription) begin(from wire.StreamPosition) {
	s.generation++
	s.questions.notBefore = time.Time{}
	s.noticed = 0
	s.place = place{phase: checking, epoch: from.Epoch, cursor: from.Position, next: from.Position}
}

// heartbeat says up to where everything was sent. While nothing is certain, after a
// reset, that is position 0 of the epoch.
func (s *Subscription) heartbeat(now time.Time) Message {
	return Message{Data: control("heartbeat", wire.StreamPosition{Epoch: s.epoch, Position: s.cursor}, now)}
}

func control(kind string, at wire.StreamPosition, now time.Time) []byte {
	b := make([]byte, 0, 112)
	b = append(b, `{"type":"`...)
	b = append(b, kind...)
	b = append(b, `","epoch":`...)
	b = strconv.AppendInt(b, at.Epoch, 10)
	b = append(b, `,"position":`...)
	b = strconv.AppendInt(b, at.Position, 10)
	if !now.IsZero() {
		b = append(b, `,"at":"`...)
		b = now.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	}
	return append(b, '}')
}

// reset tells the client to load anew; it has a right to nothing but that.
func (s *Subscription) reset(head wire.StreamPosition) []Message {
	s.hub.cfg.Metrics.resumes.WithLabelValues("reset").Inc()
	s.begin(wire.StreamPosition{Epoch: head.Epoch})
	s.phase = waiting
	return []Message{{Data: control("reset", head, time.Time{})}}
}
