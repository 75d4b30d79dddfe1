package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dozor/internal/bus"
)

// publishTimeout bounds one publication. Past it the outcome is unknown: the key will
// be found in PostgreSQL, or the message goes out again.
const publishTimeout = 5 * time.Second

// maxBatch bounds the messages of one publication.
const maxBatch = 500

// sender hands messages of all panels to the bus, each lane from its own goroutine, so
// that sessions never wait for it. What waits is bounded by the records that the worker
// may hold unsettled; a message sent again while it still waits is not queued twice.
type sender struct {
	bus bus.Publisher
	log *slog.Logger

	mu     sync.Mutex
	queues map[bus.Lane]*sendQueue
}

type sendQueue struct {
	waiting []bus.Message
	queued  map[bus.Key]bool
	wake    chan struct{} // capacity 1
}

func newSender(b bus.Publisher, log *slog.Logger) *sender {
	s := &sender{bus: b, log: log, queues: map[bus.Lane]*sendQueue{}}
	for _, lane := range bus.Lanes {
		s.queues[lane] = &sendQueue{queued: map[bus.Key]bool{}, wake: make(chan struct{}, 1)}
	}
	return s
}

func (s *sender) send(msgs []bus.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range msgs {
		q := s.queues[m.Lane]
		if q.queued[m.Key] {
			continue
		}
		q.queued[m.Key] = true
		q.waiting = append(q.waiting, m)
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// run publishes one lane until ctx ends.
func (s *sender) run(ctx context.Context, lane bus.Lane) {
	q := s.queues[lane]
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		}
		for batch := s.take(q); len(batch) > 0; batch = s.take(q) {
			lost := s.publish(ctx, batch)
			if (lost > 0) != failing && ctx.Err() == nil {
				failing = lost > 0
				if failing {
					s.log.Warn("the bus does not confirm; messages go out again", "lane", lane, "unconfirmed", lost)
				} else {
					s.log.Info("the bus confirms again", "lane", lane)
				}
			}
		}
	}
}

func (s *sender) take(q *sendQueue) []bus.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(q.waiting), maxBatch)
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	for _, m := range batch {
		delete(q.queued, m.Key)
	}
	return batch
}

func (s *sender) publish(ctx context.Context, batch []bus.Message) (unconfirmed int) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	for i, outcome := range s.bus.Publish(ctx, batch) {
		switch outcome {
		case bus.Confirmed:
		case bus.Refused:
			// No later try can succeed: somebody must look at it.
			s.log.Error("the bus refuses a message", "lane", batch[i].Lane, "topic", batch[i].Topic)
			unconfirmed++
		case bus.Unknown:
			unconfirmed++
		}
	}
	return unconfirmed
}
