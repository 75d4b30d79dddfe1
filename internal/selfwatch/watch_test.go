package selfwatch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
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

// codes are what a watch says is wrong now.
func codes(w *selfwatch.Watch) []wire.StationCode {
	found := []wire.StationCode{}
	for _, f := range w.Faults() {
		found = append(found, f.Code)
	}
	return found
}

func TestReportsThatNobodyTakesInAreAFaultUntilTheyAreTaken(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	log := testkit.Logger(t)
	reports := pgbus.New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)
	w := instances(t, db, 1, 0)[0]
	round(t, w)

	require.Equal(t, []bus.Outcome{bus.Confirmed}, reports.Publish(t.Context(), []bus.Message{
		{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.alarm.1", Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Body: []byte("{}")},
	}))
	pass(t, db, 5*time.Second)
	age := func(of string) { db.Exec(t, "UPDATE "+of+" SET put_at = put_at - interval '5 seconds'") }
	age("bus_live_0")
	age("bus_live_1")
	round(t, w)
	require.Empty(t, codes(w), "one look is not enough: what a long transaction has just committed is old already")
	round(t, w)
	require.Equal(t, []wire.StationCode{wire.IngestLate}, codes(w))
	require.Equal(t, "1", w.Faults()[0].Detail, "how many wait")

	// What it says itself goes the same way and must not keep the fault alive for ever.
	db.Exec(t, "UPDATE bus_lanes SET settled = greatest((SELECT max(id) FROM bus_live_0), (SELECT max(id) FROM bus_live_1)) WHERE lane = 'live'")
	for range 3 {
		pass(t, db, 2*time.Second)
		round(t, w)
	}
	require.Empty(t, codes(w))
}

func TestPanelsThatNobodyHoldsAreAFaultUntilSomebodyDoes(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	db.Exec(t, "INSERT INTO sites (id, name) VALUES (1, 'Apteka')")
	db.Exec(t, `INSERT INTO panels (id, site_id, name, host, port, code_secret, enabled)
		SELECT n, 1, 'P', '10.0.0.5', n, 'x', n <= 2 FROM generate_series(1, 3) n`)
	db.Exec(t, "INSERT INTO leases (panel_id, holder, fence, expires_at) VALUES (1, 'w', 1, dozor_now() + interval '10 seconds')")
	w := instances(t, db, 1, 0)[0]
	round(t, w)
	pass(t, db, 11*time.Second)
	round(t, w)
	require.Empty(t, codes(w), "another worker has its time to take them")
	pass(t, db, selfwatch.UnheldAfter)
	round(t, w)
	require.Equal(t, []wire.StationCode{wire.WorkerGone}, codes(w))
	require.Equal(t, "2", w.Faults()[0].Detail, "of two that are watched; the third is switched off")

	db.Exec(t, `INSERT INTO leases (panel_id, holder, fence, expires_at) SELECT n, 'other', 2, dozor_now() + interval '1 hour' FROM generate_series(1, 2) n
		ON CONFLICT (panel_id) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, expires_at = excluded.expires_at`)
	for range 3 {
		pass(t, db, 2*time.Second)
		round(t, w)
	}
	require.Empty(t, codes(w))
}

func TestADatabaseThatDoesNotAnswerIsSaidAtOnceAndRecordedAfterwards(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	log := testkit.Logger(t)
	apart := db.Apart(t, t.Name(), false, log)
	t.Cleanup(apart.Close)
	b := pgbus.New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)
	told := []wire.StationFault{}
	w := selfwatch.New(selfwatch.Config{
		Pool: apart.Pool, Bus: b, Queue: b, Logger: log, Trace: func() string { return "" }, LeaseTTL: 10 * time.Second,
		Publish: func(d wire.StationData) { told = d.Faults },
	})
	round(t, w)

	apart.Way.Stall()
	require.Error(t, w.Round(t.Context()))
	require.Empty(t, told, "one slow answer is nothing yet")
	require.Error(t, w.Round(t.Context()))
	require.Len(t, told, 1, "every screen of this instance hears of it, though nothing can be recorded")
	require.Equal(t, wire.DatabaseSlow, told[0].Code)
	apart.Way.Heal()
	require.Eventually(t, func() bool { return w.Round(t.Context()) == nil }, 20*time.Second, 10*time.Millisecond)
	require.Contains(t, said(t, db), string(wire.DatabaseSlow), "the record has it as well")
	for range 3 {
		pass(t, db, 2*time.Second)
		round(t, w)
	}
	require.Empty(t, told)
	require.Contains(t, said(t, db), string(wire.DatabaseOnTime))
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
