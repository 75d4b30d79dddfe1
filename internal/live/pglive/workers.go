package pglive

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/live"
	"dozor/internal/pg"
)

// One who says nothing any more is of no interest a minute later.
const join = `
WITH said AS (
    INSERT INTO workers (instance, held, load, capacity, known_until) VALUES ($1, $2, $3, $4, dozor_now() + $5::interval)
    ON CONFLICT (instance) DO UPDATE SET held = excluded.held, load = excluded.load, capacity = excluded.capacity, known_until = excluded.known_until
), gone AS (
    DELETE FROM workers WHERE known_until < dozor_now() - interval '1 min' AND instance <> $1
)
SELECT n.panels, coalesce(w.instance, ''), coalesce(w.held, 0), coalesce(w.load, 0), coalesce(w.capacity, 0)
FROM (SELECT count(*) AS panels FROM panels WHERE enabled) n
LEFT JOIN workers w ON w.known_until > dozor_now() AND w.instance <> $1
ORDER BY w.instance`

// Join implements live.Leases.
func (s *Store) Join(ctx context.Context, self live.Worker, ttl time.Duration) (live.Crew, error) {
	return joinWorkers(ctx, s.pool, self, ttl)
}

// Leave implements live.Leases.
func (s *Store) Leave(ctx context.Context, instance string) error {
	return leaveWorkers(ctx, s.pool, instance)
}

// Join says that a worker is there and returns which others are: whatever store grants
// leases, nobody is granted one without PostgreSQL, so who may be is known here.
func (l *Ledger) Join(ctx context.Context, self live.Worker, ttl time.Duration) (live.Crew, error) {
	return joinWorkers(ctx, l.pool, self, ttl)
}

// Leave says that a worker is not there any more.
func (l *Ledger) Leave(ctx context.Context, instance string) error {
	return leaveWorkers(ctx, l.pool, instance)
}

func joinWorkers(ctx context.Context, pool *pg.Pool, self live.Worker, ttl time.Duration) (live.Crew, error) {
	var crew live.Crew
	if err := checkHolder(self.Instance, ttl); err != nil {
		return crew, err
	}
	rows, err := pool.Query(ctx, join, self.Instance, self.Held, self.Load, self.Capacity, ttl)
	if err != nil {
		return crew, fmt.Errorf("say that a worker is there: %w", err)
	}
	var w live.Worker
	if _, err := pgx.ForEachRow(rows, []any{&crew.Panels, &w.Instance, &w.Held, &w.Load, &w.Capacity}, func() error {
		if w.Instance != "" {
			crew.Others = append(crew.Others, w)
		}
		return nil
	}); err != nil {
		return crew, fmt.Errorf("say that a worker is there: %w", err)
	}
	return crew, nil
}

func leaveWorkers(ctx context.Context, pool *pg.Pool, instance string) error {
	if _, err := pool.Exec(ctx, "DELETE FROM workers WHERE instance = $1", instance); err != nil {
		return fmt.Errorf("say that a worker is gone: %w", err)
	}
	return nil
}
