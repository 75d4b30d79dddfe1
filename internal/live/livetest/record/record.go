// Package record is the half of a contract's system that lies in PostgreSQL, whichever
// store is tried: the panels, the database's life, and the frames that a relay finds
// before it publishes them. Every adapter of the live port stands on it.
//
// With a Redis beside it, it is the Pair on which the other adapters stand.
//
// Tests only. It imports livetest, live, ids, pgx, redistemp, testkit, testify and the Redis
// client.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/testkit"
)

// processName is how the connections of the contract's processes are known.
const processName = "contract"

// Record is a database of a contract's own.
type Record struct {
	DB *testkit.Database

	granter   string
	panels    int
	processes int
}

// New makes one in which a store, "postgres" or "redis", has the right to grant leases.
func New(t testing.TB, granter string) *Record {
	r := &Record{DB: testkit.DB(t), granter: granter}
	r.grant(t)
	return r
}

func (r *Record) grant(t testing.TB) {
	r.DB.Exec(t, "UPDATE lease_authority SET store = $1, grant_after = '-infinity', complained_at = '-infinity'", r.granter)
}

// Empty makes it as good as new, once nobody works in it any more: a statement that was
// stuck on the way may still have been under way.
func (r *Record) Empty(t testing.TB) {
	r.DB.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName)
	require.Eventually(t, func() bool {
		return testkit.One[int](t, r.DB, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName) == 0
	}, 20*time.Second, time.Millisecond)
	r.DB.Exec(t, "TRUNCATE outbox, leases, workers, panel_states, panels, sites CASCADE")
	r.DB.Exec(t, "UPDATE stream_head SET last = 0, published = 0")
	r.DB.Exec(t, "UPDATE station_clock SET salt = '', shift = '0'")
	r.grant(t)
}

// Connect opens the database as one more process. Every second one does without prepared
// statements, as behind PgBouncer.
func (r *Record) Connect(t testing.TB, log *slog.Logger) *testkit.Apart {
	t.Helper()
	r.processes++
	return r.DB.Apart(t, processName, r.processes%2 == 0, log)
}

// Panels implements livetest.System.
func (r *Record) Panels(t testing.TB, n int) []ids.PanelID {
	t.Helper()
	panels := make([]ids.PanelID, n)
	site := testkit.One[int64](t, r.DB, "INSERT INTO sites (name) VALUES ('site') RETURNING id")
	for i := range panels {
		r.panels++
		panels[i] = testkit.One[ids.PanelID](t, r.DB,
			"INSERT INTO panels (site_id, name, host, port, code_secret) VALUES ($1, 'panel', $2, 10004, '') RETURNING id",
			site, fmt.Sprintf("10.0.%d.%d", r.panels/250, r.panels%250))
	}
	return panels
}

// Disable implements livetest.System.
func (r *Record) Disable(t testing.TB, panel ids.PanelID) {
	r.DB.Exec(t, "UPDATE panels SET enabled = false WHERE id = $1", int64(panel))
}

// NewTimeline implements livetest.System.
func (r *Record) NewTimeline(t testing.TB) {
	r.DB.Exec(t, "UPDATE station_clock SET salt = salt || '+'")
}

// Commit implements livetest.System.
func (r *Record) Commit(t testing.TB, n int) []live.Frame {
	t.Helper()
	ctx := context.Background()
	var frames []live.Frame
	require.NoError(t, r.DB.Owner.InTx(ctx, func(tx pgx.Tx) error {
		frames = nil
		rows := &pgx.Batch{} // a buffer's worth, one by one, takes seconds
		var epoch, last int64
		if err := tx.QueryRow(ctx, "SELECT epoch, last FROM stream_head FOR UPDATE").Scan(&epoch, &last); err != nil {
			return err
		}
		for i := range int64(n) {
			// Two spaces: what a frame holds arrives as it was written.
			f := live.Frame{
				Epoch: epoch, Position: last + i + 1, Type: "alarm.new", At: time.Unix(1_790_000_000, 1000*i).UTC(), Ring: int(i % 3),
				Data: json.RawMessage(fmt.Sprintf(`{"n":  %d}`, i)), Audience: "operators", Trace: "00-1-1-01",
			}
			var site *int64
			var answered *time.Time
			if i%2 == 1 {
				f.SiteID, f.AnsweredAt = ids.SiteID(i), f.At.Add(-time.Second)
				site, answered = &i, &f.AnsweredAt
			}
			rows.Queue(`INSERT INTO outbox (epoch, position, type, at, ring, data, site_id, audience, trace, answered_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				f.Epoch, f.Position, f.Type, f.At, f.Ring, string(f.Data), site, f.Audience, f.Trace, answered)
			frames = append(frames, f)
		}
		rows.Queue("UPDATE stream_head SET last = last + $1", n)
		return tx.SendBatch(ctx, rows).Close()
	}))
	return frames
}

// NewEpoch implements livetest.System.
func (r *Record) NewEpoch(t testing.TB) int64 {
	return testkit.One[int64](t, r.DB, "UPDATE stream_head SET epoch = epoch + 1, last = 0, published = 0 RETURNING epoch")
}

// Forget implements livetest.System.
func (r *Record) Forget(t testing.TB, epoch, position int64) {
	r.DB.Exec(t, "DELETE FROM outbox WHERE epoch = $1 AND position = $2", epoch, position)
}
