package panellog_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/panellog"
	"dozor/internal/pg"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
	"dozor/satel/sim"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bench is a log over a simulated panel's memory and a real database; what the log sends
// is kept, and stored only where a test says so. (Whole schedules with ingest are played
// in test/schedules.)
type bench struct {
	t     *testing.T
	db    *testkit.Database
	panel *sim.Panel
	log   *panellog.Log
	now   time.Time
	sent  []bus.Message
	room  func(walked bool) bool
	held  int
	seen  uint64 // sequence of the newest record at first contact
}

func setup(t *testing.T, records int) *bench {
	t.Helper()
	b := &bench{t: t, db: testkit.DB(t), now: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), room: func(bool) bool { return true }}
	b.db.Exec(t, `INSERT INTO sites (id, name) VALUES (1, 'Szkoła')`)
	b.db.Exec(t, `INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES (1, 1, 'Centrala', 'h', 1, '')`)
	var err error
	b.panel, err = sim.New(sim.Config{LogDelay: -1, Now: func() time.Time { return b.now }})
	require.NoError(t, err)
	b.record(records)
	b.open(b.db.Pool)
	return b
}

// open makes another log, as a process that starts does.
func (b *bench) open(pool *pg.Pool) {
	b.log = panellog.New(panellog.Config{
		Panel: 1, Fence: 1, Pool: pool, Logger: slog.New(slog.DiscardHandler), Location: event.PanelZone(),
		Clock: func() time.Time { return b.now }, Trace: func() string { return "" }, Held: func(delta int) { b.held += delta },
		Send: func(msgs []bus.Message) { b.sent = append(b.sent, msgs...) },
		Room: func(walked bool) bool { return b.room(walked) },
	})
}

// empty puts a panel in its place that has recorded nothing yet.
func (b *bench) empty() {
	var err error
	b.panel, err = sim.New(sim.Config{Model: smallModel, LogDelay: -1, Now: func() time.Time { return b.now }})
	require.NoError(b.t, err)
}

func (b *bench) record(n int) {
	_, err := b.panel.Burst(max(n, 1), sim.BurstMixed)
	require.NoError(b.t, err)
}

func (b *bench) Newest(ctx context.Context) (satel.LogEntry, time.Time, error) {
	return b.Older(ctx, satel.NewestIndex)
}

func (b *bench) Older(_ context.Context, arg satel.Index) (satel.LogEntry, time.Time, error) {
	return b.panel.ReadLog(arg), b.now, nil
}

func (b *bench) connect() { require.NoError(b.t, b.log.Connect(b.t.Context(), b)) }

// walk looks and reads back until there is nothing to read.
func (b *bench) walk() {
	b.t.Helper()
	_, err := b.log.Look(b.t.Context())
	require.NoError(b.t, err)
	for range 5000 {
		idle, err := b.log.Step(b.t.Context())
		require.NoError(b.t, err)
		if idle {
			return
		}
	}
	require.Fail(b.t, "the walk does not end")
}

// store lets PostgreSQL have the keys of what was sent, as ingest would.
func (b *bench) store() {
	for _, m := range b.sent {
		b.db.Exec(b.t, `INSERT INTO event_keys (dedup_key, event_id) VALUES ($1, gen_random_uuid()) ON CONFLICT DO NOTHING`, m.Key[:])
	}
}

func (b *bench) settle() { require.NoError(b.t, b.log.Settle(b.t.Context())) }

func (b *bench) reports() []wire.Report {
	var all []wire.Report
	for _, m := range b.sent {
		r, err := wire.DecodeReport(m.Body)
		require.NoError(b.t, err)
		all = append(all, r)
	}
	return all
}

// follow is first contact, over and stored.
func (b *bench) follow() {
	b.connect()
	b.walk()
	b.store()
	b.settle()
	require.Zero(b.t, b.log.Unsettled())
	b.sent = nil
}

func TestFirstContactKeepsTheNewest200AsHistory(t *testing.T) {
	t.Parallel()
	b := setup(t, 300)
	b.connect()
	b.walk()
	require.Len(t, b.sent, 200)
	for i, r := range b.reports() {
		require.True(t, r.Record.FirstContact)
		require.Equal(t, -i, r.Record.Offset)
		require.Equal(t, bus.Backfill, b.sent[i].Lane, "history delays nobody")
	}
	b.store()
	b.settle()
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'closed'"))
}

func TestWhatJustHappenedGoesLiveAndWhatIsOldGoesBackfill(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(10)
	b.now = b.now.Add(3 * time.Hour)
	b.record(2)
	b.walk()
	require.Len(t, b.sent, 12)
	for i, m := range b.sent {
		want := bus.Live
		if i >= 2 {
			want = bus.Backfill
		}
		require.Equal(t, want, m.Lane, "record %d from the newest", i)
	}
}

