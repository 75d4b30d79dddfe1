package worker_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/desk"
	"dozor/internal/event"
	"dozor/internal/obs"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/worker"
	"dozor/satel"
	"dozor/satel/sim"
)

// hastyWorker reads names without pauses; a round follows a sign at once.
func (s *station) hastyWorker(name string) (stop func()) {
	w := worker.New(worker.Config{
		Instance: name, Pool: s.db.Pool, Bus: s.bus, Leases: s.live, States: s.live, Panels: s.sites,
		Commands: s.commands, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Trace: obs.NewTrace, Metrics: prometheus.NewRegistry(),
		Poll: 100 * time.Millisecond, MinGap: time.Millisecond, MaxPanels: 10,
	})
	w.Hasten(0, 24*time.Hour, time.Millisecond)
	return s.background(w.Run)
}

func (s *station) rounds() bool {
	return testkit.One[bool](s.t, s.db, "SELECT EXISTS (SELECT FROM panel_surveys WHERE finished_at IS NOT NULL AND place = 0 AND due_at > dozor_now() + interval '1 hour')")
}

func (s *station) objects(kind string) map[int]site.Object {
	all, err := s.sites.Objects(s.t.Context(), s.id)
	require.NoError(s.t, err)
	of := map[int]site.Object{}
	for _, o := range all {
		if o.Kind == kind {
			of[o.Number] = o
		}
	}
	return of
}

func TestWhatAPanelCallsItsPartsIsReadAndItsChangesAreRecorded(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.rebuild(sim.Config{Model: "INTEGRA 24"})
	stop := s.hastyWorker("w1")
	s.eventually("a whole round is read", s.rounds)
	require.Equal(t, "Drzwi wejściowe", s.objects("zone")[1].Name)
	require.Equal(t, 1, s.objects("zone")[1].Partition)
	require.Len(t, s.objects("partition"), 2)
	require.Len(t, s.objects("user"), 1)
	require.Equal(t, "Ekspander wejść", s.objects("expander")[0].Name)
	require.Equal(t, "ETHM-1 Plus", s.objects("keypad")[1].Name)
	changes, _, err := s.sites.Changes(t.Context(), s.id, 0, 100)
	require.NoError(t, err)
	require.Empty(t, changes, "what is seen for the first time has not changed")
	stop()

	// Somebody rebuilds the panel: a zone goes, one reacts otherwise, one has another name.
	site2 := sim.DefaultSite(code)
	site2.Zones = site2.Zones[1:]
	site2.Zones[0].Name = "Salon"
	site2.Zones[1].Reaction = sim.Instant
	s.rebuild(sim.Config{Model: "INTEGRA 24", Site: &site2})
	programmed, err := satel.NewRecord(satel.RecordFields{At: time.Now(), Class: satel.ClassSystem, Code: 0x274})
	require.NoError(t, err)
	s.panel.Record(programmed)
	s.hastyWorker("w2")
	var seen []site.Change
	s.eventually("the changes are recorded after the sign", func() bool {
		seen, _, err = s.sites.Changes(t.Context(), s.id, 0, 100)
		require.NoError(t, err)
		return len(seen) == 3 && s.rounds()
	})
	what := map[string]site.Change{}
	for _, c := range seen {
		what[c.Kind+" "+strconv.Itoa(c.Number)+" "+c.What] = c
	}
	require.True(t, what["zone 1 vanished"].Grave)
	require.Equal(t, "Drzwi wejściowe", what["zone 1 vanished"].Was)
	require.False(t, what["zone 2 name"].Grave)
	require.Equal(t, "Salon", what["zone 2 name"].Is)
	require.True(t, what["zone 3 function"].Grave)
	require.NotEmpty(t, what["zone 3 function"].IsPL, "a reaction has its word")
	require.NotContains(t, s.objects("zone"), 1)
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*) FROM audit WHERE act = 'panel.changed'"))
}

// rebuild puts another panel in the place of the one that is there.
func (s *station) rebuild(c sim.Config) {
	s.t.Helper()
	ctx := context.Background()
	c.Code, c.LogDelay, c.AnswerDelay, c.MinGap = code, -1, time.Millisecond, -1
	require.NoError(s.t, s.sim.Stop(ctx))
	var err error
	s.panel, err = sim.New(c)
	require.NoError(s.t, err)
	s.sim, err = sim.NewServer(sim.ServerConfig{Panels: []*sim.Panel{s.panel}})
	require.NoError(s.t, err)
	require.NoError(s.t, s.sim.Start(ctx))
	host, port, err := net.SplitHostPort(s.sim.PanelAddr(1))
	require.NoError(s.t, err)
	s.db.Exec(s.t, "UPDATE panels SET host = $1, port = $2::int, reach = reach + 1", host, port)
}

