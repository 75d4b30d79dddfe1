package pglive_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/livetest"
	"dozor/internal/live/pglive"
	"dozor/internal/pg"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	// Making a database takes longer than most cases, so they take turns with a few.
	databases := make(chan *testkit.Database, 3)
	for range cap(databases) {
		databases <- testkit.DB(t)
	}
	livetest.Run(t, func(t testing.TB) livetest.System {
		db := <-databases
		t.Cleanup(func() {
			empty(t, db)
			databases <- db
		})
		return &system{db: db}
	})
}

// processName is how the connections of the contract's processes are known.
const processName = "contract"

// empty makes a database as good as new, once nobody works in it any more: a statement
// that was stuck on the way may still have been under way.
func empty(t testing.TB, db *testkit.Database) {
	db.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName)
	require.Eventually(t, func() bool {
		return testkit.One[int](t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName) == 0
	}, 20*time.Second, time.Millisecond)
	db.Exec(t, "TRUNCATE outbox, leases, panel_states, panels, sites CASCADE")
	db.Exec(t, "UPDATE stream_head SET last = 0, published = 0")
	db.Exec(t, "UPDATE station_clock SET salt = '', shift = '0'")
}

type system struct {
	db        *testkit.Database
	panels    int
	processes int
}

// Process opens pools of its own, through a proxy of its own. Every second one does
// without prepared statements, as behind PgBouncer.
func (s *system) Process(t testing.TB) livetest.Process {
	t.Helper()
	s.processes++
	dsn, err := url.Parse(s.db.AppURL)
	require.NoError(t, err)
	query := dsn.Query()
	proxy := faultproxy.New(t, "unix", filepath.Join(query.Get("host"), ".s.PGSQL.5432"))
	query.Set("host", filepath.Dir(proxy.Addr()))
	dsn.RawQuery = query.Encode()

	ctx, log := context.Background(), testkit.Logger(t)
	pool, err := pg.Open(ctx, dsn.String(), pg.Options{MaxConns: 6, Name: processName, Pooled: s.processes%2 == 0})
	require.NoError(t, err)
	direct, err := pg.OpenDirect(ctx, dsn.String(), pg.Options{MaxConns: 2, Name: processName})
	require.NoError(t, err)
	hints := pg.NewHints(pool, direct, log)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- hints.Run(running) }()
	store := pglive.New(pool, hints, log)
	t.Cleanup(func() {
		store.Wait()
		stop()
		require.NoError(t, <-ended)
		// A statement that was broken off keeps its connection until the server hangs up.
		proxy.Cut()
		pool.Close()
		direct.Close()
	})
	return livetest.Process{States: store, Leases: store, Fanout: store, Way: proxy}
}

func (s *system) Panels(t testing.TB, n int) []ids.PanelID {
	t.Helper()
	panels := make([]ids.PanelID, n)
	site := testkit.One[int64](t, s.db, "INSERT INTO sites (name) VALUES ('site') RETURNING id")
	for i := range panels {
		s.panels++
		panels[i] = testkit.One[ids.PanelID](t, s.db,
			"INSERT INTO panels (site_id, name, host, port, code_secret) VALUES ($1, 'panel', $2, 10004, '') RETURNING id",
			site, fmt.Sprintf("10.0.0.%d", s.panels))
	}
	return panels
}

func (s *system) Disable(t testing.TB, panel ids.PanelID) {
	s.db.Exec(t, "UPDATE panels SET enabled = false WHERE id = $1", int64(panel))
}

func (s *system) NewTimeline(t testing.TB) {
	s.db.Exec(t, "UPDATE station_clock SET salt = salt || '+'")
}

func (s *system) Commit(t testing.TB, n int) []live.Frame {
	t.Helper()
	ctx := context.Background()
	var frames []live.Frame
	require.NoError(t, s.db.Owner.InTx(ctx, func(tx pgx.Tx) error {
		frames = nil
		var epoch, last int64
		if err := tx.QueryRow(ctx, "SELECT epoch, last FROM stream_head FOR UPDATE").Scan(&epoch, &last); err != nil {
			return err
		}
		for i := range int64(n) {
			f := live.Frame{
				Epoch: epoch, Position: last + i + 1, Type: "alarm.new", At: time.Unix(1_790_000_000, 1000*i).UTC(), Ring: int(i % 3),
				Data: json.RawMessage(fmt.Sprintf(`{"n": %d}`, i)), Audience: "operators", Trace: "00-1-1-01",
			}
			var site *int64
			var answered *time.Time
			if i%2 == 1 {
				f.SiteID, f.AnsweredAt = ids.SiteID(i), f.At.Add(-time.Second)
				site, answered = &i, &f.AnsweredAt
			}
			if _, err := tx.Exec(ctx, `INSERT INTO outbox (epoch, position, type, at, ring, data, site_id, audience, trace, answered_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				f.Epoch, f.Position, f.Type, f.At, f.Ring, string(f.Data), site, f.Audience, f.Trace, answered); err != nil {
				return err
			}
			frames = append(frames, f)
		}
		_, err := tx.Exec(ctx, "UPDATE stream_head SET last = last + $1", n)
		return err
	}))
	return frames
}

func (s *system) NewEpoch(t testing.TB) int64 {
	return testkit.One[int64](t, s.db, "UPDATE stream_head SET epoch = epoch + 1, last = 0, published = 0 RETURNING epoch")
}

func (s *system) Forget(t testing.TB, epoch, position int64) {
	s.db.Exec(t, "DELETE FROM outbox WHERE epoch = $1 AND position = $2", epoch, position)
}
