package selfwatch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

// Limits past which something is a fault.
const (
	// LateAfter is how long a report or a notification may wait.
	LateAfter = 2 * time.Second
	// UnheldAfter is how long an enabled panel may be held by nobody: longer than a
	// holder that gave it back for another takes to ask for it again.
	UnheldAfter = 15 * time.Second
	// SlowAfter is how long the database may take to answer.
	SlowAfter = time.Second
	// settledAfter is how long a fault must not have been seen to be over.
	settledAfter = 3 * time.Second
	// lifeWithoutDesks is how long a process leaves the desk rule alone while nobody has
	// come: a station that is being installed has no operators yet.
	lifeWithoutDesks = 5 * time.Minute
)

const stepTimeout = 5 * time.Second

// Queue tells how long the bus has kept its oldest unsettled message, and how many wait.
type Queue interface {
	Oldest(ctx context.Context, lane bus.Lane) (time.Duration, error)
	Depth(ctx context.Context, lane bus.Lane) (int64, error)
}

// Config of a Watch.
type Config struct {
	Pool   *pg.Pool
	Bus    bus.Publisher
	Queue  Queue
	Logger *slog.Logger
	Trace  func() string
	// DeskGrace is how long no desk may be able to sound; 0: nobody need watch.
	DeskGrace time.Duration
	// LeaseTTL is how long a worker holds a panel without renewing.
	LeaseTTL time.Duration
	// Publish is told the open faults after each look; nil: nobody is.
	Publish func(wire.StationData)
	Metrics prometheus.Registerer // may be nil
}

// Watch finds what is wrong with the station, and its end. Round belongs to one goroutine;
// Faults is safe for concurrent use.
type Watch struct {
	cfg    Config
	gauges *prometheus.GaugeVec

	// The database's clock; zero until it was read for the first time.
	began     time.Time
	deskSeen  time.Time                 // when the desk rule began to count
	unheld    map[ids.PanelID]time.Time // since when this watch has seen nobody hold it
	late      map[wire.StationCode]bool // at the last look
	pulse     pulse
	noOwnSite bool // WARN once

	mu   sync.Mutex
	open []wire.StationFault // as the rows said last
	slow time.Time           // since when the database is slow, by this instance's clock
}

// New makes a Watch.
func New(cfg Config) *Watch {
	cfg.Logger = cfg.Logger.With("component", "selfwatch")
	if cfg.Publish == nil {
		cfg.Publish = func(wire.StationData) {}
	}
	w := &Watch{
		cfg: cfg, unheld: map[ids.PanelID]time.Time{}, late: map[wire.StationCode]bool{},
		gauges: promauto.With(cfg.Metrics).NewGaugeVec(prometheus.GaugeOpts{
			Name: "dozor_station_fault", Help: "1 while the station has that fault.",
		}, []string{"code"}),
	}
	w.show(nil)
	return w
}

// Round looks once: tells the screens, records what began and ended, and publishes what
// was not said yet.
func (w *Watch) Round(ctx context.Context) error {
	w.feel(ctx)
	w.tell()
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	seen, err := w.look(ctx)
	if err != nil {
		return err
	}
	open, err := w.record(ctx, w.judge(seen))
	if err != nil {
		return err
	}
	w.pulse.recovered = time.Time{}
	w.mu.Lock()
	w.open = open
	w.mu.Unlock()
	w.tell()
	return w.say(ctx)
}

// feel measures the database. One slow answer is nothing yet; the second in a row is.
func (w *Watch) feel(ctx context.Context) {
	w.pulse.feel(ctx, w.cfg.Pool)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = w.pulse.slowSince
}

// Faults returns what is wrong now, as this instance knows it.
func (w *Watch) Faults() []wire.StationFault {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := slices.Clone(w.open)
	isSlow := func(f wire.StationFault) bool { return f.Code == wire.DatabaseSlow }
	if !w.slow.IsZero() && !slices.ContainsFunc(faults, isSlow) {
		faults = append(faults, wire.StationFault{Code: wire.DatabaseSlow, Since: w.slow.UTC()})
	}
	return faults
}

// tell shows the faults on every screen of this instance.
func (w *Watch) tell() {
	faults := w.Faults()
	w.show(faults)
	w.cfg.Publish(wire.StationData{Faults: faults})
}

func (w *Watch) show(faults []wire.StationFault) {
	for _, f := range wire.Faults() {
		value := 0.0
		if slices.ContainsFunc(faults, func(open wire.StationFault) bool { return open.Code == f.Begin }) {
			value = 1
		}
		w.gauges.WithLabelValues(string(f.Begin)).Set(value)
	}
}
