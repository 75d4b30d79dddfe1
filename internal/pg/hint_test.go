package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/pg"
	"dozor/internal/testkit"
)

// hints starts hints as a process of their own would have them.
func hints(t *testing.T, db *testkit.Database) *pg.Hints {
	t.Helper()
	h := pg.NewHints(db.Pool, db.Direct, testkit.Logger(t))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return h
}

func awaitWake(t *testing.T, wake <-chan struct{}, why string) {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(10 * time.Second):
		require.FailNow(t, "not woken", why)
	}
}

func TestHintReachesAnotherProcess(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	here, there := hints(t, db), hints(t, db)
	wake, stop := there.Subscribe("news")
	defer stop()
	awaitWake(t, wake, "once the session listens")
	here.Hint("news")
	awaitWake(t, wake, "by the other process")
}

func TestChannelAddedLaterIsHeard(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	here, there := hints(t, db), hints(t, db)
	first, stop := there.Subscribe("first")
	defer stop()
	awaitWake(t, first, "once the session listens")
	second, stop := there.Subscribe("second")
	defer stop()
	awaitWake(t, second, "once the session listens to it too")
	here.Hint("second")
	awaitWake(t, second, "by the other process")
}

func TestHintWakesOwnProcessWithoutDatabase(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	h := pg.NewHints(db.Pool, db.Direct, testkit.Logger(t)) // does not run
	wake, stop := h.Subscribe("news")
	h.Hint("news")
	require.Len(t, wake, 1)
	<-wake
	stop()
	h.Hint("news")
	require.Empty(t, wake, "after stop nobody is woken")
}

func TestFollowersAreWokenAfterLostSession(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	here, there := hints(t, db), hints(t, db)
	wake, stop := there.Subscribe("news")
	defer stop()
	awaitWake(t, wake, "once the session listens")
	const listeners = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' OR query LIKE 'NOTIFY%'"
	require.Positive(t, testkit.One[int](t, db, listeners))
	db.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query LIKE 'NOTIFY%')`)
	awaitWake(t, wake, "hints may have been missed")
	here.Hint("news")
	awaitWake(t, wake, "the new session hears")
}

func TestNotificationsAreCoalesced(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	here := hints(t, db)
	conn, err := db.Direct.Acquire(context.Background())
	require.NoError(t, err)
	defer conn.Release()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = conn.Exec(ctx, "LISTEN flood; LISTEN finish")
	require.NoError(t, err)

	started := time.Now()
	for time.Since(started) < 200*time.Millisecond {
		here.Hint("flood")
	}
	here.Hint("finish")
	heard := 0
	for {
		n, err := conn.Conn().WaitForNotification(ctx)
		require.NoError(t, err)
		if n.Channel == "finish" {
			break
		}
		heard++
	}
	require.Positive(t, heard)
	require.LessOrEqual(t, heard, int(time.Since(started)/pg.HintInterval)+1)
	_, err = conn.Exec(ctx, "UNLISTEN *")
	require.NoError(t, err)
}
