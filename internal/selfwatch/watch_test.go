package selfwatch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus/pgbus"
	"dozor/internal/pg"
	"dozor/internal/selfwatch"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// instances makes as many watches over one database, as so many API instances have.
func instances(t *testing.T, db *testkit.Database, n int, grace time.Duration) []*selfwatch.Watch {
	t.Helper()
	log := testkit.Logger(t)
	b := pgbus.New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)
	watches := make([]*selfwatch.Watch, n)
	for i := range watches {
		watches[i] = selfwatch.New(selfwatch.Config{
			Pool: db.Pool, Bus: b, Queue: b, Logger: log, Trace: func() string { return "" }, DeskGrace: grace, LeaseTTL: 10 * time.Second,
		})
	}
	return watches
}

func round(t *testing.T, watches ...*selfwatch.Watch) {
	t.Helper()
	for _, w := range watches {
		require.NoError(t, w.Round(t.Context()))
	}
}

// pass lets time go by for the database.
func pass(t *testing.T, db *testkit.Database, d time.Duration) {
	t.Helper()
	db.Exec(t, `UPDATE station_clock SET shift = shift + make_interval(secs => $1)`, d.Seconds())
}

func said(t *testing.T, db *testkit.Database) []string {
	t.Helper()
	return testkit.One[[]string](t, db, `SELECT coalesce(array_agg(convert_from(body, 'UTF8')::jsonb #>> '{station,code}' ORDER BY id), '{}') FROM
		(SELECT id, body FROM bus_live_0 UNION ALL SELECT id, body FROM bus_live_1) sent`)
}

func TestAFaultIsFoundOnceByTwoInstancesAndEndsOnce(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	watches := instances(t, db, 2, 0)
	round(t, watches...)
	require.Empty(t, watches[0].Faults())

	db.Exec(t, "INSERT INTO outbox (type, audience, data) VALUES ('event.recorded', 'operators', '{}')")
	pass(t, db, 5*time.Second)
	for range 3 {
		round(t, watches...)
	}
	for _, w := range watches {
		require.Len(t, w.Faults(), 1)
		require.Equal(t, wire.RelayLate, w.Faults()[0].Code)
	}
	require.Equal(t, []string{"relay_late"}, said(t, db), "said once, by one of them")

	db.Exec(t, "UPDATE outbox SET epoch = 1, position = 1")
	for range 3 {
		pass(t, db, 5*time.Second)
		round(t, watches...)
	}
	require.Empty(t, watches[0].Faults())
	require.Empty(t, watches[1].Faults())
	require.Len(t, said(t, db), 2, "the end is said once, too")
}

func TestNobodyWatchesCountsFromTheFirstDesk(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	w := instances(t, db, 1, time.Minute)[0]
	round(t, w)
	pass(t, db, 2*time.Minute)
	round(t, w)
	require.Empty(t, w.Faults(), "nobody has sat here yet")
	pass(t, db, 5*time.Minute)
	round(t, w)
	pass(t, db, 61*time.Second)
	round(t, w)
	require.Len(t, w.Faults(), 1, "but somebody should, after five minutes")
	require.Equal(t, wire.NobodyWatches, w.Faults()[0].Code)
}
