package bustest

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

// slowConsumerSlowsNobody: one that stands still with what it holds keeps nobody from
// publishing nor from the other lane, and all of it comes to others as soon as it ends.
func slowConsumerSlowsNobody(s *scene) {
	slow, quick := s.process(), s.process()
	msgs, backfill := s.messages(bus.Live, 300), s.messages(bus.Backfill, 100)
	in, stuck := s.inbox(msgs...), s.consume(slow, bus.Live)
	s.publish(quick, msgs[:10])
	held := s.await(stuck, 1)
	other := s.consume(quick, bus.Live)
	s.publish(quick, msgs[10:])
	s.publish(quick, backfill)
	others, c := s.inbox(backfill...), s.consume(quick, bus.Backfill)
	others.collect(quick, c)
	others.finish(quick, c, bus.Backfill)
	if s.good() {
		require.NoError(s.t, held.Ack(s.ctx, tagsOf(held.Deliveries())...), "it is still its own")
		in.note(held.Deliveries()[0].Key)
	} else {
		s.weather.fault(slow.Way)
	}
	require.NoError(s.t, stuck.Close())
	slow.Way.Heal()
	in.collect(quick, other)
	in.finish(quick, other, bus.Live)
}

// eachStepMayBreak breaks the way right before one step after the other and heals it
// behind: whatever the step answered, nothing is lost by it.
func eachStepMayBreak(s *scene) {
	s.repeats = true
	p := s.process()
	msgs := s.messages(bus.Live, 60)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	in.take(s.awaitOf(p, c, msgs[:1])) // all connections stand
	broken := func(step func(ctx context.Context)) {
		ctx, cancel := context.WithTimeout(s.ctx, trouble)
		defer cancel()
		if s.good() {
			step(s.ctx)
			return
		}
		s.weather.fault(p.Way)
		step(ctx)
		p.Way.Heal()
	}
	for n, step := range []string{"publish", "receive", "ack", "later", "dead", "close"} {
		part := msgs[10*n : 10*n+10]
		if step == "publish" {
			broken(func(ctx context.Context) { p.Bus.Publish(ctx, part) })
		}
		s.publish(p, part)
		if step == "receive" {
			broken(func(ctx context.Context) {
				if b, err := c.Receive(ctx, 10); err == nil {
					in.take(b)
				}
			})
			continue
		}
		b := s.receive(c, 5, patience)
		require.NotNil(s.t, b, "nothing came before %s", step)
		tags := tagsOf(b.Deliveries())
		var err error
		switch step {
		case "ack":
			broken(func(ctx context.Context) { err = b.Ack(ctx, tags...) })
		case "later":
			broken(func(ctx context.Context) { err = b.Later(ctx, time.Millisecond, tags...) })
		case "dead":
			broken(func(ctx context.Context) { err = b.Dead(ctx, reason, tags...) })
		case "close":
			broken(func(context.Context) { err = c.Close() })
			require.NoError(s.t, err)
			c = s.consume(p, bus.Live)
		}
		if s.good() {
			require.NoError(s.t, err)
		}
		switch {
		case err == nil && (step == "ack" || step == "dead"):
			for _, d := range b.Deliveries() {
				in.note(d.Key)
			}
		case step != "later" && step != "close":
			// Still this consumer's, if its session outlived the trouble.
			s.settled(b.Later(s.ctx, time.Millisecond, tags...))
		}
	}
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

// awaitOf publishes messages and gets the first batch of them.
func (s *scene) awaitOf(p Process, c bus.Consumer, msgs []bus.Message) bus.Batch {
	s.publish(p, msgs)
	return s.await(c, len(msgs))
}
