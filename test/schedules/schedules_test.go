package schedules

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/panellog"
	"dozor/internal/testkit"
	"dozor/satel"
)

// steps of a schedule, before everything works again.
const steps = 60

func TestSchedules(t *testing.T) {
	t.Parallel()
	count, first := setting("DOZOR_SCHEDULES", 2000), uint64(setting("DOZOR_SEED", int(time.Now().UnixNano()%1_000_000_000)))
	t.Logf("%d schedules from seed %d", count, first)
	const lanes = 4
	for lane := range lanes {
		t.Run("lane "+strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			db := testkit.DB(t)
			prepare(t, db)
			for n := lane; n < count && !t.Failed(); n += lanes {
				play(t, db, first+uint64(n))
			}
		})
	}
}

func setting(name string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return standard
}

func play(t *testing.T, db *testkit.Database, seed uint64) {
	s := newStation(t, db, seed)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d:\n%s", seed, strings.Join(s.said, "\n"))
		}
	}()
	for range s.rng.IntN(30) {
		s.record()
	}
	s.start()
	for range steps {
		s.step()
	}
	s.settle()
	s.check()
}

// step lets one thing happen.
func (s *station) step() {
	w := s.workers[s.rng.IntN(len(s.workers))]
	switch n := s.rng.IntN(100); {
	case n < 15:
		for range 1 + s.rng.IntN(4) {
			s.record()
		}
	case n < 20:
		s.pass(time.Duration(1+s.rng.IntN(40)) * time.Second)
	case n < 50:
		s.work(w, false)
	case n < 58:
		s.tolerate(w, w.log.Settle(context.Background()))
	case n < 75:
		s.deliver(s.rng.IntN(10) == 0)
	case n < 85:
		s.relay(s.rng.IntN(2))
	case n < 87:
		w.connected = false
	case n < 89:
		s.linkUp = !s.linkUp
	case n < 91 && len(s.workers) < 3:
		s.start()
	case n < 93:
		s.note("worker crashes")
		s.workers[0] = s.workers[len(s.workers)-1]
		s.workers = s.workers[:len(s.workers)-1]
		s.start()
	case n < 95:
		// What was lost with the whole log of a panel, nobody can know.
		if testkit.One[bool](s.t, s.db, "SELECT EXISTS (SELECT FROM panel_logs)") {
			s.snapshot()
		}
	case n < 97:
		s.failover(s.rng.IntN(3) > 0)
	case n < 98:
		s.note("the memory is erased")
		s.pass(time.Minute) // so that no two records that say so are alike
		s.panel.EraseMemory()
	case n < 99:
		s.screen.deaf = !s.screen.deaf
	default:
		for range 50 {
			s.record()
		}
	}
}

// work connects a worker or lets it look, walk a little and settle.
func (s *station) work(w *worker, safe bool) (idle bool) {
	ctx := context.Background()
	if !s.linkUp {
		return true
	}
	if !w.connected {
		w.connected = true
		s.tolerate(w, w.log.Connect(ctx, line{s, w, safe}))
		return false
	}
	if s.rng.IntN(3) == 0 || safe {
		if _, err := w.log.Look(ctx); err != nil {
			s.tolerate(w, err)
			return false
		}
	}
	for range 1 + s.rng.IntN(30) {
		idle, err := w.log.Step(ctx)
		if err != nil {
			s.tolerate(w, err)
			return false
		}
		if idle {
			return true
		}
	}
	return false
}

// tolerate takes what a worker may meet: a dropped link, and a panel taken over.
func (s *station) tolerate(w *worker, err error) {
	switch {
	case err == nil:
	case errors.Is(err, errLink):
		w.connected = false
	case errors.Is(err, panellog.ErrLost):
		w.connected = false
	default:
		require.NoError(s.t, err)
	}
}

func (s *station) relay(i int) {
	_, err := s.relays[i].Stamp(context.Background())
	require.NoError(s.t, err)
}