func TestAReadingOfNamesThatIsCutGoesOnAndNothingVanishes(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.rebuild(sim.Config{Model: "INTEGRA 24"})
	s.hastyWorker("w1")
	for range 2 {
		place := testkit.One[int](t, s.db, "SELECT coalesce(max(place), 0) FROM panel_surveys")
		s.eventually("more names are saved", func() bool {
			return s.rounds() || testkit.One[int](t, s.db, "SELECT coalesce(max(place), 0) FROM panel_surveys") > place
		})
		s.panel.HangUp()
	}
	s.eventually("the round ends", s.rounds)
	require.Len(t, s.objects("zone"), 16)
	// A module that answers nothing any more says nothing about zones.
	s.panel.Record(signOfSettings(t))
	s.eventually("the sign is heeded", func() bool {
		return testkit.One[int](t, s.db, "SELECT length(signs) FROM panel_surveys") > 0
	})
	s.panel.SetLink(sim.LinkHung, 2*time.Second)
	s.eventually("the round after the sign ends", s.rounds)
	changes, _, err := s.sites.Changes(t.Context(), s.id, 0, 10)
	require.NoError(t, err)
	require.Empty(t, changes)
	require.Len(t, s.objects("zone"), 16)
}

func signOfSettings(t *testing.T) satel.Record {
	t.Helper()
	r, err := satel.NewRecord(satel.RecordFields{At: time.Now(), Class: satel.ClassSystem, Code: 0x020})
	require.NoError(t, err)
	return r
}

func TestThePanelsOwnWordsForAnUnknownEventFollowTheAlarm(t *testing.T) {
	t.Parallel()
	const unknown = 0x0A0
	s := newStation(t, code)
	built := sim.DefaultSite(code)
	built.EventTexts = map[int]string{unknown: "Zalanie czujki"}
	s.rebuild(sim.Config{Site: &built})
	d := desk.New(desk.Deps{Pool: s.db.Pool, Notified: func() {}})
	s.hastyWorker("w1")
	s.followed()
	record, err := satel.NewRecord(satel.RecordFields{At: time.Now(), Class: satel.ClassZoneAlarm, Code: unknown, Source: 5})
	require.NoError(t, err)
	s.panel.Record(record)
	s.eventually("the alarm is there and the words are", func() bool {
		return s.count("unclassified AND alarm_id IS NOT NULL") == 1 && testkit.One[int](t, s.db, "SELECT count(*) FROM event_texts WHERE text = 'Zalanie czujki'") == 1
	})
	told, err := d.TellWords(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, told)
	frame := testkit.One[string](t, s.db, "SELECT data::text FROM outbox WHERE type = 'alarm.updated' ORDER BY id DESC LIMIT 1")
	require.Contains(t, frame, "Zalanie czujki (zdarzenie 160 spoza tabeli")

	// The next one has them from the start, and nobody asks the panel again.
	s.panel.Record(record)
	s.eventually("the second event is stored", func() bool { return s.count("unclassified") == 2 })
	require.Contains(t, testkit.One[string](t, s.db, "SELECT data::text FROM outbox ORDER BY id DESC LIMIT 1"), "Zalanie czujki")
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*) FROM event_texts"))
	told, err = d.TellWords(t.Context())
	require.NoError(t, err)
	require.Zero(t, told)
}

func TestALiveAlarmDoesNotWaitForFiveThousandUnreadRecords(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	days := 72 * time.Hour
	shift := -days
	panelNow := func() time.Time { return time.Now().Add(shift) }
	s.rebuild(sim.Config{Now: panelNow})
	stop := s.hastyWorker("w1")
	s.followed()
	stop()
	const unread = 5000
	_, err := s.panel.Burst(unread, sim.BurstMixed)
	require.NoError(t, err)
	s.hastyWorker("w2")
	s.eventually("the memory is being read back", func() bool { return s.count("raw IS NOT NULL") > 100 })
	require.Less(t, s.count("raw IS NOT NULL"), unread)

	live := func() int { return s.count("kind = 'panic' AND received_at > $1 AND zone = $2", s.pressed, panicZone) }
	s.pressed = time.Now()
	record, err := satel.NewRecord(satel.RecordFields{At: time.Now().In(event.PanelZone()), Class: satel.ClassZoneAlarm, Code: 0x078, Source: panicZone})
	require.NoError(t, err)
	s.panel.Record(record)
	s.eventually("the alarm is stored", func() bool { return live() == 1 })
	took := time.Since(s.pressed)
	require.Less(t, s.count("raw IS NOT NULL"), unread, "while history is still being read")
	require.Less(t, took, time.Second)
	s.eventually("all is caught up", func() bool {
		return s.count("raw IS NOT NULL") == unread+1 && testkit.One[int](t, s.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'") == 0
	})
	require.Equal(t, unread+1, testkit.One[int](t, s.db, "SELECT count(DISTINCT (log_index, raw)) FROM events WHERE raw IS NOT NULL"))
	t.Logf("the alarm took %v", took)
}
