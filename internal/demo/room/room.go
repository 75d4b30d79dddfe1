package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"dozor/internal/wire"
)

const (
	// observeEvery is how often the kernel is asked how the processes are.
	observeEvery = 200 * time.Millisecond
	// askEvery is the time from one question to the next, each of which may take askTime.
	askEvery = time.Second
	askTime  = 1500 * time.Millisecond
)

// Gauge is a figure of the station.
type Gauge struct {
	ID   string // what the page calls it by: queue.redis.live
	Read func(ctx context.Context) (string, error)
}

// Config of a Room.
type Config struct {
	Components []Component
	Gauges     []Gauge
	// HoldUp makes a hold-up at a panel; IsHoldUp knows its events again.
	HoldUp   func(ctx context.Context) error
	IsHoldUp func(e wire.Event) bool
	// Account is whom the room listens to the stream as.
	Account Account
	// Assets are the console's files, Stylesheet the path of its tokens and type there.
	Assets     http.Handler
	Stylesheet string
	Logger     *slog.Logger
}

// Room watches the components and serves the page. Its methods are safe for concurrent
// use.
type Room struct {
	cfg        Config
	components []*watched
	byID       map[string]*watched
	gauges     []*gauge
	alarms     *alarms
	journal    *journal
	client     *http.Client
	orders     chan func(ctx context.Context) // one for each component at most
}

// gauge is a figure with its last value.
type gauge struct {
	Gauge
	mu    sync.Mutex
	value *string // nil: no answer to the last question
}

// New makes a room; Run starts it.
func New(cfg Config) *Room {
	r := &Room{
		cfg: cfg, byID: map[string]*watched{}, alarms: newAlarms(), journal: &journal{},
		client: &http.Client{Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 2}},
	}
	r.orders = make(chan func(context.Context), len(cfg.Components))
	now := time.Now()
	for _, c := range cfg.Components {
		w := &watched{Component: c, state: Dead, since: now}
		w.observe(now)
		r.components = append(r.components, w)
		r.byID[c.ID] = w
	}
	for _, g := range cfg.Gauges {
		r.gauges = append(r.gauges, &gauge{Gauge: g})
	}
	return r
}

// Run watches and serves on the listener until ctx ends; it closes the listener, and
// returns when nothing is being done to a component any more.
func (r *Room) Run(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer func() {
		cancel()
		running.Wait()
		r.client.CloseIdleConnections()
	}()
	running.Go(func() { r.act(ctx) })
	running.Go(func() { r.observe(ctx) })
	for _, w := range r.components {
		running.Go(func() { repeat(ctx, w.ask) })
		if w.Kind == API {
			l := &listener{api: w, account: r.cfg.Account, http: r.client, heard: func(f frame) { r.heard(w.ID, f) }}
			running.Go(func() { l.run(ctx) })
		}
	}
	for _, g := range r.gauges {
		running.Go(func() { repeat(ctx, g.read) })
	}
	server := &http.Server{
		Handler: r.handler(l), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(r.cfg.Logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the control room: %w", err)
	case <-ctx.Done():
	}
	_ = server.Close() // nothing here is worth waiting for
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control room: %w", err)
	}
	return nil
}

// act carries out orders, each in its own time: they outlive the requests that gave them.
func (r *Room) act(ctx context.Context) {
	var acting sync.WaitGroup
	defer acting.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-r.orders:
			acting.Go(func() { do(ctx) })
		}
	}
}

// repeat asks a question again and again. One that takes no notice of its time is not
// waited for by anybody else.
func repeat(ctx context.Context, ask func(context.Context)) {
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(ctx, askTime)
		ask(bounded)
		cancel()
		select {
		case <-ctx.Done():
		case <-time.After(askEvery):
		}
	}
}

func (g *gauge) read(ctx context.Context) {
	value, err := g.Read(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.value = nil
	if err == nil {
		g.value = &value
	}
}

func (r *Room) observe(ctx context.Context) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, w := range r.components {
				if changed, state, ordered := w.observe(now); changed && state == Dead && !ordered {
					r.journal.add(Entry{What: "gone", Component: w.ID})
				}
			}
		}
	}
}

// heard takes a frame of the stream.
func (r *Room) heard(via string, f frame) {
	if f.Data.Alarm == nil || f.Ring == 0 {
		return
	}
	now := time.Now()
	var read time.Time
	for _, e := range f.Data.Events {
		if r.cfg.IsHoldUp(e) && e.ReceivedAt.After(read) {
			read = e.ReceivedAt
		}
	}
	position := wire.StreamPosition{Epoch: f.Epoch, Position: f.Position}
	if took, first := r.alarms.seen(via, now, position, *f.Data.Alarm, read); first {
		r.journal.add(Entry{What: "arrived", Component: via, Millis: took.Milliseconds()})
	}
}

var errNoComponent = errors.New("there is no such component")

// order begins an act; what comes of it stands in the journal.
func (r *Room) order(id string, act Act) error {
	w, ok := r.byID[id]
	if !ok {
		return errNoComponent
	}
	if err := w.begin(act); err != nil {
		return err
	}
	began := time.Now()
	r.orders <- func(ctx context.Context) {
		err := w.Server.do(ctx, act)
		w.observe(time.Now())
		w.end()
		switch {
		case ctx.Err() != nil: // the demo ends
		case err != nil:
			r.cfg.Logger.Warn("an act of the control room failed", "component", id, "act", act, "err", err)
			r.journal.add(Entry{What: "failed", Component: id, Detail: err.Error()})
		default:
			r.journal.add(Entry{What: string(act), Component: id, Millis: time.Since(began).Milliseconds()})
		}
	}
	return nil
}

// press makes a hold-up.
func (r *Room) press(ctx context.Context) error {
	at := time.Now()
	r.alarms.pressed(at)
	if err := r.cfg.HoldUp(ctx); err != nil {
		r.alarms.notPressed(at)
		r.journal.add(Entry{What: "failed", Component: string(Sites), Detail: reason(err)})
		return err
	}
	r.journal.add(Entry{What: "hold_up"})
	return nil
}
