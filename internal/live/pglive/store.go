package pglive

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"dozor/internal/live"
	"dozor/internal/pg"
)

// Channel is where a hint says that the stream has new frames.
const Channel = "dozor_stream"

// Store is the live port over PostgreSQL. Safe for concurrent use.
type Store struct {
	pool  *pg.Pool
	hints *pg.Hints
	log   *slog.Logger

	mu          sync.Mutex
	subscribers map[*subscriber]struct{}
	running     sync.WaitGroup // subscribers' goroutines

	stats counters
}

var (
	_ live.States = (*Store)(nil)
	_ live.Leases = (*Store)(nil)
	_ live.Fanout = (*Store)(nil)
)

// New makes the store. It starts nothing; hints must run for other processes to hear
// of frames at once.
func New(pool *pg.Pool, hints *pg.Hints, log *slog.Logger) *Store {
	return &Store{pool: pool, hints: hints, log: log.With("component", "pglive"), subscribers: map[*subscriber]struct{}{}}
}

type counters struct {
	handedOver, readBack, overflows, readErrors atomic.Int64
}

// Stats counts since the store was made.
type Stats struct {
	HandedOver int64 // frames delivered from memory, in the process that published
	ReadBack   int64 // frames delivered from the outbox
	Overflows  int64 // subscribers too slow for the memory, sent to the outbox
	ReadErrors int64 // readings of the outbox that failed
}

// Stats returns the counters as they stand.
func (s *Store) Stats() Stats {
	return Stats{
		HandedOver: s.stats.handedOver.Load(), ReadBack: s.stats.readBack.Load(),
		Overflows: s.stats.overflows.Load(), ReadErrors: s.stats.readErrors.Load(),
	}
}