// settle lets everything work again until nothing is left to do.
func (s *station) settle() {
	s.note("everything works again")
	ctx := context.Background()
	s.linkUp, s.screen.deaf = true, false
	for _, w := range s.workers {
		w.log.Close()
		require.Zero(s.t, w.held, "a closed log holds nothing")
	}
	s.workers = nil
	w := s.start()
	quiet := 0
	for n := 0; quiet < 4; n++ {
		require.Less(s.t, n, 3000, "the station does not come to rest")
		idle := s.work(w, true)
		s.tolerate(w, w.log.Settle(ctx))
		for len(s.queue) > 0 {
			s.deliver(false)
		}
		s.tolerate(w, w.log.Settle(ctx))
		s.relay(0)
		if w.log.Unsettled() > 0 {
			s.pass(31 * time.Second)
		}
		if idle && w.connected && w.log.Unsettled() == 0 && w.log.Ready() {
			quiet++
		} else {
			quiet = 0
		}
	}
	require.Zero(s.t, w.held, "what is settled is not held")
	s.relays[1] = outbox.NewRelay(outbox.Config{DB: s.db.Direct, Fanout: s.screen, Log: s.log})
	s.pass(time.Second)
	s.relay(1)
	s.screen.catchUp()
}

// check compares what the panel knows with what the station knows.
func (s *station) check() {
	t, ctx := s.t, context.Background()
	type stored struct {
		epoch   int
		segment int64
		offset  int
	}
	events := map[satel.Record][]stored{}
	rows, err := s.db.Pool.Query(ctx, "SELECT raw, epoch, segment, log_offset FROM events WHERE raw IS NOT NULL ORDER BY epoch, segment, log_offset")
	require.NoError(t, err)
	for rows.Next() {
		var raw []byte
		var e stored
		require.NoError(t, rows.Scan(&raw, &e.epoch, &e.segment, &e.offset))
		r := satel.Record(raw).Masked()
		events[r] = append(events[r], e)
	}
	require.NoError(t, rows.Err())

	open := testkit.One[int](t, s.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'")
	require.Zero(t, open, "segments are still open")

	readable := map[satel.Record]bool{}
	for arg := satel.NewestIndex; ; {
		e := s.panel.ReadLog(arg)
		if !e.Record.Present() {
			break
		}
		readable[e.Record.Masked()] = true
		arg = e.Index
	}
	gaps := testkit.One[int](t, s.db, "SELECT count(*) FROM events WHERE kind = 'memory_gap'")
	var last stored
	// What lies behind the record that was the newest at first contact is history: kept as
	// far as it can be read, missed by nobody.
	var top []byte
	require.NoError(t, s.db.Pool.QueryRow(ctx, "SELECT top_record FROM panel_log_segments ORDER BY number LIMIT 1").Scan(&top))
	missing, history := 0, true
	for _, e := range s.panel.Events(0, 0) {
		r := e.Record.Masked()
		found := events[r]
		if len(found) > 1 {
			require.Fail(t, "one record has two events", "record %d: %v", e.Sequence, found)
		}
		if len(found) == 0 && history {
			continue
		}
		history = history && r != satel.Record(top).Masked()
		if len(found) == 0 {
			missing++
			require.False(t, readable[r], "record %d can be read and has no event", e.Sequence)
			continue
		}
		here := found[0]
		inOrder := here.epoch > last.epoch || here.epoch == last.epoch && (here.segment > last.segment || here.segment == last.segment && here.offset > last.offset)
		require.True(t, inOrder, "record %d stands at %v after %v", e.Sequence, here, last)
		last = here
	}
	if missing > 0 {
		require.NotZero(t, gaps, "%d records are missing and nobody said so", missing)
	}

	// What the screen knows is what the database has.
	versions := map[int64]int64{}
	rows, err = s.db.Pool.Query(ctx, "SELECT id, version FROM alarms")
	require.NoError(t, err)
	for rows.Next() {
		var id, version int64
		require.NoError(t, rows.Scan(&id, &version))
		versions[id] = version
	}
	require.NoError(t, rows.Err())
	for id, version := range versions {
		require.Equal(t, version, s.screen.versions[ids.AlarmID(id)], "the screen's version of alarm %d", id)
	}
	require.Zero(t, testkit.One[int](t, s.db, "SELECT count(*) FROM outbox WHERE position IS NULL"), "notifications without a position")
}
