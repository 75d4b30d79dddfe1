package pg_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dozor/internal/pg"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestMigratingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	before := testkit.One[int64](t, db, "SELECT max(version_id) FROM goose_db_version")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			version, err := pg.Migrate(context.Background(), db.OwnerURL, testkit.Logger(t))
			if err != nil || version != before {
				t.Errorf("migrate again: version %d, error %v", version, err)
			}
		})
	}
	wg.Wait()
}

func TestTheApplicationOwnsNothing(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ctx := context.Background()
	for _, statement := range []string{
		"CREATE TABLE mine (n int)",
		"DROP TABLE events",
		"ALTER TABLE alarms ADD COLUMN x int",
		"DELETE FROM audit",
		"UPDATE audit SET act = 'nothing'",
		"UPDATE station_clock SET shift = '1 day'",
	} {
		_, err := db.Pool.Exec(ctx, statement)
		require.Equal(t, "42501", pg.Code(err), "%s: %v", statement, err)
	}
}

func TestClockAndTimelineCanBeShifted(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	before := testkit.One[string](t, db, "SELECT dozor_timeline()")
	db.Exec(t, "UPDATE station_clock SET shift = '3 days', salt = '+1'")
	require.True(t, testkit.One[bool](t, db, "SELECT dozor_now() > now() + interval '2 days'"))
	require.NotEqual(t, before, testkit.One[string](t, db, "SELECT dozor_timeline()"))
	var timeline string
	require.NoError(t, db.Pool.QueryRow(context.Background(), "SELECT dozor_timeline()").Scan(&timeline), "the application may ask too")
}

func TestEventPartitionsAreMadeAheadAndDroppedWhenTheyAreOver(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ctx := context.Background()
	months := func() int {
		return testkit.One[int](t, db, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass`) - 1 // less the default
	}
	require.Equal(t, 7, months(), "this month and six more")
	require.Zero(t, testkit.One[int](t, db, "SELECT dozor_ensure_event_partitions(6)"), "nothing to be made twice")

	db.Exec(t, "UPDATE station_clock SET shift = '100 days'")
	var made, dropped int
	require.NoError(t, db.Pool.QueryRow(ctx, "SELECT dozor_ensure_event_partitions(6)").Scan(&made), "the application may run the job")
	require.GreaterOrEqual(t, made, 3)
	before := months()
	require.NoError(t, db.Pool.QueryRow(ctx, "SELECT dozor_drop_event_partitions(dozor_now() - interval '35 days')").Scan(&dropped))
	require.GreaterOrEqual(t, dropped, 1)
	require.Equal(t, before-dropped, months())

	_, err := db.Pool.Exec(ctx, "SELECT dozor_drop_event_partitions(dozor_now())")
	require.Error(t, err, "young events are not dropped by a slip of the hand")
}

func TestAnEventLandsInThePartitionOfItsMonth(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	id := uuid.Must(uuid.NewV7())
	db.Exec(t, `INSERT INTO events (id, site_id, source, kind, priority, received_at, effective_at) VALUES ($1, 1, 'station', 'test', 5, now(), now())`, id)
	require.Equal(t, "events_"+time.Now().UTC().Format("200601"), testkit.One[string](t, db, "SELECT tableoid::regclass::text FROM events WHERE id = $1", id))
}
