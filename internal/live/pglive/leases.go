package pglive

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
)

// The panel's row is what askers lock, because a panel that was never held has no row
// among the leases; SKIP LOCKED keeps them from waiting for each other. Whether the
// panel is free is judged once more by the lease's own newest row, in the condition of
// the update: another may have taken it after this statement's snapshot.
//
// Nothing is granted while another store has the right to. For a while after it moved here
// only what was given back is: of the rest a holder may have renewed there without these
// rows.
const acquire = `
WITH clock AS MATERIALIZED (SELECT dozor_now() AS now),
mandate AS MATERIALIZED (
    SELECT grant_after <= dozor_now() AS waited FROM lease_authority WHERE store = 'postgres' FOR SHARE
), free AS MATERIALIZED (
    SELECT p.id FROM mandate CROSS JOIN panels p LEFT JOIN leases l ON l.panel_id = p.id
    WHERE p.enabled AND p.id <> ALL ($3::bigint[]) AND (l.panel_id IS NULL OR l.expires_at <= (SELECT now FROM clock))
        AND (mandate.waited OR l.holder = '')
    ORDER BY l.expires_at NULLS FIRST, p.id
    LIMIT $2
    FOR NO KEY UPDATE OF p SKIP LOCKED
)
INSERT INTO leases AS l (panel_id, holder, fence, expires_at)
SELECT id, $1, dozor_now_ms(), dozor_now() + $4::interval FROM free ORDER BY id
ON CONFLICT (panel_id) DO UPDATE SET
    holder = excluded.holder, fence = greatest(l.fence + 1, excluded.fence), expires_at = excluded.expires_at
WHERE l.expires_at <= dozor_now()
RETURNING l.panel_id, l.fence, (SELECT dozor_timeline())`

// Acquire implements live.Leases.
func (s *Store) Acquire(ctx context.Context, holder string, max int, except []ids.PanelID, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	if max <= 0 {
		return nil, nil
	}
	until := time.Now().Add(ttl)
	rows, err := s.pool.Query(ctx, acquire, holder, max, int64s(except), ttl)
	if err != nil {
		return nil, fmt.Errorf("acquire leases: %w", err)
	}
	leases, err := collectLeases(rows, until)
	if err != nil {
		return nil, fmt.Errorf("acquire leases: %w", err)
	}
	return leases, nil
}

// A lease that lapsed but was taken by nobody may be renewed: its fence is still the
// highest, so nothing happened in between. One of a panel that was disabled may not.
const renew = `
WITH mine AS MATERIALIZED (
    SELECT l.panel_id FROM leases l
    JOIN panels p ON p.id = l.panel_id AND p.enabled
    JOIN unnest($2::bigint[], $3::bigint[]) AS h (panel_id, fence) ON l.panel_id = h.panel_id AND l.fence = h.fence
    WHERE l.holder = $1
    ORDER BY l.panel_id FOR NO KEY UPDATE OF l
)
UPDATE leases l SET expires_at = dozor_now() + $4::interval
FROM mine WHERE l.panel_id = mine.panel_id
RETURNING l.panel_id, l.fence, (SELECT dozor_timeline())`

// Renew implements live.Leases.
func (s *Store) Renew(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, nil
	}
	panels, fences := terms(held)
	until := time.Now().Add(ttl)
	rows, err := s.pool.Query(ctx, renew, holder, panels, fences, ttl)
	if err != nil {
		return nil, fmt.Errorf("renew %d leases: %w", len(held), err)
	}
	leases, err := collectLeases(rows, until)
	if err != nil {
		return nil, fmt.Errorf("renew %d leases: %w", len(held), err)
	}
	return leases, nil
}

// The row stays, for its fence; without a holder, so that nobody can renew it.
const release = `
WITH mine AS MATERIALIZED (
    SELECT l.panel_id FROM leases l
    JOIN unnest($2::bigint[], $3::bigint[]) AS h (panel_id, fence) ON l.panel_id = h.panel_id AND l.fence = h.fence
    WHERE l.holder = $1
    ORDER BY l.panel_id FOR NO KEY UPDATE OF l
)
UPDATE leases l SET holder = '', expires_at = least(l.expires_at, dozor_now())
FROM mine WHERE l.panel_id = mine.panel_id`

// Release implements live.Leases.
func (s *Store) Release(ctx context.Context, holder string, held []live.Lease) error {
	return releaseRows(ctx, s.pool, holder, held)
}

func releaseRows(ctx context.Context, pool *pg.Pool, holder string, held []live.Lease) error {
	if len(held) == 0 {
		return nil
	}
	panels, fences := terms(held)
	if _, err := pool.Exec(ctx, release, holder, panels, fences); err != nil {
		return fmt.Errorf("release %d leases: %w", len(held), err)
	}
	return nil
}

// Fences implements live.Leases.
func (s *Store) Fences(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]int64, error) {
	return readFences(ctx, s.pool, panels)
}

func readFences(ctx context.Context, pool *pg.Pool, panels []ids.PanelID) (map[ids.PanelID]int64, error) {
	rows, err := pool.Query(ctx, "SELECT panel_id, fence FROM leases WHERE panel_id = ANY($1::bigint[])", int64s(panels))
	if err != nil {
		return nil, fmt.Errorf("read fences: %w", err)
	}
	fences := make(map[ids.PanelID]int64, len(panels))
	var panel, fence int64
	if _, err := pgx.ForEachRow(rows, []any{&panel, &fence}, func() error {
		fences[ids.PanelID(panel)] = fence
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read fences: %w", err)
	}
	return fences, nil
}

func checkHolder(holder string, ttl time.Duration) error {
	if holder == "" || ttl <= 0 {
		return fmt.Errorf("leases: want a holder's name and a positive time to live, not %q and %v", holder, ttl)
	}
	return nil
}

func terms(held []live.Lease) (panels, fences []int64) {
	for _, l := range held {
		panels, fences = append(panels, int64(l.PanelID)), append(fences, l.Fence)
	}
	return panels, fences
}

func collectLeases(rows pgx.Rows, until time.Time) ([]live.Lease, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (live.Lease, error) {
		l := live.Lease{Until: until}
		err := row.Scan((*int64)(&l.PanelID), &l.Fence, &l.Timeline)
		return l, err
	})
}
