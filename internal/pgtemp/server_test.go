package pgtemp_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/pgtemp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, dir string) *pgtemp.Server {
	t.Helper()
	s, err := pgtemp.Start(t.Context(), pgtemp.Config{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Stop(context.Background()))
		require.NoError(t, pgtemp.Remove(s.Dir()))
	})
	return s
}

func exec(t *testing.T, url, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), sql)
	return err
}

func TestWhatWasCommittedOutlivesStopAndPowerCut(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := start(t, filepath.Join(t.TempDir(), "pg"))
	require.NoError(t, s.CreateDatabase(ctx, "mine", ""))
	require.NoError(t, s.CreateDatabase(ctx, "mine", ""), "making it again is no error")
	require.NoError(t, exec(t, s.OwnerURL("mine"), "CREATE TABLE t (n int); INSERT INTO t VALUES (1)"))

	require.NoError(t, s.Kill(ctx))
	require.Zero(t, s.PID())
	require.NoError(t, s.Restart(ctx))
	require.NoError(t, exec(t, s.OwnerURL("mine"), "INSERT INTO t VALUES (2)"))

	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "stopping twice is no error")
	again := start(t, s.Dir())
	require.NoError(t, exec(t, again.OwnerURL("mine"), "DO $$ BEGIN ASSERT (SELECT count(*) FROM t) = 2; END $$"))
}

func TestAFrozenServerIsSilentUntilItThawsOrIsStopped(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "pg"))
	conn, err := pgx.Connect(t.Context(), s.OwnerURL("postgres"))
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, s.Freeze())
	require.NoError(t, s.Freeze(), "twice is once")
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(t.Context()) }()
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered: %v", err)
	case <-time.After(300 * time.Millisecond): // an answer takes a hundredth of that
	}
	s.Thaw()
	s.Thaw()
	require.NoError(t, <-answered)

	require.NoError(t, s.Freeze())
	require.NoError(t, s.Kill(t.Context()))
	require.NoError(t, s.Restart(t.Context()))
	require.NoError(t, exec(t, s.OwnerURL("postgres"), "SELECT 1"))
	require.NoError(t, s.Freeze())
	require.NoError(t, s.Stop(t.Context()))
	require.Zero(t, s.PID())
}

func TestTheApplicationsRoleOwnsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "pg"))
	require.NoError(t, s.CreateDatabase(t.Context(), "mine", ""))
	require.Error(t, exec(t, s.AppURL("mine"), "CREATE TABLE t (n int)"))
}

func TestALongPathStillHasASocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 4 {
		dir = filepath.Join(dir, "a-folder-with-quite-a-long-name-of-its-own")
	}
	s := start(t, dir)
	require.NoError(t, exec(t, s.OwnerURL("postgres"), "SELECT 1"))
}

func TestNothingButAClusterIsRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "pg"))
	require.ErrorContains(t, pgtemp.Remove(s.Dir()), "is running")
	dir := t.TempDir()
	require.NoError(t, pgtemp.Remove(dir))
	require.DirExists(t, dir)
}
