package pglive

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// The rows are taken in the order of their panels, so that two workers, one of them a
// former holder, don't lock each other out.
const putStates = `
INSERT INTO panel_states (panel_id, fence, seq, answered_at, stored_at, body)
SELECT n.panel_id, n.fence, n.seq, n.answered_at, dozor_now(), n.body::jsonb
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[]) AS n (panel_id, fence, seq, answered_at, body)
JOIN panels p ON p.id = n.panel_id
ORDER BY n.panel_id
ON CONFLICT (panel_id) DO UPDATE SET
    fence = excluded.fence, seq = excluded.seq, stored_at = excluded.stored_at, body = excluded.body,
    answered_at = greatest(panel_states.answered_at, excluded.answered_at)
WHERE (panel_states.fence, panel_states.seq) < (excluded.fence, excluded.seq)`

// PutStates implements live.States.
func (s *Store) PutStates(ctx context.Context, states []live.PanelState) error {
	if len(states) == 0 {
		return nil
	}
	newest := make(map[ids.PanelID]live.PanelState, len(states))
	for _, st := range states {
		if have, ok := newest[st.PanelID]; !ok || cmp.Or(cmp.Compare(have.Fence, st.Fence), cmp.Compare(have.Seq, st.Seq)) < 0 {
			newest[st.PanelID] = st
		}
	}
	var (
		panels, fences, seqs = make([]int64, 0, len(newest)), make([]int64, 0, len(newest)), make([]int64, 0, len(newest))
		answered             = make([]*time.Time, 0, len(newest))
		bodies               = make([]string, 0, len(newest))
	)
	for _, st := range newest {
		body, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("encode the state of panel %d: %w", st.PanelID, err)
		}
		panels, fences, seqs = append(panels, int64(st.PanelID)), append(fences, st.Fence), append(seqs, st.Seq)
		answered, bodies = append(answered, orNull(st.AnsweredAt)), append(bodies, string(body))
	}
	if _, err := s.pool.Exec(ctx, putStates, panels, fences, seqs, answered, bodies); err != nil {
		return fmt.Errorf("store the state of %d panels: %w", len(panels), err)
	}
	return nil
}

const touch = `
WITH n AS (
    SELECT panel_id, max(answered_at) AS answered_at, max(fence) AS fence
    FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS n (panel_id, fence, answered_at)
    GROUP BY panel_id
), locked AS (
    SELECT s.panel_id FROM panel_states s JOIN n USING (panel_id) ORDER BY s.panel_id FOR NO KEY UPDATE OF s
)
UPDATE panel_states s SET answered_at = n.answered_at, stored_at = dozor_now()
FROM n JOIN locked USING (panel_id)
WHERE s.panel_id = n.panel_id AND n.fence >= s.fence AND (s.answered_at IS NULL OR s.answered_at < n.answered_at)`

// Touch implements live.States. A panel without a state stays without one.
func (s *Store) Touch(ctx context.Context, answered []live.Answered) error {
	if len(answered) == 0 {
		return nil
	}
	panels, fences, at := make([]int64, len(answered)), make([]int64, len(answered)), make([]time.Time, len(answered))
	for i, a := range answered {
		panels[i], fences[i], at[i] = int64(a.PanelID), a.Fence, a.AnsweredAt.UTC()
	}
	if _, err := s.pool.Exec(ctx, touch, panels, fences, at); err != nil {
		return fmt.Errorf("touch the state of %d panels: %w", len(panels), err)
	}
	return nil
}

// States implements live.States.
func (s *Store) States(ctx context.Context, panels ...ids.PanelID) ([]live.PanelState, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT panel_id, fence, seq, answered_at, body FROM panel_states
		WHERE $1 OR panel_id = ANY($2::bigint[]) ORDER BY panel_id`, len(panels) == 0, int64s(panels))
	if err != nil {
		return nil, fmt.Errorf("read the state of panels: %w", err)
	}
	states, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (live.PanelState, error) {
		var (
			panel, fence, seq int64
			answeredAt        *time.Time
			body              []byte
			st                live.PanelState
		)
		if err := row.Scan(&panel, &fence, &seq, &answeredAt, &body); err != nil {
			return st, err
		}
		if err := json.Unmarshal(body, &st); err != nil {
			return st, fmt.Errorf("decode the state of panel %d: %w", panel, err)
		}
		st.PanelID, st.Fence, st.Seq, st.AnsweredAt = ids.PanelID(panel), fence, seq, orZero(answeredAt)
		return st, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state of panels: %w", err)
	}
	return states, nil
}

func int64s(panels []ids.PanelID) []int64 {
	n := make([]int64, len(panels))
	for i, p := range panels {
		n[i] = int64(p)
	}
	slices.Sort(n)
	return n
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Versions returns how new the state of each panel is.
func (s *Store) Versions(ctx context.Context) (map[ids.PanelID]live.Version, error) {
	rows, err := s.pool.Query(ctx, "SELECT panel_id, fence, seq, answered_at FROM panel_states")
	if err != nil {
		return nil, fmt.Errorf("read how new the panels' states are: %w", err)
	}
	versions := map[ids.PanelID]live.Version{}
	var (
		panel      int64
		v          live.Version
		answeredAt *time.Time
	)
	if _, err := pgx.ForEachRow(rows, []any{&panel, &v.Fence, &v.Seq, &answeredAt}, func() error {
		v.AnsweredAt = orZero(answeredAt)
		versions[ids.PanelID(panel)] = v
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read how new the panels' states are: %w", err)
	}
	return versions, nil
}
