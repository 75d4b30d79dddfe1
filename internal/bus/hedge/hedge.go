package hedge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/internal/bus"
	"dozor/internal/resilience"
)

// DefaultHedge is how long a confirm may take before the same message goes out over the
// second bus.
const DefaultHedge = 300 * time.Millisecond

var (
	errSlow      = errors.New("no confirm in time")
	errUncertain = errors.New("not confirmed")
)

// Bus is what is used of a bus here.
type Bus interface {
	bus.Publisher
	Depth(ctx context.Context, lane bus.Lane) (int64, error)
	Oldest(ctx context.Context, lane bus.Lane) (time.Duration, error)
}

// Config of a publisher.
type Config struct {
	// First carries the load while its breaker is closed.
	First Bus
	// Second catches the rest.
	Second  Bus
	Breaker *resilience.Breaker
	// Hedge is DefaultHedge when zero.
	Hedge time.Duration
}

// Publisher is two buses as one for who publishes.
type Publisher struct {
	first, second Bus
	breaker       *resilience.Breaker
	hedge         time.Duration
	ways          *ways
}

var _ bus.Publisher = (*Publisher)(nil)

// New starts nothing: whoever owns the breaker runs it.
func New(cfg Config) *Publisher {
	if cfg.Hedge == 0 {
		cfg.Hedge = DefaultHedge
	}
	return &Publisher{first: cfg.First, second: cfg.Second, breaker: cfg.Breaker, hedge: cfg.Hedge, ways: newWays()}
}

// askLimit bounds a question to the first bus, so that one that hangs does not keep the
// second one's answer back.
const askLimit = 300 * time.Millisecond

// Depth adds up what both hold. A first bus that is put aside, or does not answer, counts
// nothing: what waits there is not lost, and nobody knows how much it is.
func (b *Publisher) Depth(ctx context.Context, lane bus.Lane) (int64, error) {
	second, err := b.second.Depth(ctx, lane)
	if err != nil {
		return 0, fmt.Errorf("ask the second bus for its depth: %w", err)
	}
	if !b.breaker.Closed() {
		return second, nil
	}
	asking, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	first, err := b.first.Depth(asking, lane)
	if err != nil && ctx.Err() == nil {
		b.breaker.Failed(err)
	}
	if err != nil {
		return second, nil
	}
	return first + second, nil
}

// Oldest is the age of what has waited longest in either. A first bus that is put aside is
// not asked: what could not be settled goes out again over the second.
func (b *Publisher) Oldest(ctx context.Context, lane bus.Lane) (time.Duration, error) {
	second, err := b.second.Oldest(ctx, lane)
	if err != nil {
		return 0, fmt.Errorf("ask the second bus for its oldest message: %w", err)
	}
	if !b.breaker.Closed() {
		return second, nil
	}
	first, err := b.first.Oldest(ctx, lane)
	if err != nil {
		return 0, fmt.Errorf("ask the first bus for its oldest message: %w", err)
	}
	return max(first, second), nil
}
