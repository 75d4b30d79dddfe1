package pglive

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"dozor/internal/live"
)

const (
	// pollInterval is how long a frame can stay unseen when its hint was lost.
	pollInterval = 500 * time.Millisecond
	// mailboxSize bounds the frames handed over in memory; who is slower than that
	// reads them from the outbox.
	mailboxSize = 4096
	// readTimeout bounds one reading, so that a connection that hangs is left.
	readTimeout = 3 * time.Second
)

// Publish implements live.Fanout. The frames are in the outbox already, where every
// subscriber finds them within pollInterval, so that nothing can fail here.
func (s *Store) Publish(_ context.Context, frames []live.Frame) error {
	if len(frames) == 0 {
		return nil
	}
	s.mu.Lock()
	for sub := range s.subscribers {
		if !sub.offer(frames) {
			s.stats.overflows.Add(1)
		}
	}
	s.mu.Unlock()
	s.hints.Hint(Channel)
	return nil
}

// Subscribe implements live.Fanout. The subscription ends with ctx; deliver is not
// called any more once Wait has returned.
func (s *Store) Subscribe(ctx context.Context, deliver func([]live.Frame)) error {
	sub := &subscriber{store: s, deliver: deliver, arrived: make(chan struct{}, 1)}
	wake, stop := s.hints.Subscribe(Channel)
	s.mu.Lock()
	s.subscribers[sub] = struct{}{}
	s.mu.Unlock()
	leave := func() {
		stop()
		s.mu.Lock()
		delete(s.subscribers, sub)
		s.mu.Unlock()
	}
	// All up to published went out before; what comes is after it, or comes again. ctx is
	// the subscription's life, which is no limit for a question.
	within, cancel := context.WithTimeout(ctx, readTimeout)
	h, err := s.head(within)
	cancel()
	if err != nil {
		leave()
		return fmt.Errorf("subscribe to the stream: %w", err)
	}
	sub.epoch, sub.position = h.epoch, h.published
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		defer leave()
		sub.run(ctx, wake)
	}()
	return nil
}

// Wait returns when every subscription, whose contexts must have ended, has too.
func (s *Store) Wait() { s.running.Wait() }

// subscriber follows the stream. epoch and position belong to its goroutine: every
// frame up to them was delivered or is none of its business.
type subscriber struct {
	store           *Store
	deliver         func([]live.Frame)
	epoch, position int64
	failing         bool

	mu       sync.Mutex
	mailbox  []live.Frame
	overflow bool
	arrived  chan struct{} // capacity 1: the mailbox was filled
}

// offer hands frames over; false says that there is no room, so that the subscriber
// reads them.
func (sub *subscriber) offer(frames []live.Frame) bool {
	sub.mu.Lock()
	fits := len(sub.mailbox)+len(frames) <= mailboxSize
	if fits {
		sub.mailbox = append(sub.mailbox, frames...)
	} else {
		sub.mailbox, sub.overflow = nil, true
	}
	sub.mu.Unlock()
	select {
	case sub.arrived <- struct{}{}:
	default:
	}
	return fits
}

func (sub *subscriber) empty() (frames []live.Frame, overflow bool) {
	sub.mu.Lock()
	defer sub.mu.Unlock()
	frames, overflow = sub.mailbox, sub.overflow
	sub.mailbox, sub.overflow = nil, false
	return frames, overflow
}

func (sub *subscriber) run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		look := true
		select {
		case <-ctx.Done():
			return
		case <-sub.arrived:
			frames, overflow := sub.empty()
			look = !sub.follow(frames) || overflow
		case <-wake:
		case <-tick.C:
		}
		if look {
			sub.catchUp(ctx)
		}
	}
}

// follow delivers those frames that continue the stream where this subscriber stands,
// and says whether nothing newer was among the others.
func (sub *subscriber) follow(frames []live.Frame) bool {
	next := make([]live.Frame, 0, len(frames))
	position, whole := sub.position, true
	for _, f := range frames {
		switch {
		case f.Epoch < sub.epoch, f.Epoch == sub.epoch && f.Position <= position:
		case f.Epoch == sub.epoch && f.Position == position+1:
			next = append(next, f)
			position++
		default:
			whole = false
		}
	}
	sub.hand(next)
	sub.store.stats.handedOver.Add(int64(len(next)))
	return whole
}

// catchUp delivers from the outbox what has come since. After a change of epoch it
// starts with the first frame of the new one: lower epochs are history.
func (sub *subscriber) catchUp(ctx context.Context) {
	if err := sub.readOn(ctx); err != nil && ctx.Err() == nil {
		sub.store.stats.readErrors.Add(1)
		if !sub.failing {
			sub.store.log.Warn("the stream can't be read, trying on", "position", sub.position, "err", err)
		}
		sub.failing = true
		return
	}
	sub.failing = false
}

func (sub *subscriber) readOn(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, readTimeout)
	h, err := sub.store.head(within)
	cancel()
	if err != nil {
		return err
	}
	if h.epoch > sub.epoch {
		sub.epoch, sub.position = h.epoch, 0
	}
	for {
		within, cancel := context.WithTimeout(ctx, readTimeout)
		frames, err := sub.store.read(within, sub.epoch, sub.position, math.MaxInt64, pageSize)
		cancel()
		if err != nil {
			return err
		}
		sub.hand(frames)
		sub.store.stats.readBack.Add(int64(len(frames)))
		if len(frames) < pageSize {
			return nil
		}
	}
}

func (sub *subscriber) hand(frames []live.Frame) {
	if len(frames) == 0 {
		return
	}
	sub.deliver(frames)
	sub.position = frames[len(frames)-1].Position
}
