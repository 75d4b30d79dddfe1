package worker_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/bus"
	"dozor/internal/bus/pgbus"
	"dozor/internal/command"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/obs"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/worker"
	"dozor/satel"
	"dozor/satel/client"
	"dozor/satel/sim"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const code = "4711"

// Zones of the default site that raise an alarm at any time.
const (
	panicZone = 7
	smokeZone = 8
)

// station is everything between a simulated panel and the database, in this process.
type station struct {
	t        *testing.T
	db       *testkit.Database
	hints    *pg.Hints
	bus      *pgbus.Bus
	live     *pglive.Store
	sites    *site.Sites
	commands *command.Commands
	sim      *sim.Server
	panel    *sim.Panel
	id       ids.PanelID
	user     access.Principal
	pressed  time.Time
	ahead    atomic.Int64 // of the workers' clock, ns
}

func newStation(t *testing.T, storedCode string) *station {
	t.Helper()
	ctx := context.Background()
	db := testkit.DB(t)
	log := slog.New(slog.DiscardHandler)
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	s := &station{t: t, db: db, hints: pg.NewHints(db.Pool, db.Direct, log)}
	s.bus, s.live = pgbus.New(db.Pool, db.Direct, s.hints, log), pglive.New(db.Pool, s.hints, log)
	trail := audit.New(ring, "test")
	s.sites = site.New(site.Deps{Pool: db.Pool, Keyring: ring, Audit: trail, States: s.live})
	s.commands = command.New(command.Deps{Pool: db.Pool, Audit: trail, Links: s.live})

	s.panel, err = sim.New(sim.Config{Code: code, LogDelay: 50 * time.Millisecond, AnswerDelay: 2 * time.Millisecond, MinGap: time.Millisecond})
	require.NoError(t, err)
	s.sim, err = sim.NewServer(sim.ServerConfig{Panels: []*sim.Panel{s.panel}})
	require.NoError(t, err)
	require.NoError(t, s.sim.Start(ctx))
	t.Cleanup(func() { require.NoError(t, s.sim.Stop(ctx)) })

	host, port, err := net.SplitHostPort(s.sim.PanelAddr(1))
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	by := access.Station("test")
	siteID, err := s.sites.CreateSite(ctx, by, site.NewSite{Name: "Sklep"})
	require.NoError(t, err)
	s.id, err = s.sites.CreatePanel(ctx, by, site.NewPanel{
		SiteID: siteID, Name: "Centrala", Host: host, Port: number,
		Code: secret.Redacted(storedCode), Enabled: true,
	})
	require.NoError(t, err)
	db.Exec(t, `INSERT INTO users (id, login, name, role, password_hash) VALUES (1, 'nowak', 'Anna Nowak', 'operator', '')`)
	s.user = access.Principal{UserID: 1, Login: "nowak", Role: access.Operator}

	in := ingest.New(ingest.Deps{Pool: db.Pool, Logger: log, Metrics: prometheus.NewRegistry(), Buses: []bus.Bus{s.bus}})
	s.background(s.hints.Run)
	s.background(in.Run)
	return s
}

// background runs a service until the test ends, or until the function returned is called.
func (s *station) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil {
			s.t.Errorf("a service ended: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	s.t.Cleanup(stop)
	return stop
}

func (s *station) startWorker(name string) (stop func()) {
	w := worker.New(worker.Config{
		Instance: name, Pool: s.db.Pool, Bus: s.bus, Leases: s.live, States: s.live, Panels: s.sites,
		Commands: s.commands, Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }, Trace: obs.NewTrace, Metrics: prometheus.NewRegistry(),
		Poll: 100 * time.Millisecond, Subscribe: true, MinGap: client.DefaultMinGap, MaxPanels: 10,
	})
	return s.background(w.Run)
}

// eventually waits for what takes as long as it takes; its limit only ends a broken test.
func (s *station) eventually(what string, met func() bool) {
	s.t.Helper()
	require.Eventually(s.t, met, 30*time.Second, 10*time.Millisecond, what)
}

func (s *station) state() live.PanelState {
	states, err := s.live.States(context.Background(), s.id)
	require.NoError(s.t, err)
	if len(states) == 0 {
		return live.PanelState{}
	}
	return states[0]
}

func (s *station) followed() {
	s.t.Helper()
	s.eventually("the panel's memory is followed", func() bool {
		return s.state().Link == live.LinkUp && testkit.One[bool](s.t, s.db, "SELECT EXISTS (SELECT FROM panel_logs)")
	})
}

// asked reports whether the panel was asked for something on its newest connection.
func (s *station) asked(cmd satel.Command) bool {
	connections := s.panel.Connections()
	return len(connections) > 0 && connections[len(connections)-1].Requests[cmd] > 0
}

func (s *station) count(where string, args ...any) int {
	return testkit.One[int](s.t, s.db, "SELECT count(*) FROM events WHERE "+where, args...)
}

