package bustest

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

const reason = "nobody can read it: \u017c\u00f3\u0142w"

// bury sets everything wanted aside as dead, some of it while the way is broken, and
// acks nothing.
func (in *inbox) bury(p Process, c bus.Consumer) {
	s := in.s
	for round := 0; in.missing() > 0; round++ {
		require.NoError(s.t, s.ctx.Err(), "%d messages did not come to be set aside", in.missing())
		b := s.receive(c, 5, trouble)
		if b == nil {
			continue
		}
		disturbed := s.disturbs(round)
		var err error
		if disturbed {
			s.weather.fault(p.Way)
			ctx, cancel := context.WithTimeout(s.ctx, trouble)
			err = b.Dead(ctx, reason, tagsOf(b.Deliveries())...)
			cancel()
			p.Way.Heal()
		} else {
			err = b.Dead(s.ctx, reason, tagsOf(b.Deliveries())...)
		}
		if disturbed && err != nil {
			// Still this consumer's, if its session outlived the trouble.
			err = b.Later(s.ctx, time.Millisecond, tagsOf(b.Deliveries())...)
			s.settled(err)
			continue
		}
		if s.settled(err) {
			for _, d := range b.Deliveries() {
				in.note(d.Key)
			}
		}
	}
}

func (in *inbox) requireBuried() {
	for key, m := range in.want {
		letter, found, err := in.s.system.DeadLetter(in.s.ctx, key)
		require.NoError(in.s.t, err)
		require.True(in.s.t, found, "message %x is not among the dead letters", key)
		require.Equal(in.s.t, reason, letter.Reason)
		require.Equal(in.s.t, m.Topic, letter.Message.Topic)
		require.Equal(in.s.t, m.Lane, letter.Message.Lane)
		require.Equal(in.s.t, string(m.Body), string(letter.Message.Body))
	}
}

func deadIsSetAside(s *scene) {
	p := s.process()
	dead, alive := s.messages(bus.Backfill, 12), s.messages(bus.Backfill, 12)
	in, c := s.inbox(dead...), s.consume(p, bus.Backfill)
	s.publish(p, dead)
	in.bury(p, c)
	in.requireBuried()

	s.publish(p, alive)
	after := s.inbox(append(alive, dead...)...) // a Dead that did not count comes again
	for _, m := range dead {
		after.note(m.Key)
	}
	after.collect(p, c)
	after.finish(p, c, bus.Backfill)
	_, found, err := s.system.DeadLetter(s.ctx, alive[0].Key)
	require.NoError(s.t, err)
	require.False(s.t, found, "what was acked is no dead letter")
}

func deadTwiceIsOneLetter(s *scene) {
	s.repeats = true
	p := s.process()
	msgs := s.messages(bus.Live, 3)
	c := s.consume(p, bus.Live)
	for range 2 {
		in := s.inbox(msgs...)
		s.publish(p, append(msgs, msgs...))
		in.bury(p, c)
		in.requireBuried()
	}
	in := s.inbox(msgs...)
	for _, m := range msgs {
		in.note(m.Key)
	}
	in.finish(p, c, bus.Live)
}
