package pgbus

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"dozor/internal/bus"
	"dozor/internal/pg"
)

// Bus is the bus over PostgreSQL. Safe for concurrent use.
type Bus struct {
	pool   *pg.Pool
	direct *pg.Direct
	hints  *pg.Hints
	log    *slog.Logger
	limits limits

	// Which table of a lane is written, as last heard; wrong is slow, not unsafe.
	writing map[bus.Lane]*atomic.Int32
	stats   counters
}

var _ bus.Bus = (*Bus)(nil)

// New makes the bus. It publishes over pool; consumers keep a session each over
// direct, which they take out of it. It starts nothing; without running hints other
// processes find messages by polling.
func New(pool *pg.Pool, direct *pg.Direct, hints *pg.Hints, log *slog.Logger) *Bus {
	b := &Bus{
		pool: pool, direct: direct, hints: hints, log: log.With("component", "pgbus"),
		limits: defaultLimits, writing: map[bus.Lane]*atomic.Int32{},
	}
	for name := range lanes {
		b.writing[name] = new(atomic.Int32)
	}
	return b
}

// Depth implements bus.Bus. It counts rows above what the active consumer has written
// down as settled, which lags behind by half a second, and by more while a message that
// came early is held: the messages after it count too until it is moved.
func (b *Bus) Depth(ctx context.Context, name bus.Lane) (int64, error) {
	l, ok := lanes[name]
	if !ok {
		return 0, fmt.Errorf("depth of lane %q: no such lane", name)
	}
	var n int64
	if err := b.pool.QueryRow(ctx, l.depth).Scan(&n); err != nil {
		return 0, fmt.Errorf("depth of lane %s: %w", name, err)
	}
	return n, nil
}

// Oldest says how long the oldest unsettled message of a lane has been waiting, 0 when
// none is. Like Depth it follows what is written down, which lags behind by half a second.
func (b *Bus) Oldest(ctx context.Context, name bus.Lane) (time.Duration, error) {
	l, ok := lanes[name]
	if !ok {
		return 0, fmt.Errorf("oldest message of lane %q: no such lane", name)
	}
	var seconds float64
	if err := b.pool.QueryRow(ctx, l.oldest).Scan(&seconds); err != nil {
		return 0, fmt.Errorf("oldest message of lane %s: %w", name, err)
	}
	return max(0, time.Duration(seconds*float64(time.Second))), nil
}

type counters struct {
	confirmed, unknown, refused                             atomic.Int64
	delivered, redelivered, acked, putOff, dead             atomic.Int64
	terms, holes, abandoned, turns, emptied, moved, waiting atomic.Int64
}

// Stats counts since the bus was made.
type Stats struct {
	Confirmed, Unknown, Refused int64 // messages published
	Delivered                   int64 // handed to consumers
	Redelivered                 int64 // of them, not for the first time
	Acked, PutOff, Dead         int64 // settled deliveries, by how
	Terms                       int64 // times that a consumer became the active one
	Holes                       int64 // intervals of ids noticed as missing
	Abandoned                   int64 // of them, given up because nobody can fill them
	Turns, Emptied              int64 // changes of the table that is written; truncations
	Moved                       int64 // messages copied to the end of their queue
	Waiting                     int64 // readings put off because memory was full
}

// Stats returns the counters as they stand.
func (b *Bus) Stats() Stats {
	s := &b.stats
	return Stats{
		Confirmed: s.confirmed.Load(), Unknown: s.unknown.Load(), Refused: s.refused.Load(),
		Delivered: s.delivered.Load(), Redelivered: s.redelivered.Load(),
		Acked: s.acked.Load(), PutOff: s.putOff.Load(), Dead: s.dead.Load(),
		Terms: s.terms.Load(), Holes: s.holes.Load(), Abandoned: s.abandoned.Load(),
		Turns: s.turns.Load(), Emptied: s.emptied.Load(), Moved: s.moved.Load(), Waiting: s.waiting.Load(),
	}
}
