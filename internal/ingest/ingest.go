package ingest

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/pg"
)

// MaxBatch is how many messages one transaction takes at most.
const MaxBatch = 500

// Deps are what an Ingest needs. Pool, Logger and Metrics are required.
type Deps struct {
	Pool    *pg.Pool
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Rules judge codes; nil means those that InstallRules would install, uninstalled.
	Rules *event.Rules
	// Buses are what Run consumes, all of them always: breakers are per process and disagree.
	Buses []bus.Bus
	// OnStored is called after each commit that wrote notifications; it must not block.
	OnStored func()
	// Hit is told of the points of package failpoint on the way, where tests kill. Nil: nobody
	// is told.
	Hit func(point string)
}

// Ingest turns reports into events, alarms and notifications. Safe for concurrent use.
type Ingest struct {
	pool     *pg.Pool
	log      *slog.Logger
	rules    *event.Rules
	zone     *time.Location
	buses    []bus.Bus
	onStored func()
	hit      func(string)
	metrics  *metrics
}

// New makes an Ingest and registers its metrics. It starts nothing.
func New(d Deps) *Ingest {
	in := &Ingest{
		pool: d.Pool, log: d.Logger.With("component", "ingest"), rules: d.Rules, zone: event.PanelZone(),
		buses: d.Buses, onStored: d.OnStored, hit: d.Hit, metrics: newMetrics(d.Metrics),
	}
	if in.rules == nil {
		in.rules = event.Shipped()
	}
	if in.onStored == nil {
		in.onStored = func() {}
	}
	if in.hit == nil {
		in.hit = func(string) {}
	}
	return in
}

// Outcome is what becomes of a message.
type Outcome int

// The outcomes. Later is the zero value: what nobody settled comes again.
const (
	Later Outcome = iota
	Ack           // stored, or known, or not to be stored
	Dead          // set aside for a person; its dead letter is committed
)

// Verdict is the outcome of one delivery.
type Verdict struct {
	Tag     uint64
	Outcome Outcome
	Reason  string // of Dead
}
