package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Codes of records that the tests speak of.
const (
	codeBurglary    = 0x082
	codeFire        = 0x06E
	codePanic       = 0x07B
	codeZoneTamper  = 0x090
	codeMains       = 0x12D
	codeArming      = 0x191 // armed with the restore bit, else disarmed
	codePlainAccess = 0x1A6
	codeNobodyKnows = 0x0A0
)

// station is a database with sites, and an ingest over it.
type station struct {
	*testkit.Database
	in     *ingest.Ingest
	stored atomic.Int64 // calls of OnStored
	tag    atomic.Uint64
	index  atomic.Uint32
	now    time.Time
}

// segment is the one that every panel of the tests has; its row exists.
const segment = 1000

func newStation(t testing.TB, sites int, options ...func(*ingest.Deps)) *station {
	t.Helper()
	s := &station{Database: testkit.DB(t), now: time.Now().UTC().Truncate(time.Second)}
	for id := 1; id <= sites; id++ {
		s.addSite(t, id)
	}
	rules, err := ingest.InstallRules(context.Background(), s.Pool)
	require.NoError(t, err)
	deps := ingest.Deps{
		Pool: s.Pool, Logger: testkit.Logger(t), Metrics: prometheus.NewRegistry(), Rules: rules,
		OnStored: func() { s.stored.Add(1) },
	}
	for _, o := range options {
		o(&deps)
	}
	s.in = ingest.New(deps)
	return s
}

// addSite makes a site with a panel of the same number.
func (s *station) addSite(t testing.TB, id int) {
	t.Helper()
	s.Exec(t, "INSERT INTO sites (id, name, address, city) VALUES ($1, $2, 'ul. Prosta 1', 'Łódź')", id, fmt.Sprintf("Site %d", id))
	s.addPanel(t, id, id)
}

func (s *station) addPanel(t testing.TB, panel, site int) {
	t.Helper()
	s.Exec(t, "INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES ($1, $2, $3, $4, 10004, '')", panel, site, fmt.Sprintf("Panel %d", panel), fmt.Sprintf("10.0.0.%d", panel))
	s.Exec(t, "INSERT INTO panel_logs (panel_id, cursor_segment) VALUES ($1, 500)", panel)
	s.Exec(t, "INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record) VALUES ($1, $2, 1, '', '')", panel, segment)
	s.Exec(t, "INSERT INTO panel_objects (panel_id, kind, number, name) VALUES ($1, 'zone', 5, 'rear door'), ($1, 'zone', 7, 'corridor PIR'), ($1, 'partition', 1, 'shop'), ($1, 'user', 9, 'Ewa')", panel)
}

// signal is a record of a panel, as a test describes it.
type signal struct {
	panel     int // 0: panel 1
	code      int
	restore   bool
	source    int           // zone or user
	at        time.Time     // the panel's clock; the effective time is held by notBefore
	notBefore time.Time     // zero: at, so that the effective time is at
	received  time.Duration // after at
	segment   int64
	offset    int
	contact   bool
	readBack  bool // no look before it on this connection
	lane      bus.Lane
}

// message makes what a worker would publish. Each call is another record of the panel's
// memory, though it may say the same.
func (s *station) message(t testing.TB, g signal) bus.Message {
	t.Helper()
	g.panel, g.segment = max(g.panel, 1), max(g.segment, segment)
	n := s.index.Add(1)
	record, err := satel.NewRecord(satel.RecordFields{
		At: g.at.In(event.PanelZone()), Code: g.code, Restore: g.restore, Partition: 1, Source: g.source,
	})
	require.NoError(t, err)
	if g.notBefore.IsZero() && !g.readBack {
		g.notBefore = g.at
	}
	return s.encode(t, g.lane, wire.Report{
		PanelID: ids.PanelID(g.panel), Model: 3, ReceivedAt: g.at.Add(g.received), NotBefore: g.notBefore,
		Record: &wire.Record{
			Raw: record[:], Index: []byte{byte(n >> 16), byte(n >> 8), byte(n)}, Epoch: 1, Number: g.segment, Offset: g.offset, FirstContact: g.contact,
		},
	})
}

func (s *station) encode(t testing.TB, lane bus.Lane, r wire.Report) bus.Message {
	t.Helper()
	body, err := r.Encode()
	require.NoError(t, err)
	if lane == "" {
		lane = bus.Live
	}
	return bus.Message{
		Key: event.ReportKey(r), Lane: lane, Topic: fmt.Sprintf("satel.event.%d", r.PanelID),
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Body: body,
	}
}

