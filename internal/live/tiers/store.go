package tiers

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/pg"
	"dozor/internal/resilience"
)

// Config of a store. All but Redis and Breaker is required; those two go together.
type Config struct {
	Postgres  *pglive.Store
	Hints     *pg.Hints
	Authority *pglive.Authority
	Redis     *redislive.Store
	Breaker   *resilience.Breaker
	// Reads says that values are read here: Keep compares then.
	Reads bool
	Log   *slog.Logger
}

// Store is the live port. Safe for concurrent use.
type Store struct {
	postgres  *pglive.Store
	hints     *pg.Hints
	authority *pglive.Authority
	redis     *redislive.Store // nil: PostgreSQL alone
	breaker   *resilience.Breaker
	reads     bool
	log       *slog.Logger

	mandate atomic.Pointer[pglive.Mandate] // the last one known
	shaken  chan struct{}                  // capacity 1
	running sync.WaitGroup                 // subscriptions' goroutines

	mu     sync.Mutex
	trust  trust
	doubts int // how often Redis fell out of trust
}

var (
	_ live.States = (*Store)(nil)
	_ live.Leases = (*Store)(nil)
	_ live.Fanout = (*Store)(nil)
)

// New makes the store. The breaker must be run by its owner with the store's Redis as the
// canary, and Keep besides.
func New(cfg Config) *Store {
	return &Store{
		postgres: cfg.Postgres, hints: cfg.Hints, authority: cfg.Authority, redis: cfg.Redis, breaker: cfg.Breaker, reads: cfg.Reads,
		log: cfg.Log.With("component", "live"), shaken: make(chan struct{}, 1),
	}
}

// uses says whether this process uses Redis now.
func (s *Store) uses() bool { return s.redis != nil && s.breaker.Closed() }

// told tells the breaker how a use of Redis went. A caller that gave up says nothing of
// it, nor does a failure of PostgreSQL.
func (s *Store) told(ctx context.Context, err error) {
	switch {
	case err == nil:
		s.breaker.Succeeded()
	case ctx.Err() == nil && !errors.Is(err, redislive.ErrLedger):
		s.breaker.Failed(err)
	}
}

// Shaken gets a value when Redis may have lost leases: holders should renew now, which
// puts them back.
func (s *Store) Shaken() <-chan struct{} { return s.shaken }

// Wait returns when every subscription, whose contexts must have ended, has too.
func (s *Store) Wait() {
	s.running.Wait()
	s.postgres.Wait()
	if s.redis != nil {
		s.redis.Wait()
	}
}
