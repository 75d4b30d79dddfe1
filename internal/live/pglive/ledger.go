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

// Ledger is the part of the leases that only PostgreSQL can keep, for a store that keeps
// the leases themselves elsewhere: which panels there are, the fences, of which none is
// used twice whatever the other store forgets, and the life of the database.
//
// It works on the rows that Store's own leases use: a holder whose lease was granted
// through either may renew it through the other. Who is held, the ledger does not decide:
// expires_at says until when a holder was last known of, at most two times to live behind
// its end. Safe for concurrent use.
type Ledger struct{ pool *pg.Pool }

// NewLedger makes the ledger.
func NewLedger(pool *pg.Pool) *Ledger { return &Ledger{pool: pool} }

// Candidate is an enabled panel as the ledger knows it.
type Candidate struct {
	PanelID ids.PanelID
	// Fence is the last one granted, 0 when none was.
	Fence int64
	// Holder is who got it and has not released it; empty when nobody.
	Holder string
	// KnownUntil is until when that holder was known of; 1970 when nobody was ever.
	KnownUntil time.Time
}

// Candidates returns a page of the enabled panels that may be granted, but those in except,
// in the order in which they were last known to be held: those that follow after, at most
// limit. It begins with the zero Candidate.
func (l *Ledger) Candidates(ctx context.Context, except []ids.PanelID, after Candidate, limit int) ([]Candidate, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT p.id, coalesce(l.fence, 0), coalesce(l.holder, ''), coalesce(l.expires_at, 'epoch')
		FROM panels p LEFT JOIN leases l ON l.panel_id = p.id
		WHERE p.enabled AND p.id <> ALL ($1::bigint[]) AND (coalesce(l.expires_at, 'epoch'), p.id) > ($2, $3::bigint)
			AND (l.holder = '' OR (SELECT grant_after <= dozor_now() FROM lease_authority))
		ORDER BY coalesce(l.expires_at, 'epoch'), p.id LIMIT $4`, int64s(except), after.KnownUntil, int64(after.PanelID), limit)
	if err != nil {
		return nil, fmt.Errorf("read which panels there are: %w", err)
	}
	candidates, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Candidate, error) {
		var c Candidate
		err := row.Scan((*int64)(&c.PanelID), &c.Fence, &c.Holder, &c.KnownUntil)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read which panels there are: %w", err)
	}
	return candidates, nil
}

// Only what is still as the candidate showed it is granted: whoever asks with an older
// view, or arrives late, raises no fence. Nor does anybody while another store grants, and
// for a while after that only for what was given back.
const grant = `
WITH mandate AS MATERIALIZED (
    SELECT grant_after <= dozor_now() AS waited FROM lease_authority WHERE store = 'redis' FOR SHARE
), seen AS MATERIALIZED (
    SELECT s.panel_id, s.fence FROM mandate CROSS JOIN unnest($2::bigint[], $3::bigint[]) AS s (panel_id, fence)
    JOIN panels p ON p.id = s.panel_id AND p.enabled
    LEFT JOIN leases l ON l.panel_id = s.panel_id
    WHERE mandate.waited OR l.holder = ''
)
INSERT INTO leases AS l (panel_id, holder, fence, expires_at)
SELECT panel_id, $1, dozor_now_ms(), dozor_now() + $4::interval FROM seen ORDER BY panel_id
ON CONFLICT (panel_id) DO UPDATE SET
    holder = excluded.holder, fence = greatest(l.fence + 1, excluded.fence), expires_at = excluded.expires_at
WHERE l.fence = (SELECT seen.fence FROM seen WHERE seen.panel_id = l.panel_id)
RETURNING l.panel_id, l.fence, (SELECT dozor_timeline())`

// Grant gives new fences for those candidates that nobody else was granted since they
// were read, and that are still enabled. Until is not set.
func (l *Ledger) Grant(ctx context.Context, holder string, candidates []Candidate, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	panels, fences := make([]int64, len(candidates)), make([]int64, len(candidates))
	for i, c := range candidates {
		panels[i], fences[i] = int64(c.PanelID), c.Fence
	}
	rows, err := l.pool.Query(ctx, grant, holder, panels, fences, ttl)
	if err != nil {
		return nil, fmt.Errorf("grant %d fences: %w", len(candidates), err)
	}
	granted, err := collectLeases(rows, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("grant %d fences: %w", len(candidates), err)
	}
	return granted, nil
}

// A row is written only when its holder would soon not be known of any more, which is
// every second time to live or so. Rows that somebody is just changing are left for the
// next round.
const standing = `
WITH mine AS MATERIALIZED (
    SELECT l.panel_id, l.fence, l.expires_at FROM leases l
    JOIN panels p ON p.id = l.panel_id AND p.enabled
    JOIN unnest($2::bigint[], $3::bigint[]) AS h (panel_id, fence) ON l.panel_id = h.panel_id AND l.fence = h.fence
    WHERE l.holder = $1
), due AS MATERIALIZED (
    SELECT l.panel_id FROM leases l JOIN mine ON mine.panel_id = l.panel_id
    WHERE mine.expires_at < dozor_now() + $4::interval AND l.fence = mine.fence AND l.holder = $1
    ORDER BY l.panel_id FOR NO KEY UPDATE OF l SKIP LOCKED
), noted AS (
    UPDATE leases l SET expires_at = dozor_now() + 2 * $4::interval FROM due WHERE l.panel_id = due.panel_id
)
SELECT panel_id, fence, (SELECT dozor_timeline()) FROM mine`

// Standing returns those leases whose fence is still the last one granted, to this holder
// and not released, of panels that are still enabled, with the database's timeline as it
// is now. Until is not set.
func (l *Ledger) Standing(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	panels, fences := terms(held)
	rows, err := l.pool.Query(ctx, standing, holder, panels, fences, ttl)
	if err != nil {
		return nil, fmt.Errorf("look up the fences of %d leases: %w", len(held), err)
	}
	leases, err := collectLeases(rows, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("look up the fences of %d leases: %w", len(held), err)
	}
	return leases, nil
}

// Release notes that a holder gave leases back; it never touches a later holder's.
func (l *Ledger) Release(ctx context.Context, holder string, held []live.Lease) error {
	return releaseRows(ctx, l.pool, holder, held)
}

// Fences returns the highest fence ever granted for each panel given.
func (l *Ledger) Fences(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]int64, error) {
	return readFences(ctx, l.pool, panels)
}