func (s *station) inferred(t testing.TB, code, zone int, at time.Time) bus.Message {
	t.Helper()
	return s.encode(t, bus.Live, wire.Report{
		PanelID: 1, Model: 3, ReceivedAt: at,
		Inferred: &wire.Inferred{Code: code, Zone: zone, Partition: 1, Fence: 7, Seq: int64(s.index.Add(1))},
	})
}

func (s *station) deliver(msgs ...bus.Message) []bus.Delivery {
	out := make([]bus.Delivery, len(msgs))
	for i, m := range msgs {
		out[i] = bus.Delivery{Message: m, Attempt: 1, Tag: s.tag.Add(1)}
	}
	return out
}

// process gives messages as one batch and demands that all are stored or known.
func (s *station) process(t testing.TB, msgs ...bus.Message) {
	t.Helper()
	verdicts, err := s.in.Process(context.Background(), s.deliver(msgs...))
	require.NoError(t, err)
	for i, v := range verdicts {
		require.Equal(t, ingest.Ack, v.Outcome, "message %d: %s", i, v.Reason)
	}
}

// send gives one record after the other, each as a batch of its own.
func (s *station) send(t testing.TB, signals ...signal) {
	t.Helper()
	for _, g := range signals {
		s.process(t, s.message(t, g))
	}
}

// alarmRow is what the tests read of an alarm.
type alarmRow struct {
	ID        ids.AlarmID
	Kind      string
	Priority  int
	State     string
	Ring      int
	Joinable  bool
	Historic  bool
	Count     int
	Confirmed bool
	Restored  bool
	Zones     []int
	Previous  ids.AlarmID
	Version   int64
}

func (s *station) alarms(t testing.TB) []alarmRow {
	t.Helper()
	rows, err := s.Owner.Query(context.Background(), `
		SELECT id, kind, priority, state, ring, joinable, historic, event_count, confirmed_at IS NOT NULL, restored_at IS NOT NULL,
		       zones, coalesce(previous_id, 0), version
		FROM alarms ORDER BY id`)
	require.NoError(t, err)
	var out []alarmRow
	for rows.Next() {
		var a alarmRow
		require.NoError(t, rows.Scan(&a.ID, &a.Kind, &a.Priority, &a.State, &a.Ring, &a.Joinable, &a.Historic, &a.Count, &a.Confirmed, &a.Restored, &a.Zones, &a.Previous, &a.Version))
		out = append(out, a)
	}
	require.NoError(t, rows.Err())
	return out
}

// frame is a notification as it lies in the outbox.
type frame struct {
	Type     string
	Lane     int
	Site     ids.SiteID
	Version  int64
	Ring     int
	Trace    string
	Answered *time.Time
	Alarm    wire.Alarm
	Events   []wire.Event
}

func (s *station) frames(t testing.TB) []frame {
	t.Helper()
	rows, err := s.Owner.Query(context.Background(), `
		SELECT type, lane, site_id, version, ring, trace, answered_at, data::text FROM outbox WHERE audience = 'operators' ORDER BY id`)
	require.NoError(t, err)
	var out []frame
	for rows.Next() {
		var f frame
		var data string
		require.NoError(t, rows.Scan(&f.Type, &f.Lane, &f.Site, &f.Version, &f.Ring, &f.Trace, &f.Answered, &data))
		var d wire.AlarmData
		require.NoError(t, json.Unmarshal([]byte(data), &d))
		f.Alarm, f.Events = d.Alarm, d.Events
		out = append(out, f)
	}
	require.NoError(t, rows.Err())
	return out
}

// check demands what must hold whatever was sent: every event in exactly one frame, every
// event that names an alarm counted there, at most one joinable alarm of a kind.
func (s *station) check(t testing.TB) {
	t.Helper()
	told := map[ids.EventID]int{}
	for _, f := range s.frames(t) {
		for _, e := range f.Events {
			told[e.ID]++
			require.Equal(t, f.Site, e.SiteID)
			require.Equal(t, f.Alarm.ID, e.AlarmID, "an event lies in the frame of its alarm")
		}
	}
	rows, err := s.Owner.Query(context.Background(), "SELECT id::text FROM events")
	require.NoError(t, err)
	stored := 0
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		n := 0
		for e, times := range told {
			if e.String() == id {
				n = times
			}
		}
		require.Equal(t, 1, n, "event %s is in so many frames", id)
		stored++
	}
	require.NoError(t, rows.Err())
	require.Len(t, told, stored, "frames tell of stored events only")
	require.Zero(t, testkit.One[int](t, s.Database, `
		SELECT count(*)::int FROM alarms a WHERE event_count <> (SELECT count(*) FROM events e WHERE e.alarm_id = a.id)`), "an alarm counts its events")
}
