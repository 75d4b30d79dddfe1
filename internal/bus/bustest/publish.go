package bustest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

func largeBodiesArrive(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Live, 40)
	for i := range msgs {
		msgs[i].Body = bytes.Repeat([]byte{byte(i), 0, 0xFF}, bus.MaxBody)[:bus.MaxBody-i%2]
	}
	msgs[0].Body = nil
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

func impossibleIsRefused(s *scene) {
	p := s.process()
	msgs := s.messages(bus.Live, 6)
	msgs[1].Body = make([]byte, bus.MaxBody+1)
	msgs[3].Key = bus.Key{}
	msgs[5].Lane = "sideways"
	possible := []bus.Message{msgs[0], msgs[2], msgs[4]}
	in, c := s.inbox(possible...), s.consume(p, bus.Live)
	for round, confirmed := 0, false; !confirmed; round++ {
		require.NoError(s.t, s.ctx.Err())
		outcomes := s.publishOnce(p, msgs, !s.good() && round == 0)
		confirmed = true
		for i, o := range outcomes {
			if i%2 == 1 {
				require.Equal(s.t, bus.Refused, o, "message %d can never be accepted", i)
				continue
			}
			require.NotEqual(s.t, bus.Refused, o, "nothing is wrong with message %d", i)
			confirmed = confirmed && o == bus.Confirmed
		}
		if s.good() {
			require.True(s.t, confirmed, "the refused ones don't spoil the others")
		}
	}
	in.collect(p, c)
	in.finish(p, c, bus.Live)
	_, err := p.Bus.Consume(s.ctx, "sideways")
	require.Error(s.t, err)
	_, err = p.Bus.Depth(s.ctx, "sideways")
	require.Error(s.t, err)
}

func neverConfirmedWithoutAnswer(s *scene) {
	s.repeats = true
	p := s.process()
	msgs := s.messages(bus.Live, 10)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs[:1])
	if !s.good() {
		s.weather.fault(p.Way)
		ctx, cancel := context.WithTimeout(s.ctx, trouble)
		outcomes := p.Bus.Publish(ctx, msgs)
		cancel()
		p.Way.Heal()
		require.Len(s.t, outcomes, len(msgs))
		for _, o := range outcomes {
			require.Equal(s.t, bus.Unknown, o)
		}
	}
	s.publish(p, msgs)
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}

func manyPublishersManyConsumers(s *scene) {
	senders := []Process{s.process(), s.process()}
	receivers := []Process{s.process(), s.process()}
	var all []bus.Message
	var parts [][]bus.Message
	for range 2 * len(senders) {
		part := s.messages(bus.Live, 150)
		parts, all = append(parts, part), append(all, part...)
	}
	in := s.inbox(all...)
	ended := make(chan error, 16)
	var running sync.WaitGroup
	for i, part := range parts {
		running.Go(func() { ended <- s.tryPublish(senders[i%len(senders)], part) })
	}
	for i := range 3 {
		p := receivers[i%len(receivers)]
		c := s.consume(p, bus.Live)
		running.Go(func() { ended <- errors.Join(in.tryCollect(p, c), c.Close()) })
	}
	running.Wait()
	close(ended)
	for err := range ended {
		require.NoError(s.t, err)
	}
	in.finish(receivers[0], s.consume(receivers[0], bus.Live), bus.Live)
}

func anotherProcessTakesOver(s *scene) {
	sender := s.process()
	msgs := s.messages(bus.Live, 200)
	in := s.inbox(msgs...)
	s.publish(sender, msgs[:100])
	for n := range 3 {
		p := s.process()
		c := s.consume(p, bus.Live)
		in.take(s.await(c, 20)) // some settled,
		s.await(c, 20)          // some not
		if n == 1 {
			s.publish(sender, msgs[100:])
		}
		p.Kill()
	}
	last := s.process()
	c := s.consume(last, bus.Live)
	started := time.Now()
	in.take(s.await(c, 20))
	s.t.Logf("the first message after a death came after %v", time.Since(started))
	in.collect(last, c)
	in.finish(last, c, bus.Live)
}

func slowConsumerHoldsBack(s *scene) {
	p := s.process()
	window := s.system.Window()
	msgs := s.messages(bus.Live, window+1000)
	in, c := s.inbox(msgs...), s.consume(p, bus.Live)
	s.publish(p, msgs)
	var held []bus.Batch
	n := 0
	for {
		b := s.receive(c, 1000, trouble)
		if b == nil && n >= window/2 {
			break
		}
		require.NoError(s.t, s.ctx.Err(), "only %d messages came for a window of %d", n, window)
		if b != nil {
			held, n = append(held, b), n+len(b.Deliveries())
		}
		if s.good() {
			require.LessOrEqual(s.t, n, window, "more than the window is unsettled")
		}
	}
	for i, b := range held {
		if i == len(held)/2 && !s.good() {
			s.weather.fault(p.Way)
		}
		in.take(b)
	}
	p.Way.Heal()
	in.collect(p, c)
	in.finish(p, c, bus.Live)
}
