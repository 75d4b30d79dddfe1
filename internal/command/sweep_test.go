package command

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

// The sweeper looks every second or two: it must not read the history to find nothing.
func TestTheSweeperReadsUnfinishedCommandsOnly(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	db.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) VALUES (1, 'a', 'A', 'operator', 'x')")
	db.Exec(t, "INSERT INTO sites (id, name) VALUES (1, 'A')")
	db.Exec(t, "INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES (1, 1, 'p', 'h', 1, 'x')")
	db.Exec(t, `INSERT INTO commands (id, panel_id, kind, partitions, requested_by, deadline_at, state)
		SELECT gen_random_uuid(), 1, 'arm', '{1}', 1, dozor_now() + interval '15 s', CASE WHEN n % 1000 = 0 THEN 'queued' ELSE 'done' END
		FROM generate_series(1, 20000) n`)
	db.Exec(t, "ANALYZE commands")
	rows, err := db.Owner.Query(t.Context(), "EXPLAIN "+endTheDead, deadMargin, liveMargin, sweepLimit)
	require.NoError(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	text := strings.Join(plan, "\n")
	require.Contains(t, text, "commands_unfinished_idx")
	require.NotContains(t, text, "Seq Scan on commands")
}
