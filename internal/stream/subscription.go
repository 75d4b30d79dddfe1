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
	// beatEarly is how much earlier a heartbeat may come behind frames, so that where much
	// happens it costs no write of its own.
	beatEarly = HeartbeatEvery / 4
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
func (m Message) FirstShown() bool {
	return m.frame != nil && !m.frame.shown.Load() && !m.frame.shown.Swap(true)
}

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
	wake  chan struct{} // capacity 1: whatever Next may wait for has happened

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
	timer       *time.Timer // wakes
	armed       time.Time   // at this instant
	rested      bool        // the last look left nothing: only a wake-up brings something
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
		beat: time.Now().Add(HeartbeatEvery),
	}
	s.questions = questions{slots: h.below, answers: make(chan answer, 1), heard: s.nudge}
	s.begin(resume)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, ErrStopping
	}
	if h.revokedLocked(viewer) {
		return nil, ErrAccessEnded
	}
	s.timer, s.armed = time.AfterFunc(time.Until(s.beat), s.nudge), s.beat
	h.subs[s] = struct{}{}
	h.cfg.Metrics.subscriptions.Set(float64(len(h.subs)))
	return s, nil
}

// Close ends the subscription and waits for what it has begun. Idempotent. The goroutine
// that calls Next calls it, or whoever has waited for that one.
func (s *Subscription) Close() {
	s.end(ErrClosed)
	s.timer.Stop()
	s.hub.mu.Lock()
	delete(s.hub.subs, s)
	s.hub.cfg.Metrics.subscriptions.Set(float64(len(s.hub.subs)))
	s.hub.mu.Unlock()
	s.questions.stop()
}

// Stop ends the subscription with ErrClosed, so that Next returns. Idempotent.
func (s *Subscription) Stop() { s.end(ErrClosed) }

func (s *Subscription) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
		s.nudge()
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
		if s.rested {
			s.rested = false
			s.wait(ctx)
		}
		select {
		case <-s.done:
			return nil, s.Err()
		default:
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.takeOrders()
		now := time.Now()
		if !now.Before(s.beat) {
			return []Message{s.heartbeat(now)}, nil
		}
		// Before frames: a client that has much to catch up with must know at once that
		// the station itself is ill.
		if messages := s.takeNotices(); len(messages) > 0 {
			return messages, nil
		}
		if messages := s.advance(); len(messages) > 0 {
			if s.phase == running && s.beat.Sub(now) < beatEarly {
				messages = append(messages, s.heartbeat(now))
				s.out = messages
			}
			s.arm(now)
			return messages, nil
		}
		if messages := s.takeStates(); len(messages) > 0 {
			return messages, nil
		}
		s.arm(now)
		s.rested = true
	}
}

// wait returns when there may be something to do. Whatever it is was there before the
// wake-up that tells of it, so that nothing is missed between a look and the wait.
func (s *Subscription) wait(ctx context.Context) {
	if ctx.Done() == nil {
		<-s.wake // costs half of what choosing does
		return
	}
	select {
	case <-ctx.Done():
	case <-s.wake:
	}
}

// arm sets the timer to when there is something to do even if nothing happens.
func (s *Subscription) arm(now time.Time) {
	until := s.beat
	if again := s.questions.notBefore; !s.questions.open && again.After(now) && again.Before(until) {
		until = again
	}
	if until != s.armed {
		s.armed = until
		s.timer.Reset(until.Sub(now))
	}
}

func (s *Subscription) takeOrders() {
	select {
	case a := <-s.questions.answers:
		s.hear(a)
	default:
	}
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

// heartbeat says up to where everything was sent, what is handed out before it included.
// While nothing is certain, after a reset, that is position 0 of the epoch.
func (s *Subscription) heartbeat(now time.Time) Message {
	s.beat = now.Add(HeartbeatEvery)
	return Message{Data: control("heartbeat", wire.StreamPosition{Epoch: s.epoch, Position: s.next}, now)}
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
