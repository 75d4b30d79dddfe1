package hedge

import (
	"context"
	"time"

	"dozor/internal/bus"
)

// Publish is of the port. A message is Confirmed as soon as either bus has confirmed it.
func (b *Publisher) Publish(ctx context.Context, msgs []bus.Message) []bus.Outcome {
	outcomes := make([]bus.Outcome, len(msgs))
	var first, second []int
	if b.breaker.Closed() {
		first, second = b.ways.split(msgs, time.Now())
	} else {
		second = all(len(msgs))
	}
	if len(first) == 0 {
		b.catch(ctx, msgs, second, outcomes)
		return outcomes
	}

	// What comes after the hedge is of no use: the way over the first bus ends with this call.
	firstCtx, cancel := context.WithCancel(ctx)
	answered := make(chan []bus.Outcome, 1)
	go func() { answered <- b.first.Publish(firstCtx, pick(msgs, first)) }()
	defer func() {
		cancel()
		if answered != nil {
			<-answered
		}
	}()

	// Those that go the second way anyway do not wait for the first, nor may they, on a
	// second bus that is slow, put off the hedge of the others.
	hedge := time.NewTimer(b.hedge)
	defer hedge.Stop()
	b.catch(ctx, msgs, second, outcomes)
	got, inTime := await(answered, hedge.C)
	if inTime {
		answered = nil
		b.catch(ctx, msgs, b.judge(ctx, first, got, outcomes), outcomes)
		return outcomes
	}
	b.breaker.Failed(errSlow)
	b.catch(ctx, msgs, first, outcomes)
	if unknown(outcomes, first) {
		// Neither has said yes: then the first may still do, as long as there is time.
		got := <-answered
		answered = nil
		b.judge(ctx, first, got, outcomes)
	}
	return outcomes
}

// await waits for an answer until too late; one that is there by then counts.
func await(answered <-chan []bus.Outcome, tooLate <-chan time.Time) (got []bus.Outcome, inTime bool) {
	select {
	case got = <-answered:
		return got, true
	case <-tooLate:
	}
	select {
	case got = <-answered:
		return got, true
	default:
		return nil, false
	}
}

// judge takes over what the first bus answered, and returns those that need the second.
func (b *Publisher) judge(ctx context.Context, sent []int, got, outcomes []bus.Outcome) []int {
	var left []int
	for i, at := range sent {
		if outcomes[at] != bus.Confirmed {
			outcomes[at] = got[i]
		}
		if outcomes[at] == bus.Unknown {
			left = append(left, at)
		}
	}
	switch {
	case len(left) == 0:
		b.breaker.Succeeded()
	case ctx.Err() == nil:
		b.breaker.Failed(errUncertain)
	}
	return left
}

// catch sends messages over the second bus.
func (b *Publisher) catch(ctx context.Context, msgs []bus.Message, which []int, outcomes []bus.Outcome) {
	if len(which) == 0 || ctx.Err() != nil {
		return
	}
	picked := pick(msgs, which)
	b.ways.went(picked, secondWay, time.Now())
	for i, outcome := range b.second.Publish(ctx, picked) {
		outcomes[which[i]] = outcome
	}
}

func pick(msgs []bus.Message, which []int) []bus.Message {
	if len(which) == len(msgs) {
		return msgs
	}
	out := make([]bus.Message, len(which))
	for i, at := range which {
		out[i] = msgs[at]
	}
	return out
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func unknown(outcomes []bus.Outcome, which []int) bool {
	for _, at := range which {
		if outcomes[at] == bus.Unknown {
			return true
		}
	}
	return false
}
