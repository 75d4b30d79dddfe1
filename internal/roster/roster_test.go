package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/roster"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestEachProcessTellsItsOwnView(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	start := func(name string, source roster.Source) (*roster.Roster, func()) {
		r := roster.New(roster.Config{
			Pool: db.Pool, Logger: testkit.Logger(t), Sources: []roster.Source{source},
			Self: roster.Process{Instance: name + "-1", Name: name, Version: "v1", Roles: []string{"worker"}, Host: "host", PID: 7, StartedAt: began},
		})
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- r.Run(running) }()
		return r, func() { stop(); require.NoError(t, <-ended) }
	}
	good := roster.Part{Name: "redis", State: roster.OK, Since: began, LatencyMS: 0.4}
	bad := roster.Part{Name: "redis", State: roster.Aside, Since: began, Reason: "timeout", Detail: "no answer", Opened: 2}
	a, stopA := start("a", func(context.Context) roster.Part { return good })
	_, stopB := start("b", func(ctx context.Context) roster.Part {
		<-ctx.Done() // it hangs: a look is bounded
		return bad
	})
	list := func() []roster.Process {
		all, err := a.List(ctx)
		require.NoError(t, err)
		return all
	}
	require.Eventually(t, func() bool { return len(list()) == 2 }, 20*time.Second, 10*time.Millisecond)
	all := list()
	require.Equal(t, "a", all[0].Name)
	require.True(t, all[0].Alive)
	require.Equal(t, began, all[0].StartedAt)
	require.Equal(t, []roster.Part{good}, all[0].Parts)
	require.Equal(t, []roster.Part{bad}, all[1].Parts)
	require.Equal(t, []roster.Part{good}, a.Parts())

	stopB()
	require.Len(t, list(), 1, "who ends well leaves the list")

	// Who was killed says no more: the row grows old.
	db.Exec(t, "INSERT INTO processes (instance, name, version, roles, host, pid, started_at, seen_at, parts) "+
		"VALUES ('c-1', 'c', 'v1', '{api}', 'host', 8, dozor_now(), dozor_now() - interval '20 s', '[]')")
	all = list()
	require.Len(t, all, 2)
	require.False(t, all[1].Alive)
	db.Exec(t, "UPDATE processes SET seen_at = dozor_now() - interval '2 min' WHERE name = 'c'")
	require.Len(t, list(), 1, "after a minute nobody speaks of it")
	require.Eventually(t, func() bool {
		return testkit.One[int](t, db, "SELECT count(*) FROM processes") == 1
	}, 20*time.Second, 10*time.Millisecond)
	stopA()
}
