package schedules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/outbox"
	"dozor/internal/panellog"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
	"dozor/satel/sim"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	theSite  = ids.SiteID(1)
	thePanel = ids.PanelID(1)
)

// station is a whole dozor taken apart, so that a schedule can let its parts act and
// break in any order. Time is the schedule's own.
type station struct {
	t    *testing.T
	rng  *rand.Rand
	db   *testkit.Database
	now  time.Time
	log  *slog.Logger
	said []string // what happened, for the one who reads a failure

	panel    *sim.Panel
	sequence int // of the panel's records, makes each unlike any other
	linkUp   bool

	workers []*worker
	fence   int64

	queue  []bus.Message // what the bus holds
	tag    uint64
	ingest *ingest.Ingest
	relays []*outbox.Relay
	screen *screen

	saved string // salt under which the last snapshot was taken, empty: none
	salt  int
}

// worker is a process that holds, or believes to hold, the panel.
type worker struct {
	log       *panellog.Log
	connected bool
	held      int // unsettled messages, as the log tells
}

func newStation(t *testing.T, db *testkit.Database, seed uint64) *station {
	s := &station{
		t: t, db: db, rng: rand.New(rand.NewPCG(seed, 1)), linkUp: true,
		now: time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC),
	}
	s.log = slog.New(notes{s})
	s.reset()
	panel, err := sim.New(sim.Config{
		LogCapacity: 12 + s.rng.IntN(29), LogDelay: -1, ReportDelay: time.Minute, Seed: seed,
		Now: func() time.Time { return s.now },
	})
	require.NoError(t, err)
	s.panel = panel
	s.ingest = ingest.New(ingest.Deps{Pool: db.Pool, Logger: s.log, Metrics: prometheus.NewRegistry()})
	s.screen = newScreen(s)
	for range 2 {
		s.relays = append(s.relays, outbox.NewRelay(outbox.Config{DB: db.Direct, Fanout: s.screen, Log: s.log}))
	}
	return s
}

// note keeps what happened; the list is printed when the schedule fails.
func (s *station) note(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

// notes keeps what the parts say in the list of what happened.
type notes struct{ s *station }

func (n notes) Enabled(context.Context, slog.Level) bool { return true }
func (n notes) WithAttrs([]slog.Attr) slog.Handler       { return n }
func (n notes) WithGroup(string) slog.Handler            { return n }

func (n notes) Handle(_ context.Context, r slog.Record) error {
	line := "  log: " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	n.s.note("%s", line)
	return nil
}

// kept are the tables that a failover may take back.
var kept = []string{
	"alarms", "alarm_actions", "events", "event_keys", "dead_letters", "provisional_matches",
	"panel_logs", "panel_log_epochs", "panel_log_segments", "outbox", "stream_head",
}

// reset empties the database for the next schedule; the clock of the database follows
// the schedule's.
func (s *station) reset() {
	b := &pgx.Batch{}
	for _, table := range []string{
		"alarm_actions", "provisional_matches", "events", "event_keys", "dead_letters", "outbox", "alarms",
		"panel_log_segments", "panel_log_epochs", "panel_logs", "panels", "sites",
	} {
		b.Queue("DELETE FROM " + table)
	}
	b.Queue(`UPDATE station_clock SET salt = '', shift = $1::timestamptz - clock_timestamp()`, s.now)
	b.Queue(`UPDATE stream_head SET epoch = 1, last = 0, published = 0, timeline = dozor_timeline()`)
	b.Queue(`INSERT INTO sites (id, name) VALUES ($1, 'Hurtownia')`, theSite)
	b.Queue(`INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES ($1, $2, 'Centrala', 'h', 1, '')`, thePanel, theSite)
	require.NoError(s.t, s.db.Owner.SendBatch(context.Background(), b).Close())
}

// prepare makes the places where snapshots are kept.
func prepare(t *testing.T, db *testkit.Database) {
	db.Exec(t, "CREATE SCHEMA snapshot")
	for _, table := range kept {
		db.Exec(t, "CREATE TABLE snapshot."+table+" (LIKE public."+table+")")
	}
}

// snapshot remembers what the database has now: a standby that is cut off from here on.
func (s *station) snapshot() {
	b := &pgx.Batch{}
	for _, table := range kept {
		b.Queue("DELETE FROM snapshot." + table)
		b.Queue("INSERT INTO snapshot." + table + " SELECT * FROM public." + table)
	}
	require.NoError(s.t, s.db.Owner.SendBatch(context.Background(), b).Close())
	s.saved = "yes"
	s.note("a standby stops following")
}

// failover begins another life of the database. The standby may lack the last commits.
func (s *station) failover(lossy bool) {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	if lossy && s.saved != "" {
		b.Queue("SET LOCAL session_replication_role = replica") // no foreign keys while tables are exchanged
		for _, table := range kept {
			b.Queue("DELETE FROM public." + table)
			b.Queue("INSERT INTO public." + table + " OVERRIDING SYSTEM VALUE SELECT * FROM snapshot." + table)
		}
	}
	s.salt++
	b.Queue("UPDATE station_clock SET salt = $1", fmt.Sprintf("+%d", s.salt))
	b.Queue("COMMIT")
	require.NoError(s.t, s.db.Owner.SendBatch(context.Background(), b).Close())
	s.note("failover, lossy %v", lossy && s.saved != "")
	s.saved = ""
	s.pass(2 * time.Second) // no failover is faster, and epochs rely on it
}

// pass lets time go by for panel, workers and database alike.
func (s *station) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.db.Exec(s.t, `UPDATE station_clock SET shift = $1::timestamptz - clock_timestamp()`, s.now)
}

