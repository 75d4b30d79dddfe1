package tiers

import (
	"context"
	"fmt"
	"time"

	"dozor/internal/live"
	"dozor/internal/live/pglive"
)

const (
	// lookEvery is how long a frame can stay unseen when its hint was lost while Redis is
	// not in use.
	lookEvery = 500 * time.Millisecond
	// listenAgainAfter is the pause between attempts to hear Redis.
	listenAgainAfter = time.Second
	// arrivalsMax is how many publications may wait for a slow subscriber; more are
	// dropped, and read from the outbox.
	arrivalsMax = 64
	// readTime bounds one reading of the outbox.
	readTime = 3 * time.Second
	// readAtOnce is how many frames are read at once.
	readAtOnce = 500
)

// Subscribe implements live.Fanout. It stands once PostgreSQL has said where the stream
// is; Redis is heard from then on, or as soon as it can be.
func (s *Store) Subscribe(ctx context.Context, deliver func([]live.Frame)) error {
	if s.redis == nil {
		return s.postgres.Subscribe(ctx, deliver)
	}
	f := &follower{store: s, deliver: deliver, arrivals: make(chan []live.Frame, arrivalsMax), missed: make(chan struct{}, 1)}
	wake, stop := s.hints.Subscribe(pglive.Channel)
	f.listen(ctx)
	// Asked after both stand: what is published from now on is heard.
	within, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var err error
	if f.epoch, f.position, err = s.postgres.Published(within); err != nil {
		stop()
		return fmt.Errorf("subscribe to the stream: %w", err)
	}
	s.running.Go(func() {
		defer stop()
		f.run(ctx, wake)
	})
	return nil
}

// follower is a subscription. Its fields belong to its goroutine.
type follower struct {
	store    *Store
	deliver  func([]live.Frame)
	arrivals chan []live.Frame
	missed   chan struct{} // capacity 1: arrivals were dropped

	listening bool
	triedAt   time.Time
	// Everything up to here was delivered, or published before the subscription.
	epoch, position int64
	failing         bool
}

// listen hears Redis, if it can.
func (f *follower) listen(ctx context.Context) {
	if f.listening || !f.store.uses() || time.Since(f.triedAt) < listenAgainAfter {
		return
	}
	f.triedAt = time.Now()
	err := f.store.redis.Subscribe(ctx, f.arrive)
	f.store.told(ctx, err)
	f.listening = err == nil
}

// arrive takes a publication from Redis. It never blocks it.
func (f *follower) arrive(frames []live.Frame) {
	select {
	case f.arrivals <- frames:
	default:
		select {
		case f.missed <- struct{}{}:
		default:
		}
	}
}

func (f *follower) run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case frames := <-f.arrivals:
			f.take(ctx, frames)
		case <-wake:
			f.look(ctx)
		case <-f.missed:
			f.look(ctx)
		case <-tick.C:
			// What was said before Redis is heard is looked for once more.
			heard := f.listening && f.store.uses()
			f.listen(ctx)
			if !heard {
				f.look(ctx)
			}
		}
	}
}

// take delivers a publication, and before it what was published between and not heard.
func (f *follower) take(ctx context.Context, frames []live.Frame) {
	first := frames[0]
	if first.Epoch != f.epoch || first.Position > f.position+1 {
		f.look(ctx)
	}
	f.hand(frames)
}

// look delivers what the outbox has behind the last frame delivered.
func (f *follower) look(ctx context.Context) {
	err := f.readOn(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil && !f.failing {
		f.store.log.Warn("the stream can't be read from the outbox, trying on", "position", f.position, "err", err)
	}
	f.failing = err != nil
}

func (f *follower) readOn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	epoch, last, err := f.store.postgres.Head(ctx)
	if err != nil {
		return err
	}
	if epoch > f.epoch {
		f.epoch, f.position = epoch, 0
	}
	for epoch == f.epoch && f.position < last {
		frames, _, err := f.store.postgres.Range(ctx, f.epoch, f.position, last, readAtOnce)
		if err != nil {
			return err
		}
		if len(frames) == 0 {
			f.position = last // they are kept no longer, which the subscriber finds too
			return nil
		}
		f.hand(frames)
	}
	return nil
}

// hand delivers what was not delivered yet. Lower epochs are history.
func (f *follower) hand(frames []live.Frame) {
	next := make([]live.Frame, 0, len(frames))
	for _, frame := range frames {
		switch {
		case frame.Epoch > f.epoch:
			f.epoch, f.position = frame.Epoch, frame.Position
		case frame.Epoch == f.epoch && frame.Position > f.position:
			f.position = frame.Position
		default:
			continue
		}
		next = append(next, frame)
	}
	if len(next) > 0 {
		f.deliver(next)
	}
}
