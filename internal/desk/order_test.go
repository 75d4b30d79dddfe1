package desk

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

// ExplainList gives the plan of a list, for tests of another package.
func ExplainList(ctx context.Context, t *testing.T, pool *pg.Pool, f Filter) []string {
	t.Helper()
	sql, args := f.statement(Place{}, 101)
	return explain(ctx, t, pool, sql, args)
}

// ExplainEvents gives the plan of a list of events.
func ExplainEvents(ctx context.Context, t *testing.T, pool *pg.Pool, f EventFilter) []string {
	t.Helper()
	sql, args := f.statement(101)
	return explain(ctx, t, pool, sql, args)
}

func explain(ctx context.Context, t *testing.T, pool *pg.Pool, sql string, args []any) []string {
	t.Helper()
	rows, err := pool.Query(ctx, "EXPLAIN "+sql, args...)
	require.NoError(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return plan
}

func TestEventsKeepTheOrderOfTheirLogs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
		var events []logged
		for i := range rapid.IntRange(0, 30).Draw(t, "events") {
			e := logged{view: wire.Event{ID: uuid.UUID{byte(i)}, At: start.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minute")) * time.Minute)}}
			if panel := rapid.IntRange(0, 2).Draw(t, "panel"); panel > 0 {
				e.view.PanelID = ids.PanelID(panel)
				e.epoch, e.segment, e.offset = rapid.IntRange(1, 2).Draw(t, "epoch"), int64(rapid.IntRange(1, 3).Draw(t, "segment")), -i
			}
			events = append(events, e)
		}
		byID := map[uuid.UUID]logged{}
		for _, e := range events {
			byID[e.view.ID] = e
		}
		ordered := inLogOrder(events)
		if len(ordered) != len(events) {
			t.Fatalf("%d events became %d", len(events), len(ordered))
		}
		last := map[ids.PanelID]logged{}
		seen := map[uuid.UUID]bool{}
		for _, v := range ordered {
			e := byID[v.ID]
			if seen[v.ID] {
				t.Fatalf("event %s comes twice", v.ID)
			}
			seen[v.ID] = true
			before, ok := last[v.PanelID]
			if ok && e.segment != 0 && byLog(before, e) > 0 {
				t.Fatalf("panel %d: the order of the log is broken", v.PanelID)
			}
			if ok && e.segment == 0 && byTime(before, e) > 0 {
				t.Fatal("what has no log is not in order of time")
			}
			last[v.PanelID] = e
		}
	})
}
