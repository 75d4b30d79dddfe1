package pg_test

import (
	"context"
	"sync"
	"testing"

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
