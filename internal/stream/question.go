package stream

import (
	"context"
	"sync"
	"time"

	"dozor/internal/wire"
)

// askAgainAfter is the pause after a question that had no answer.
const askAgainAfter = 500 * time.Millisecond

// questions asks stores without holding up the subscription's heartbeats: one at a time,
// and few at once in the whole instance, since after a restart everyone asks. It belongs
// to the goroutine that calls Next.
type questions struct {
	slots   chan struct{} // of the instance
	answers chan answer   // capacity 1: at most one question is open
	heard   func()        // called after each answer
	running sync.WaitGroup
	cancel  context.CancelFunc // of the last one asked

	open      bool
	notBefore time.Time // for the next question
}

// answer is what a question brought: a head, or frames below the ring.
type answer struct {
	generation int64
	head       *wire.StreamPosition
	entries    []*entry
	err        error
}

// ask begins a question unless one is open or it is too early for another.
func (q *questions) ask(generation int64, question func(ctx context.Context) answer) {
	if q.open || time.Now().Before(q.notBefore) {
		return
	}
	q.open = true
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	q.cancel = cancel
	q.running.Go(func() {
		defer cancel()
		var a answer
		select {
		case q.slots <- struct{}{}:
			a = question(ctx)
			<-q.slots
		case <-ctx.Done():
			a.err = ctx.Err()
		}
		a.generation = generation
		q.answers <- a
		q.heard()
	})
}

func (q *questions) pause() { q.notBefore = time.Now().Add(askAgainAfter) }

// stop ends the open question and waits for it; nothing is asked after. Idempotent.
func (q *questions) stop() {
	if q.cancel != nil {
		q.cancel()
	}
	q.running.Wait()
}
