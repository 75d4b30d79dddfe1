package selfwatch

import (
	"context"
	"time"

	"dozor/internal/pg"
)

// askAgain is the pause after a question that failed at once.
const askAgain = 100 * time.Millisecond

// pulse is how the database answers.
type pulse struct {
	missed    int       // slow answers in a row
	firstMiss time.Time // when the first of them was asked for
	slowSince time.Time // zero: it is not slow
	// recovered is the slowSince of one that is over: a row must tell of it, though the
	// database could not take one meanwhile. Whoever has recorded it clears it.
	recovered time.Time
}

// feel asks once.
func (p *pulse) feel(ctx context.Context, pool *pg.Pool) {
	asked := time.Now()
	if Answers(ctx, pool) {
		if !p.slowSince.IsZero() {
			p.recovered = p.slowSince
		}
		p.missed, p.slowSince = 0, time.Time{}
		return
	}
	if ctx.Err() != nil {
		return
	}
	if p.missed++; p.missed == 1 {
		p.firstMiss = asked
	} else {
		p.slowSince = p.firstMiss
	}
}

// Answers reports whether the database answers within SlowAfter. A refusal is asked again
// within that time: a restart of a moment is no fault.
func Answers(ctx context.Context, pool *pg.Pool) bool {
	ctx, cancel := context.WithTimeout(ctx, SlowAfter)
	defer cancel()
	for {
		var one int
		if pool.QueryRow(ctx, "SELECT 1").Scan(&one) == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(askAgain):
		}
	}
}