func TestWhatHappensAfterThePanelsClockJumpedIsStillLive(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.panel.SetClock(time.Date(2000, 1, 1, 0, 0, 0, 0, event.PanelZone()))
	b.walk()
	b.sent = nil
	b.now = b.now.Add(time.Second)
	b.record(1)
	b.walk()
	require.Len(t, b.sent, 1)
	require.Equal(t, bus.Live, b.sent[0].Lane, "its offset was not measured since")
}

func TestAWalkWaitsForRoomAndLosesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(30)
	b.now = b.now.Add(time.Hour)
	b.record(1)
	b.room = func(walked bool) bool { return !walked }
	b.walk()
	require.Len(t, b.sent, 1, "the new record goes, history waits")
	b.room = func(bool) bool { return true }
	b.walk()
	require.Len(t, b.sent, 31)
}

func TestRecordsCountAgainstTheRoomFromTheirReading(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(40)
	b.now = b.now.Add(time.Hour)
	b.record(1)
	const room = 5
	b.room = func(bool) bool {
		require.LessOrEqual(t, b.held, room)
		return b.held < room
	}
	for range 100 {
		if b.log.Settled() {
			_, err := b.log.Look(t.Context())
			require.NoError(t, err)
		}
		for idle := false; !idle; {
			var err error
			idle, err = b.log.Step(t.Context())
			require.NoError(t, err)
		}
		b.store()
		b.settle()
	}
	require.Len(t, b.sent, 41)
	require.Zero(t, b.held)
}

func TestWhatIsReadAndNotSentIsHeldNoLongerThanTheConnection(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(40)
	_, err := b.log.Look(t.Context())
	require.NoError(t, err)
	_, err = b.log.Step(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, b.held)
	b.log.Disconnected()
	require.Equal(t, 1, b.held)
	b.connect()
	b.walk()
	require.Len(t, b.sent, 40)
}

func TestNewsUnderOtherNewsWaitForNoWalk(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.room = func(walked bool) bool { return !walked }
	b.now = b.now.Add(time.Second)
	b.record(3)
	b.walk()
	require.Len(t, b.sent, 3)
}

func TestALookWithoutRoomIsNoLook(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(1)
	b.room = func(bool) bool { return false }
	_, err := b.log.Look(t.Context())
	require.ErrorIs(t, err, panellog.ErrFull)
	b.room = func(bool) bool { return true }
	b.walk()
	require.Len(t, b.sent, 1)
}

func TestWhatIsNotStoredGoesOutAgainMoreAndMoreRarely(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(1)
	b.walk()
	require.Len(t, b.sent, 1)
	var again []time.Duration
	for last := b.now; len(again) < 7; b.now = b.now.Add(time.Second) {
		before := len(b.sent)
		b.settle()
		if len(b.sent) > before {
			again = append(again, b.now.Sub(last))
			last = b.now
		}
	}
	require.Equal(t, []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 30e9, 30e9}, again)
	for _, m := range b.sent {
		require.Equal(t, b.sent[0].Key, m.Key)
	}
	b.store()
	b.settle()
	require.Zero(t, b.log.Unsettled())
}

func TestNothingGoesOutAgainWhilePostgreSQLCannotBeAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	away, err := pg.Open(t.Context(), b.db.AppURL, pg.Options{})
	require.NoError(t, err)
	b.open(away)
	b.connect()
	b.record(1)
	b.walk()
	require.Len(t, b.sent, 1)
	away.Close()
	for range 10 {
		b.now = b.now.Add(time.Minute)
		require.Error(t, b.log.Settle(t.Context()))
	}
	require.Len(t, b.sent, 1)
	require.Equal(t, 1, b.log.Unsettled(), "it is still held")
}

func TestALaterHolderEndsAnEarlierOne(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.db.Exec(t, "UPDATE panel_logs SET fence = 2")
	b.record(1)
	_, err := b.log.Look(t.Context())
	require.NoError(t, err)
	require.Empty(t, b.sent, "nothing is sent without a row of its segment")
	_, err = b.log.Look(t.Context())
	require.ErrorIs(t, err, panellog.ErrLost)
}

func TestTheLogOfAnEmptyMemoryBeginsAlthoughAFirstTryFailed(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.empty()
	b.open(b.db.Pool)
	b.connect()
	b.store()

	other, err := b.db.Pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "LOCK TABLE panel_logs IN EXCLUSIVE MODE")
	require.NoError(t, err)
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, b.log.Settle(soon))
	require.NoError(t, other.Rollback(t.Context()))

	require.False(t, b.log.Settled(), "something is left to do")
	b.settle()
	require.True(t, b.log.Begun())
	b.record(2)
	b.sent = nil
	b.walk()
	require.Len(t, b.sent, 2)
}

func TestADeadLetterCountsAsStored(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.follow()
	b.record(1)
	b.walk()
	b.db.Exec(t, `INSERT INTO dead_letters (dedup_key, lane, topic, body, reason) VALUES ($1, 'live', '', '', 'unreadable')`, b.sent[0].Key[:])
	b.settle()
	require.Zero(t, b.log.Unsettled())
	require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'"))
}
