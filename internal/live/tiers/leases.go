package tiers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
)

// margin is waited besides a time to live after the right to grant has moved: for a
// renewal that was under way in the old store.
const margin = 3 * time.Second

// Acquire implements live.Leases.
func (s *Store) Acquire(ctx context.Context, holder string, max int, except []ids.PanelID, ttl time.Duration) ([]live.Lease, error) {
	m, err := s.settle(ctx, ttl)
	if err != nil {
		return nil, err
	}
	if m.Granter == pglive.Postgres {
		return s.postgres.Acquire(ctx, holder, max, except, ttl)
	}
	leases, err := s.redis.Acquire(ctx, holder, max, except, ttl)
	s.told(ctx, err)
	if err == nil || s.uses() {
		return leases, err
	}
	if err := s.leave(ctx, ttl, err); err != nil {
		return nil, err
	}
	return s.postgres.Acquire(ctx, holder, max, except, ttl)
}

// Renew implements live.Leases. While PostgreSQL can't say which store grants it is the
// last one known of: nobody can move the right meanwhile.
func (s *Store) Renew(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	m, err := s.settle(ctx, ttl)
	if err != nil {
		known := s.mandate.Load()
		if known == nil || known.Granter != pglive.Redis || !s.uses() {
			return nil, err
		}
		m = *known
	}
	if m.Granter == pglive.Postgres {
		return s.postgres.Renew(ctx, holder, held, ttl)
	}
	leases, err := s.redis.Renew(ctx, holder, held, ttl)
	s.told(ctx, err)
	if err == nil || s.uses() {
		return leases, err
	}
	if err := s.leave(ctx, ttl, err); err != nil {
		return nil, err
	}
	return s.postgres.Renew(ctx, holder, held, ttl)
}

// leave moves the right to grant to PostgreSQL when a failure of Redis was one too many:
// now, not a round later.
func (s *Store) leave(ctx context.Context, ttl time.Duration, failure error) error {
	m, err := s.settle(ctx, ttl)
	if err != nil || m.Granter != pglive.Postgres {
		return errors.Join(failure, err)
	}
	return nil
}

// settle reads which store grants leases, and moves the right where it should not stay:
// away from a Redis that this process can't use, and back to it after a while.
func (s *Store) settle(ctx context.Context, ttl time.Duration) (pglive.Mandate, error) {
	m, err := s.authority.Mandate(ctx)
	if err != nil {
		return m, err
	}
	switch {
	case !s.uses():
		if err := s.authority.Complain(ctx); err != nil {
			return m, err
		}
		if m.Granter == pglive.Redis {
			m, err = s.move(ctx, m, pglive.Postgres, ttl)
		}
	case m.Granter == pglive.Postgres:
		m, err = s.move(ctx, m, pglive.Redis, ttl)
	}
	if err != nil {
		return m, err
	}
	s.mandate.Store(&m)
	return m, nil
}

func (s *Store) move(ctx context.Context, from pglive.Mandate, to pglive.Granter, ttl time.Duration) (pglive.Mandate, error) {
	now, err := s.authority.Move(ctx, from, to, ttl+margin)
	if err != nil {
		return from, err
	}
	if now.Epoch != from.Epoch {
		s.log.Info("leases are granted by another store", "store", string(now.Granter), "epoch", now.Epoch)
	}
	if now.Granter == pglive.Redis && !s.uses() {
		return now, fmt.Errorf("leases: %s grants them, which this process can't use", now.Granter)
	}
	return now, nil
}

// Release implements live.Leases.
func (s *Store) Release(ctx context.Context, holder string, held []live.Lease) error {
	if !s.uses() {
		return s.postgres.Release(ctx, holder, held)
	}
	// It gives them back in PostgreSQL's rows too, whichever store grants.
	err := s.redis.Release(ctx, holder, held)
	if err != nil {
		return fmt.Errorf("give leases back: %w", err)
	}
	return nil
}

// Fences implements live.Leases. They are PostgreSQL's in any case.
func (s *Store) Fences(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]int64, error) {
	return s.postgres.Fences(ctx, panels)
}

// Join implements live.Leases. Who may be granted panels is known where fences are.
func (s *Store) Join(ctx context.Context, self live.Worker, ttl time.Duration) (live.Crew, error) {
	return s.postgres.Join(ctx, self, ttl)
}

// Leave implements live.Leases.
func (s *Store) Leave(ctx context.Context, instance string) error {
	return s.postgres.Leave(ctx, instance)
}
