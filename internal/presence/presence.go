package presence

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

const (
	// MaxDesks bounds the windows of an instance, and the list of all.
	MaxDesks = 500
	// Lapse is how long a row counts that is not refreshed.
	Lapse = 10 * time.Second

	refreshEvery = 2 * time.Second
	readEvery    = time.Second
	stepTimeout  = 3 * time.Second
	// silentFor is how long a window may say nothing. It says something every five
	// seconds; browsers let the timers of a hidden page run once a minute.
	silentFor = 75 * time.Second
)

// Desk is what a window says of itself.
type Desk struct {
	ID       uuid.UUID // the window's own, over reconnections
	CanSound bool
	Visible  bool
	AlarmID  ids.AlarmID // the one that it shows; 0: none
}

// Config of a Presence.
type Config struct {
	Pool *pg.Pool
	// Instance is unique among processes and their starts.
	Instance string
	// Publish is told the list each time it was read; nil: nobody is.
	Publish func(wire.DesksData)
	Logger  *slog.Logger
	Metrics prometheus.Registerer // may be nil
	Clock   func() time.Time      // nil: time.Now; tells silent windows alone
}

// Presence is the windows of one instance, and what it knows of all.
type Presence struct {
	cfg     Config
	changed chan struct{} // capacity 1
	desks   *prometheus.GaugeVec

	mu       sync.Mutex
	seats    map[int64]*Seat
	lastSeat int64
	refused  bool // WARN once
}

// New makes a Presence without windows; Run shares them.
func New(cfg Config) *Presence {
	cfg.Logger = cfg.Logger.With("component", "presence")
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Publish == nil {
		cfg.Publish = func(wire.DesksData) {}
	}
	return &Presence{
		cfg: cfg, changed: make(chan struct{}, 1), seats: map[int64]*Seat{},
		desks: promauto.With(cfg.Metrics).NewGaugeVec(prometheus.GaugeOpts{
			Name: "dozor_desks", Help: "Windows with somebody before them, of all instances, by whether they can sound.",
		}, []string{"can_sound"}),
	}
}

// Seat is one connection's place. It is in the list from its first Say to Leave.
type Seat struct {
	p    *Presence
	user ids.UserID

	// Under the Presence's mutex.
	number int64 // 0: not in the list
	left   bool
	desk   Desk
	saidAt time.Time
}

// Seat makes a place for a connection of a person.
func (p *Presence) Seat(user ids.UserID) *Seat { return &Seat{p: p, user: user} }

// Say takes what the window says now. Beyond MaxDesks it is not listed: the person works
// on, and nobody counts on the desk.
func (s *Seat) Say(d Desk) {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.left {
		return
	}
	now := p.cfg.Clock()
	if s.number == 0 {
		if len(p.seats) >= MaxDesks {
			if !p.refused {
				p.refused = true
				p.cfg.Logger.Warn("more windows than can be listed: the further ones count as nobody", "windows", len(p.seats))
			}
			return
		}
		p.lastSeat++
		s.number = p.lastSeat
		p.seats[s.number] = s
	}
	if s.desk != d || now.Sub(s.saidAt) > silentFor {
		p.nudge()
	}
	s.desk, s.saidAt = d, now
}

// Leave takes the window off the list for good. Idempotent.
func (s *Seat) Leave() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.left = true
	if s.number != 0 {
		delete(s.p.seats, s.number)
		s.number = 0
		s.p.nudge()
	}
}

func (p *Presence) nudge() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// present are the windows that are heard of, as columns.
func (p *Presence) present() (c columns) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seats) < MaxDesks {
		p.refused = false
	}
	now := p.cfg.Clock()
	seats := make([]*Seat, 0, len(p.seats))
	for _, s := range p.seats {
		if now.Sub(s.saidAt) <= silentFor {
			seats = append(seats, s)
		}
	}
	slices.SortFunc(seats, func(a, b *Seat) int { return cmp.Compare(a.number, b.number) })
	for _, s := range seats {
		c.add(s)
	}
	return c
}

// Run shares this instance's windows and publishes everybody's until ctx ends; then its
// own leave.
func (p *Presence) Run(ctx context.Context) error {
	defer p.vanish(context.WithoutCancel(ctx))
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	var refreshed time.Time
	wanted, failing := true, false
	for {
		err := p.round(ctx, wanted || time.Since(refreshed) >= refreshEvery, &refreshed)
		if ctx.Err() != nil {
			return nil
		}
		if (err != nil) != failing {
			failing = err != nil
			if failing {
				p.cfg.Logger.Warn("who sits where can't be shared", "err", err)
			} else {
				p.cfg.Logger.Info("who sits where is shared again")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			// What changed while that failed is still wanted.
			wanted = err != nil
		case <-p.changed:
			wanted = true
		}
	}
}

func (p *Presence) round(ctx context.Context, refresh bool, refreshed *time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if refresh {
		if err := p.Refresh(ctx); err != nil {
			return err
		}
		*refreshed = time.Now()
	}
	desks, err := p.List(ctx)
	if err != nil {
		return err
	}
	sounding := 0
	for _, d := range desks {
		if d.CanSound {
			sounding++
		}
	}
	p.desks.WithLabelValues("true").Set(float64(sounding))
	p.desks.WithLabelValues("false").Set(float64(len(desks) - sounding))
	p.cfg.Publish(wire.DesksData{Desks: desks})
	return nil
}
