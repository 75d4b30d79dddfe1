package bustest

import (
	"context"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

func confirmedIsDelivered(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Live, 300)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

func publishedWithoutConsumerWaits(s *scene) {
	sender, receiver := s.process(), s.process()
	msgs := s.messages(bus.Live, 50)
	s.publish(sender, msgs)
	sender.Kill()
	depth, err := receiver.Bus.Depth(s.ctx, bus.Live)
	require.NoError(s.t, err)
	require.GreaterOrEqual(s.t, depth, int64(len(msgs)))
	in, c := s.inbox(msgs...), s.consume(receiver, bus.Live)
	in.collect(receiver, c)
	in.finish(receiver, c, bus.Live)
}

func unsettledComesAgainAfterDeath(s *scene) {
	sender, first, second := s.process(), s.process(), s.process()
	msgs := s.messages(bus.Live, 60)
	s.publish(sender, msgs)
	in, dying := s.inbox(msgs...), s.consume(first, bus.Live)
	got := s.await(dying, 40)
	for _, d := range got.Deliveries() {
		in.check(d)
	}
	first.Kill()
	c := s.consume(second, bus.Live)
	in.collect(second, c)
	in.finish(second, c, bus.Live)
}

func unsettledComesAgainAfterClose(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Backfill, 20)
	s.publish(p, msgs)
	first := s.consume(p, bus.Backfill)
	got := s.await(first, len(msgs))
	require.NoError(s.t, first.Close())
	require.ErrorIs(s.t, got.Ack(s.ctx, tagsOf(got.Deliveries())...), bus.ErrReturned, "they are not this consumer's any more")
	in, c := s.inbox(msgs...), s.consume(p, bus.Backfill)
	in.collect(p, c)
	in.finish(p, c, bus.Backfill)
}

func laterComesAgain(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Live, 30)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	const delay = 150 * time.Millisecond
	put := map[bus.Key]time.Time{}
	attempts := map[bus.Key]int{}
	for round := 0; in.missing() > 0; round++ {
		require.NoError(s.t, s.ctx.Err(), "what was put off does not come again")
		b := s.receive(c, 10, trouble)
		if b == nil {
			continue
		}
		var later, ready []uint64
		var done []bus.Key
		now := time.Now()
		for _, d := range b.Deliveries() {
			in.check(d)
			since, was := put[d.Key]
			if !was {
				put[d.Key], attempts[d.Key] = now, d.Attempt
				later = append(later, d.Tag)
				continue
			}
			if s.good() {
				// On a bad way the first settlement may not have counted.
				require.GreaterOrEqual(s.t, now.Sub(since), delay, "came before its time")
				require.Greater(s.t, d.Attempt, attempts[d.Key])
			}
			ready, done = append(ready, d.Tag), append(done, d.Key)
		}
		if len(later) > 0 {
			if s.disturbs(round) {
				s.weather.fault(p.Way)
			}
			s.settled(b.Later(s.ctx, delay, later...))
			p.Way.Heal()
		}
		if s.settled(b.Ack(s.ctx, ready...)) {
			in.note(done...)
		}
	}
	in.finish(p, c, bus.Live)
}

func laterNeverUsesUp(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Live, 1)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	for n := range 40 {
		if n == 20 && !s.good() {
			s.weather.fault(p.Way)
			s.putOffAll(c)
			p.Way.Heal()
		}
		b := s.await(c, 10)
		for _, d := range b.Deliveries() {
			in.check(d)
		}
		s.settled(b.Later(s.ctx, time.Millisecond, tagsOf(b.Deliveries())...))
	}
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

// putOffAll puts off all that comes within a time of trouble.
func (s *scene) putOffAll(c bus.Consumer) {
	for b := s.receive(c, 10, trouble/2); b != nil; b = s.receive(c, 10, trouble/2) {
		s.settled(b.Later(s.ctx, trouble, tagsOf(b.Deliveries())...))
	}
}

func poisonDoesNotBlock(s *scene) {
	p := s.process()
	poison, rest := s.messages(bus.Live, 3), s.messages(bus.Live, 150)
	isPoison := map[bus.Key]bool{}
	for _, m := range poison {
		isPoison[m.Key] = true
	}
	everything := s.inbox(append(poison, rest...)...)
	others, c := s.inbox(rest...), s.consume(p, bus.Live)
	s.publish(p, poison)
	s.publish(p, rest)
	for round := 0; others.missing() > 0; round++ {
		require.NoError(s.t, s.ctx.Err(), "%d messages wait behind a poisonous one", others.missing())
		disturbed := s.disturbs(round)
		if disturbed {
			s.weather.fault(p.Way)
		}
		if b := s.receive(c, 20, trouble); b != nil {
			var bad, good []uint64
			var done []bus.Key
			for _, d := range b.Deliveries() {
				everything.check(d)
				if isPoison[d.Key] {
					bad = append(bad, d.Tag)
				} else {
					good, done = append(good, d.Tag), append(done, d.Key)
				}
			}
			s.settled(b.Later(s.ctx, 0, bad...))
			if s.settled(b.Ack(s.ctx, good...)) {
				others.note(done...)
			}
		}
		p.Way.Heal()
	}
	for _, m := range rest {
		everything.note(m.Key)
	}
	everything.collect(p, c)
	everything.finish(p, c, bus.Live)
}

func duplicatesAreSettled(s *scene) {
	s.repeats = true
	p := s.process()
	msgs := s.messages(bus.Live, 20)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	for range 4 {
		s.publish(p, msgs)
	}
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

func lanesAreIndependent(s *scene) {
	p := s.process()
	stuck := s.consume(p, bus.Backfill)
	s.publish(p, s.messages(bus.Backfill, 40))
	held := s.await(stuck, 100)
	msgs := s.messages(bus.Live, 100)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	in.collect(p, c)
	in.finish(p, c, bus.Live)
	depth, err := p.Bus.Depth(s.ctx, bus.Backfill)
	require.NoError(s.t, err)
	require.GreaterOrEqual(s.t, depth, int64(len(held.Deliveries())), "the other lane was not touched")
}

func receiveEnds(s *scene) {
	p := s.process()
	c := s.consume(p, bus.Live)
	if !s.good() {
		s.weather.fault(p.Way)
		defer p.Way.Heal()
	}
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Receive(ctx, 1)
		ended <- err
	}()
	cancel()
	require.ErrorIs(s.t, <-ended, context.Canceled)

	var waiting sync.WaitGroup
	waiting.Go(func() {
		_, err := c.Receive(s.ctx, 1)
		ended <- err
	})
	require.NoError(s.t, c.Close())
	waiting.Wait()
	require.ErrorIs(s.t, <-ended, bus.ErrClosed)
	require.NoError(s.t, c.Close(), "closing again does nothing")
	_, err := c.Receive(s.ctx, 1)
	require.ErrorIs(s.t, err, bus.ErrClosed)
}
