package ingest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ingest"
	"dozor/internal/testkit"
)

func TestWarmConnectionHasItsStatementsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	conn, err := pgx.Connect(t.Context(), db.AppURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()

	require.NoError(t, ingest.Warm(t.Context(), conn))
	var planned, alarms int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE generic_plans > 0").Scan(&planned))
	require.GreaterOrEqual(t, planned, 14, "each statement of a batch has its plan")
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM alarms").Scan(&alarms))
	require.Zero(t, alarms)
}