// record lets the panel record something that it never recorded before.
func (s *station) record() {
	s.sequence++
	codes := []struct {
		code    int
		restore bool
		class   satel.Class
	}{{130, false, satel.ClassZoneAlarm}, {130, true, satel.ClassZoneAlarm}, {401, true, satel.ClassArming}, {120, false, satel.ClassPartitionAlarm}, {110, false, satel.ClassZoneAlarm}}
	c := codes[s.rng.IntN(len(codes))]
	r, err := satel.NewRecord(satel.RecordFields{
		At: s.panel.Clock(), Class: c.class, Code: c.code, Restore: c.restore,
		Partition: 1 + s.sequence%4, Source: 1 + s.sequence%120, Object: 1 + s.sequence/120%8, UserControl: s.sequence / 960 % 32,
	})
	require.NoError(s.t, err)
	s.panel.Record(r)
}

var errLink = errors.New("the link dropped")

// line is the connection of one worker to the panel; it drops where the schedule says.
type line struct {
	s *station
	w *worker
	// safe is set while everything works again.
	safe bool
}

func (l line) Newest(ctx context.Context) (satel.LogEntry, time.Time, error) {
	return l.Older(ctx, satel.NewestIndex)
}

func (l line) Older(_ context.Context, arg satel.Index) (satel.LogEntry, time.Time, error) {
	if !l.s.linkUp || !l.w.connected {
		return satel.LogEntry{}, time.Time{}, errLink
	}
	if !l.safe {
		switch n := l.s.rng.IntN(100); {
		case n < 2:
			l.w.connected = false
			return satel.LogEntry{}, time.Time{}, errLink
		case n < 12:
			l.s.record() // between question and answer
		case n < 14:
			for range 5 + l.s.rng.IntN(40) {
				l.s.record()
			}
		}
	}
	e := l.s.panel.ReadLog(arg)
	l.s.note("  worker %p reads %s: %s", l.w, arg, l.s.name(e))
	return e, l.s.now, nil
}

// start adds a worker that took the panel over.
func (s *station) start() *worker {
	s.fence++
	w := &worker{}
	w.log = panellog.New(panellog.Config{
		Panel: thePanel, Fence: s.fence, Pool: s.db.Pool, Logger: s.log, Location: event.PanelZone(),
		Clock: func() time.Time { return s.now }, Send: s.send, Trace: func() string { return "" },
		Room: func(bool) bool { return true }, Held: func(delta int) { w.held += delta },
	})
	s.workers = append(s.workers, w)
	s.note("worker %d starts", s.fence)
	return w
}

// name says which of the panel's records an entry holds.
func (s *station) name(e satel.LogEntry) string {
	if !e.Record.Present() {
		return "nothing"
	}
	for _, known := range s.panel.Events(0, 0) {
		if known.Record.Masked() == e.Record.Masked() {
			return fmt.Sprintf("record %d at %s", known.Sequence, e.Index)
		}
	}
	return "a record that was never recorded"
}

// send puts messages on the bus, of which some never arrive.
func (s *station) send(msgs []bus.Message) {
	for _, m := range msgs {
		s.note("  sent %s", s.describe(m))
		switch n := s.rng.IntN(100); {
		case n < 10: // lost with its connection
		case n < 15:
			s.queue = append(s.queue, m, m)
		default:
			s.queue = append(s.queue, m)
		}
	}
}

func (s *station) describe(m bus.Message) string {
	report, err := wire.DecodeReport(m.Body)
	require.NoError(s.t, err)
	if r := report.Record; r != nil {
		return fmt.Sprintf("%s as epoch %d segment %d offset %d", s.name(satel.LogEntry{Record: satel.Record(r.Raw), Index: satel.Index(r.Index)}), r.Epoch, r.Number, r.Offset)
	}
	return fmt.Sprint(report.Station.Code, report.Station.Args)
}

// deliver gives a random part of the queue to ingest, in random order. A crash before
// the ack brings all of it again.
func (s *station) deliver(crash bool) {
	if len(s.queue) == 0 {
		return
	}
	s.rng.Shuffle(len(s.queue), func(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] })
	n := 1 + s.rng.IntN(len(s.queue))
	batch := make([]bus.Delivery, n)
	for i, m := range s.queue[:n] {
		s.tag++
		batch[i] = bus.Delivery{Message: m, Attempt: 1, Tag: s.tag}
	}
	verdicts, err := s.ingest.Process(context.Background(), batch)
	require.NoError(s.t, err)
	if crash {
		s.note("ingest crashes before the ack of %d", n)
		return
	}
	rest := append([]bus.Message{}, s.queue[n:]...)
	for i, v := range verdicts {
		require.NotEqual(s.t, ingest.Dead, v.Outcome, "%s", v.Reason)
		if v.Outcome == ingest.Later {
			rest = append(rest, batch[i].Message)
		}
	}
	s.queue = rest
}
