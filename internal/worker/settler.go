package worker

import (
	"context"
	"sync"

	"dozor/internal/bus"
)

// settler asks PostgreSQL for all panels of a worker which of the events that they hold are
// stored: while one question is on its way, the keys for the next gather, so that hundreds of
// panels cost as many statements as a few. Safe for concurrent use.
type settler struct {
	present func(ctx context.Context, keys []bus.Key) (map[bus.Key]bool, error)
	wake    chan struct{} // capacity 1

	mu   sync.Mutex
	next *question // nil: nobody waits to ask
}

// question is one statement. The answer is there when done is closed.
type question struct {
	keys  []bus.Key
	done  chan struct{}
	found map[bus.Key]bool
	err   error
}

func newSettler(present func(context.Context, []bus.Key) (map[bus.Key]bool, error)) *settler {
	return &settler{present: present, wake: make(chan struct{}, 1)}
}

// ask says which keys are stored, these at least.
func (s *settler) ask(ctx context.Context, keys []bus.Key) (map[bus.Key]bool, error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &question{done: make(chan struct{})}
	}
	q := s.next
	q.keys = append(q.keys, keys...)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	select {
	case <-q.done:
		return q.found, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run asks until ctx ends.
func (s *settler) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		s.mu.Lock()
		q := s.next
		s.next = nil
		s.mu.Unlock()
		if q == nil {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, storeAttempt)
		q.found, q.err = s.present(bounded, q.keys)
		cancel()
		close(q.done)
	}
}
