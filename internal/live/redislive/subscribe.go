package redislive

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"dozor/internal/live"
)

const (
	// beatEvery is how long a channel may be quiet before a subscriber says something.
	beatEvery = 500 * time.Millisecond
	// silenceMax is how long a subscription may be silent before it is made anew: three
	// heartbeats did not come, so that the server hangs, or is another one by now.
	silenceMax = 3 * beatEvery
	// beat is a heartbeat; publications begin with a digit.
	beat = "~"
	// subscribePause is how long to wait between attempts to make a subscription anew.
	subscribePause = 100 * time.Millisecond
)

// Subscribe implements live.Fanout. The subscription ends with ctx; deliver is not called
// any more once Wait has returned. A subscription that breaks is made anew, and what the
// buffer has from meanwhile is delivered first.
func (s *Store) Subscribe(ctx context.Context, deliver func([]live.Frame)) error {
	sub := &subscription{store: s, deliver: deliver}
	heard, err := s.listen(ctx)
	if err != nil {
		return fmt.Errorf("subscribe to the stream: %w", err)
	}
	// What the buffer holds now was published before.
	if sub.epoch, sub.position, err = s.top(ctx); err != nil {
		_ = heard.Close()
		return fmt.Errorf("subscribe to the stream: %w", err)
	}
	s.running.Go(func() { sub.run(ctx, heard) })
	return nil
}

// listen makes a subscription and returns when the server has confirmed it.
func (s *Store) listen(ctx context.Context) (*redis.PubSub, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	heard := s.client.Subscribe(ctx)
	if err := heard.Subscribe(ctx, channel); err != nil {
		_ = heard.Close()
		return nil, err
	}
	if _, err := heard.ReceiveTimeout(ctx, operationLimit); err != nil {
		_ = heard.Close()
		return nil, err
	}
	return heard, nil
}

// subscription follows the channel. What is in it belongs to its goroutine: epoch and
// position are the highest that was delivered.
type subscription struct {
	store           *Store
	deliver         func([]live.Frame)
	epoch, position int64
	lost            bool // it is told in the log that nothing is heard
}

func (sub *subscription) run(ctx context.Context, heard *redis.PubSub) {
	for {
		err := sub.hear(ctx, heard)
		if ctx.Err() != nil {
			return
		}
		pause := subscribePause
		if !sub.lost {
			sub.lost, pause = true, 0
			sub.store.log.Warn("the fan-out is not heard any more: subscribing anew", "position", sub.position, "reason", Reason(err), "err", err)
		}
		if heard = sub.again(ctx, pause); heard == nil {
			return
		}
		sub.store.stats.resubscribed.Add(1)
	}
}

// found is called with everything that is heard: a subscription that stands says nothing
// yet of what comes through it.
func (sub *subscription) found() {
	if sub.lost {
		sub.lost = false
		sub.store.log.Info("the fan-out is heard again", "position", sub.position)
	}
}

// again makes the subscription anew, however long it takes, and delivers what the buffer
// has from meanwhile; nil when ctx has ended.
func (sub *subscription) again(ctx context.Context, first time.Duration) *redis.PubSub {
	pause := time.NewTimer(first)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		heard, err := sub.store.listen(ctx)
		if err == nil {
			if err = sub.catchUp(ctx); err == nil {
				return heard
			}
			_ = heard.Close()
		}
		pause.Reset(subscribePause)
	}
}

// hear delivers what comes until the subscription is broken, silent, or ctx ends.
func (sub *subscription) hear(ctx context.Context, heard *redis.PubSub) error {
	ctx, stop := context.WithCancel(ctx)
	var last atomic.Int64 // when something was heard, in nanoseconds
	last.Store(time.Now().UnixNano())
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		sub.beat(ctx, &last)
	}()
	// Nothing but the end of the connection ends a read.
	hangUp := context.AfterFunc(ctx, func() { _ = heard.Close() })
	sub.store.listening.Add(1)
	defer func() {
		sub.store.listening.Add(-1)
		if hangUp() {
			_ = heard.Close()
		}
		stop()
		<-beating
	}()
	for {
		m, err := heard.ReceiveTimeout(ctx, silenceMax)
		if err != nil {
			return err
		}
		message, ok := m.(*redis.Message)
		if !ok {
			continue
		}
		last.Store(time.Now().UnixNano())
		sub.found()
		if message.Payload != beat {
			sub.take(message.Payload)
		}
	}
}

// beat says something on the channel whenever it has been quiet: through the connections
// that lead to the present primary, so that a subscription to a former one finds out.
func (sub *subscription) beat(ctx context.Context, last *atomic.Int64) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if now.UnixNano()-last.Load() < int64(beatEvery)/2 {
				continue
			}
			within, cancel := context.WithTimeout(ctx, operationLimit)
			// An error shows as silence.
			_ = sub.store.client.Publish(within, channel, beat).Err()
			cancel()
		}
	}
}

// take delivers a publication.
func (sub *subscription) take(payload string) {
	frames, err := decodeMessage([]byte(payload))
	if err != nil {
		// A hole, which receivers find.
		sub.store.stats.unreadable.Add(1)
		return
	}
	sub.store.stats.delivered.Add(sub.hand(frames))
}

// hand delivers frames of the epoch that this subscription is in, or of a higher one, and
// returns how many.
func (sub *subscription) hand(frames []live.Frame) int64 {
	current := frames[:0]
	for _, f := range frames {
		switch {
		case f.Epoch < sub.epoch:
			continue
		case f.Epoch > sub.epoch:
			sub.epoch, sub.position = f.Epoch, f.Position
		default:
			sub.position = max(sub.position, f.Position)
		}
		current = append(current, f)
	}
	if len(current) > 0 {
		sub.deliver(current)
	}
	return int64(len(current))
}

// catchUp delivers what the buffer has behind the last position delivered; of a new epoch
// everything.
func (sub *subscription) catchUp(ctx context.Context) error {
	epoch, _, err := sub.store.top(ctx)
	if err != nil {
		return err
	}
	if epoch < sub.epoch {
		return nil
	}
	if epoch > sub.epoch {
		sub.epoch, sub.position = epoch, 0
	}
	for {
		before := sub.position
		frames, err := sub.store.buffered(ctx, before, "+inf", framesAtOnce)
		if err != nil {
			return err
		}
		sub.store.stats.caughtUp.Add(sub.hand(frames))
		if len(frames) < framesAtOnce || sub.position == before {
			return nil
		}
	}
}
