package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/obs"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/worker"
	"dozor/satel/client"
	"dozor/satel/sim"
)

const leasesChannel = "leases"

// town is a station with many panels more.
type town struct {
	*station
	panels []*sim.Panel // by their place, from 0
	ids    []ids.PanelID
}

func newTown(t *testing.T, panels int) *town {
	t.Helper()
	s := newStation(t, code)
	by := access.Station("test")
	// The station's own panel would be one more to count.
	no := false
	s.edit(site.PanelChange{Enabled: &no})
	w := &town{station: s}
	for n := range panels {
		p, err := sim.New(sim.Config{
			Code: code, Seed: uint64(1000 + n), LogDelay: 50 * time.Millisecond, AnswerDelay: 5 * time.Millisecond, MinGap: time.Millisecond, LogCapacity: 6000,
		})
		require.NoError(t, err)
		w.panels = append(w.panels, p)
	}
	server, err := sim.NewServer(sim.ServerConfig{Panels: w.panels})
	require.NoError(t, err)
	require.NoError(t, server.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	siteID, err := s.sites.CreateSite(context.Background(), by, site.NewSite{Name: "Miasto"})
	require.NoError(t, err)
	for n := range panels {
		host, port, err := net.SplitHostPort(server.PanelAddr(n + 1))
		require.NoError(t, err)
		number, err := strconv.Atoi(port)
		require.NoError(t, err)
		id, err := s.sites.CreatePanel(context.Background(), by, site.NewPanel{
			SiteID: siteID, Name: fmt.Sprint("Centrala ", n), Host: host, Port: number, Code: secret.Redacted(code), Enabled: true,
		})
		require.NoError(t, err)
		w.ids = append(w.ids, id)
	}
	return w
}

// hand is one worker of a town.
type hand struct {
	t      *town
	name   string
	leases *severed
	stop   func()
}

// severed are leases whose holder can be cut off from the store, as one that dies is.
type severed struct {
	live.Leases
	cut atomic.Bool
}

var errCut = errors.New("cut off from the store")

func (s *severed) Renew(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	if s.cut.Load() {
		return nil, errCut
	}
	return s.Leases.Renew(ctx, holder, held, ttl)
}

func (s *severed) Release(ctx context.Context, holder string, held []live.Lease) error {
	if s.cut.Load() {
		return errCut
	}
	return s.Leases.Release(ctx, holder, held)
}

func (s *severed) Join(ctx context.Context, self live.Worker, ttl time.Duration) (live.Crew, error) {
	if s.cut.Load() {
		return live.Crew{}, errCut
	}
	return s.Leases.Join(ctx, self, ttl)
}

func (s *severed) Leave(ctx context.Context, instance string) error {
	if s.cut.Load() {
		return errCut
	}
	return s.Leases.Leave(ctx, instance)
}

func (w *town) hire(name string) *hand {
	h := &hand{t: w, name: name, leases: &severed{Leases: w.live}}
	given, stop := w.hints.Subscribe(leasesChannel)
	w.t.Cleanup(stop)
	h.stop = w.background(worker.New(worker.Config{
		Instance: name, Pool: w.db.Pool, Bus: w.bus, Leases: h.leases, States: w.live, Panels: w.sites,
		Commands: w.commands, Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Trace: obs.NewTrace, Metrics: prometheus.NewRegistry(),
		Poll: 100 * time.Millisecond, MinGap: client.DefaultMinGap, MaxPanels: 1000,
		GivenBack: given, GaveBack: func() { w.hints.Hint(leasesChannel) },
	}).Run)
	return h
}

// die ends a worker that releases nothing and says nothing any more.
func (h *hand) die() {
	h.leases.cut.Store(true)
	h.stop()
}

func (h *hand) holds() int {
	return testkit.One[int](h.t.t, h.t.db, "SELECT count(*) FROM leases WHERE holder = $1 AND expires_at > dozor_now()", h.name)
}

// all reports whether each panel is connected to by somebody.
func (w *town) all() bool {
	for _, p := range w.panels {
		if !holds(p) {
			return false
		}
	}
	return true
}

// connected is how many connections the panels have seen that they let in.
func (w *town) connected() (n int) {
	for _, p := range w.panels {
		for _, c := range p.Connections() {
			if !c.Busy {
				n++
			}
		}
	}
	return n
}

// gaps are for how long each panel was connected to by nobody, since an instant.
func (w *town) gaps(since time.Time) (longest time.Duration) {
	for _, p := range w.panels {
		var free time.Time
		for _, c := range p.Connections() {
			if c.Busy {
				continue
			}
			if !free.IsZero() && free.After(since) {
				longest = max(longest, c.OpenedAt.Sub(free))
			}
			free = c.ClosedAt
		}
	}
	return longest
}

// Two workers share the panels. One comes, one leaves, one dies: what moves, and for how
// long nobody asks a panel, the panels themselves tell.
func TestWorkersShareThePanels(t *testing.T) {
	t.Parallel()
	const panels = 30
	w := newTown(t, panels)
	a := w.hire("a")
	w.eventually("one holds them all", func() bool { return a.holds() == panels && w.all() })
	require.Equal(t, panels, w.connected())

	came := time.Now()
	b := w.hire("b")
	w.eventually("the second has its half", func() bool { return a.holds() == panels/2 && b.holds() == panels/2 && w.all() })
	require.Equal(t, panels+panels/2, w.connected(), "no panel moved that need not")
	require.Less(t, w.gaps(came), 2*time.Second)

	c := w.hire("c")
	w.eventually("the third has its third", func() bool { return a.holds() == 10 && b.holds() == 10 && c.holds() == 10 && w.all() })
	require.Equal(t, panels+panels/2+panels/3, w.connected())

	left := time.Now()
	c.stop()
	require.Zero(t, c.holds())
	w.eventually("the others have what the third had", func() bool { return a.holds() == panels/2 && b.holds() == panels/2 && w.all() })
	require.Less(t, w.gaps(left), 2*time.Second, "each panel is left for a moment only")
	before := w.connected()
	require.Equal(t, panels+panels/2+2*panels/3, before)

	died := time.Now()
	b.die()
	w.eventually("the last has them all", func() bool { return a.holds() == panels && w.all() })
	require.Less(t, time.Since(died), 15*time.Second)
	require.Equal(t, before+panels/2, w.connected())
}

// A panel that does not answer is tried by the other worker, again and again, and no panel
// that answers is moved for the sake of balance.
func TestASilentPanelIsTriedByAnotherWorkerAndMovesNoOther(t *testing.T) {
	t.Parallel()
	w := newTown(t, 4)
	a := w.hire("a")
	b := w.hire("b")
	w.eventually("each has two", func() bool { return a.holds() == 2 && b.holds() == 2 && w.all() })
	before := w.connected()
	holder := func() string {
		return testkit.One[string](t, w.db, "SELECT coalesce((SELECT holder FROM leases WHERE panel_id = $1 AND expires_at > dozor_now()), '')", int64(w.ids[0]))
	}
	first := holder()
	w.panels[0].SetLink(sim.LinkHung, 0)
	w.eventually("the other tries it", func() bool { now := holder(); return now != first && now != "" })
	w.panels[0].SetLink(sim.LinkNormal, 0)
	w.eventually("and reaches it", func() bool { return w.all() })
	silent := 0
	for _, c := range w.panels[0].Connections() {
		if !c.Busy {
			silent++
		}
	}
	require.Less(t, w.connected()-before, silent+2, "one of the others may have moved for it, once it answered")
}
