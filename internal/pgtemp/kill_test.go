package pgtemp

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A killed server has no process that could still do something, and comes back with what it had confirmed.
func TestKillLeavesNobodyAndLosesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Start(ctx, Config{Dir: filepath.Join(t.TempDir(), "pg")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })

	conn, err := pgx.Connect(ctx, s.OwnerURL("postgres"))
	require.NoError(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE kept AS SELECT 1 AS n")
	require.NoError(t, err)
	busy := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "INSERT INTO kept SELECT count(*) FROM generate_series(1, 1000000000)")
		busy <- err
	}()
	pid := s.PID()
	children := childrenOf(pid)
	require.Greater(t, len(children), 4, "background processes and a session")

	require.NoError(t, s.Kill(ctx))
	require.Error(t, <-busy)
	require.Zero(t, s.PID())
	for _, child := range append(children, pid) {
		require.False(t, isPostgres(child), "process %d", child)
	}
	require.NoError(t, s.Kill(ctx), "again is nothing")

	require.NoError(t, s.Restart(ctx), "at once")
	again, err := pgx.Connect(ctx, s.OwnerURL("postgres"))
	require.NoError(t, err)
	defer again.Close(ctx)
	var n int
	require.NoError(t, again.QueryRow(ctx, "SELECT sum(n) FROM kept").Scan(&n))
	require.Equal(t, 1, n)
}