func TestWhatThePanelRecordsIsStoredOnceAndTheCursorFollows(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	_, err := s.panel.Burst(120, sim.BurstMixed)
	require.NoError(t, err)
	s.eventually("every record is stored and every segment closed", func() bool {
		return s.count("raw IS NOT NULL") == 120 && testkit.One[int](t, s.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'") == 0
	})
	require.Equal(t, 120, testkit.One[int](t, s.db, "SELECT count(DISTINCT (log_index, raw)) FROM events WHERE raw IS NOT NULL"))
}

func TestAnAlarmWithoutARecordIsOnScreenAndRingsOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.eventually("the lists are known", func() bool { return s.asked(satel.CmdArmed) && s.count("true") > 0 })
	s.panel.SetLogMode(sim.LogLate, 3*time.Second)
	_, err := s.panel.Violate(smokeZone)
	require.NoError(t, err)
	s.eventually("an alarm is inferred from the bits", func() bool { return s.count("provisional AND zone = $1", smokeZone) == 1 })
	require.Zero(t, s.count("raw IS NOT NULL AND zone = $1", smokeZone), "the record is not there yet")
	s.eventually("the record comes", func() bool { return s.count("raw IS NOT NULL AND zone = $1 AND NOT restore", smokeZone) == 1 })
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*) FROM alarms WHERE kind = 'fire'"), "both tell of one alarm")
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT ring FROM alarms WHERE kind = 'fire'"))
}

func TestARecordInTimeLeavesNothingToInfer(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	for _, zone := range []int{panicZone, smokeZone} {
		_, err := s.panel.Violate(zone)
		require.NoError(t, err)
	}
	s.eventually("both alarms are stored", func() bool { return s.count("raw IS NOT NULL AND NOT restore AND zone IN (7, 8)") == 2 })
	s.eventually("the bits are in the live state", func() bool { return len(s.state().ZonesAlarm) == 2 })
	s.eventually("and a later record shows that the time for inference has passed", func() bool {
		if s.count("raw IS NOT NULL AND restore") == 0 {
			_, err := s.panel.RestoreZone(smokeZone)
			require.NoError(t, err)
			return false
		}
		return true
	})
	require.Zero(t, s.count("provisional"))
}

func TestAnotherWorkerGoesOnWhereOneStopped(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	stop := s.startWorker("w1")
	s.followed()
	_, err := s.panel.Burst(20, sim.BurstMixed)
	require.NoError(t, err)
	s.eventually("some are stored", func() bool { return s.count("raw IS NOT NULL") > 0 })
	stop()
	_, err = s.panel.Burst(20, sim.BurstMixed)
	require.NoError(t, err)
	s.startWorker("w2")
	s.eventually("all are stored", func() bool { return s.count("raw IS NOT NULL") == 40 })
	require.Zero(t, s.count("kind = 'memory_gap' AND text LIKE '%\"code\":\"memory_gap\"%'"))
}

func (s *station) order(kind command.Kind, within time.Duration) ids.CommandID {
	s.t.Helper()
	view, err := s.commands.Request(context.Background(), s.user, command.Order{PanelID: s.id, Kind: kind, Targets: command.Targets{Partitions: []int{2}}, Within: within})
	require.NoError(s.t, err)
	return view.ID
}

func (s *station) ended(id ids.CommandID) (state, result string) {
	s.t.Helper()
	s.eventually("the command ends", func() bool {
		require.NoError(s.t, s.db.Owner.QueryRow(context.Background(), "SELECT state, result FROM commands WHERE id = $1", id).Scan(&state, &result))
		return state != "queued" && state != "executing"
	})
	return state, result
}

func TestACommandArmsAndItsResultIsRecorded(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	state, result := s.ended(s.order(command.Arm, 15*time.Second))
	require.Equal(t, "done", state, result)
	s.eventually("the exit time runs", func() bool { return len(s.state().ExitTime) == 1 })
	require.Len(t, s.panel.Commands(), 1)
}

func TestAWrongCodeIsRefusedAndNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStation(t, "9999")
	s.startWorker("w1")
	s.followed()
	state, result := s.ended(s.order(command.Arm, 15*time.Second))
	require.Equal(t, "refused", state)
	require.Equal(t, "wrong_code", result)
	require.Len(t, s.panel.Commands(), 1)
}

func TestAHangingPanelGetsNoCommandAfterItsDeadline(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.panel.SetLink(sim.LinkHung, 0)
	id := s.order(command.Disarm, command.MinWithin)
	s.eventually("the deadline passes", func() bool {
		return testkit.One[bool](t, s.db, "SELECT deadline_at < dozor_now() FROM commands WHERE id = $1", id)
	})
	_, err := s.commands.Sweep(context.Background())
	require.NoError(t, err)
	s.panel.SetLink(sim.LinkNormal, 0)
	state, _ := s.ended(id)
	require.Contains(t, []string{"expired", "unknown", "refused"}, state)
	s.followed()
	armed := s.order(command.Arm, 15*time.Second)
	s.ended(armed)
	for _, c := range s.panel.Commands() {
		require.NotEqual(t, satel.CmdDisarm, c.Command, "the late command reached the panel")
	}
}
