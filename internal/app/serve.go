package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/bus"
	"dozor/internal/config"
	"dozor/internal/deadletter"
	"dozor/internal/failpoint"
	"dozor/internal/ingest"
	"dozor/internal/lifecycle"
	"dozor/internal/linkwatch"
	"dozor/internal/obs"
	"dozor/internal/outbox"
	"dozor/internal/panelwatch"
	"dozor/internal/pg"
	"dozor/internal/push"
	"dozor/internal/worker"
	"dozor/satel/client"
)

// Program is what every command has of the program around it.
type Program struct {
	Version string
	Log     *slog.Logger
}

// Serve runs the roles that cfg names until ctx ends, then drains.
func (p Program) Serve(ctx context.Context, cfg config.Serve) error {
	return p.serve(ctx, cfg, nil)
}

// addresses are where a process answers once it does.
type addresses struct{ url, health string }

// serve is Serve that tells when it answers.
func (p Program) serve(ctx context.Context, cfg config.Serve, started func(addresses)) error {
	log := p.Log
	if cfg.Owner != "" {
		if _, err := pg.Migrate(ctx, cfg.Owner.Reveal(), log); err != nil {
			return err
		}
	}
	core, err := open(ctx, cfg.Database, cfg.Servers, cfg.KeyFile, process{cfg.Instance, cfg.Roles}, p)
	if err != nil {
		return err
	}
	defer core.close()
	if err := core.reachable(ctx); err != nil {
		return err
	}

	health := obs.NewHealth(log, core.registry)
	health.Add("database", core.checkDatabase)
	core.measureQueues()
	core.showParts(health)
	healthListener, err := listen(ctx, cfg.HealthListen, "--health-listen")
	if err != nil {
		return err
	}
	restarted := obs.Restarts(core.registry)
	group := lifecycle.NewGroup(log, lifecycle.Options{Restarted: restarted})
	group.Add(lifecycle.Service{Name: "health", Run: func(ctx context.Context) error { return health.Serve(ctx, healthListener) }},
		lifecycle.Service{Name: "hints", Run: core.hints.Run})
	group.Add(core.partServices()...)
	if cfg.Roles.Has(config.Relay) {
		group.Add(core.relay(cfg.EventsKept)...)
	}
	where := addresses{health: "http://" + healthListener.Addr().String()}
	if cfg.Roles.Has(config.API) {
		services, url, err := core.api(ctx, cfg, health)
		if err != nil {
			return errors.Join(err, healthListener.Close())
		}
		where.url = url
		for _, stage := range services {
			group.Add(stage...)
		}
	}
	if cfg.Roles.Has(config.Worker) {
		group.Add(core.worker(cfg))
	}
	group.Add(lifecycle.Service{Name: "readiness", Run: func(ctx context.Context) error {
		// The last to begin is the first to end: a proxy sends no more before anything
		// stops.
		log.Info("dozor is running", "version", p.Version, "instance", core.instance, "roles", cfg.Roles, "url", where.url, "health", where.health)
		if started != nil {
			started(where)
		}
		<-ctx.Done()
		health.Drain()
		return nil
	}})
	return group.Run(ctx)
}

// reachTime bounds the wait for the database at the start: a wrong address should be
// said at once, a database that restarts should be waited for.
const reachTime = 10 * time.Second

// reachable waits for the database, and says clearly when it is not there or not ours.
func (c *core) reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	var err error
	for {
		var version int64
		err = c.pool.QueryRow(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
		if err == nil {
			return nil
		}
		if pg.Code(err) == "42P01" {
			return errors.New("the database has no schema of dozor: run dozor migrate")
		}
		if !pg.IsTemporary(err) {
			return fmt.Errorf("the database refuses DATABASE_URL: %w", err)
		}
		select {
		case <-ctx.Done():
			// pgx lists every way that it tried, a line each; one says it.
			if attempt, ok := errors.AsType[*net.OpError](err); ok {
				err = attempt
			}
			return fmt.Errorf("the database of DATABASE_URL can't be reached: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *core) checkDatabase(ctx context.Context) (string, error) {
	var timeline string
	if err := c.pool.QueryRow(ctx, "SELECT dozor_timeline()").Scan(&timeline); err != nil {
		return "", errors.New("the database does not answer")
	}
	return "timeline " + timeline, nil
}

// relay is the role that gives notifications their positions.
func (c *core) relay(eventsKept int) []lifecycle.Service {
	wakes, stop := c.hints.Subscribe(channelOutbox)
	relay := outbox.NewRelay(outbox.Config{
		DB: c.direct, Fanout: c.live, Log: c.log, Wakes: wakes,
		Metrics: outbox.NewMetrics(c.registry), Hit: failpoint.Hit,
	})
	services := []lifecycle.Service{
		{Name: "relay", Run: func(ctx context.Context) error { defer stop(); return relay.Run(ctx) }},
		{Name: "retention", Run: c.every(retentionEvery, "retention", func(ctx context.Context) error {
			if _, err := relay.Trim(ctx, outboxKept); err != nil {
				return err
			}
			return c.housekeep(ctx, eventsKept)
		})},
	}
	if c.broker != nil {
		services = append(services, c.integrations())
	}
	return services
}

// worker is the role that keeps the connections to panels.
func (c *core) worker(cfg config.Serve) lifecycle.Service {
	queued, stopQueued := c.hints.Subscribe(channelCommands)
	givenBack, stopGivenBack := c.hints.Subscribe(channelLeases)
	w := worker.New(worker.Config{
		Instance: c.instance, Pool: c.pool, Bus: c.bus, Leases: c.live, States: c.live, Panels: c.sites, Commands: c.commands,
		Logger: c.log, Clock: time.Now, Trace: obs.NewTrace, Metrics: c.registry, Poll: cfg.PollInterval, Subscribe: cfg.Subscribe, MinGap: client.DefaultMinGap, MaxPanels: cfg.MaxPanels,
		Queued: queued, RenewNow: c.live.Shaken(), GivenBack: givenBack, GaveBack: func() { c.hints.Hint(channelLeases) },
		StateWritten: func() { c.hints.Hint(channelStates) }, Hit: failpoint.Hit,
	})
	return lifecycle.Service{Name: "worker", Run: func(ctx context.Context) error {
		defer stopQueued()
		defer stopGivenBack()
		return w.Run(ctx)
	}}
}

// api is the role that people meet: what consumes events and judges, and what serves.
func (c *core) api(ctx context.Context, cfg config.Serve, health *obs.Health) (stages [][]lifecycle.Service, url string, err error) {
	rules, err := ingest.InstallRules(ctx, c.pool)
	if err != nil {
		return nil, "", err
	}
	if c.decisive, err = pg.Open(ctx, cfg.Database.URL.Reveal(), pg.Options{
		MaxConns: ingest.Conns(len(c.buses)), MinConns: ingest.Conns(len(c.buses)), Warm: ingest.Warm, Pooled: cfg.Database.Pooled(), Name: "dozor " + c.instance + " ingest",
	}); err != nil {
		return nil, "", err
	}
	in := ingest.New(ingest.Deps{
		Pool: c.decisive, Logger: c.log, Metrics: c.registry, Rules: rules, Buses: c.buses,
		OnStored: c.notified, Hit: failpoint.Hit,
	})
	letters, asked, stop := c.deadLetters()
	links := linkwatch.New(linkwatch.Config{Pool: c.pool, Bus: c.bus, Trace: obs.NewTrace})
	panels := panelwatch.New(panelwatch.Config{Pool: c.pool, Bus: c.bus, Trace: obs.NewTrace, ClockLimit: cfg.ClockLimit})
	web, err := c.web(cfg, letters, health)
	if err != nil {
		return nil, "", err
	}
	listener, err := listen(ctx, cfg.Listen, "--listen")
	if err != nil {
		return nil, "", err
	}
	return [][]lifecycle.Service{
		{
			{Name: "ingest", Run: in.Run},
			{Name: "linkwatch", Run: c.every(watchEvery, "linkwatch", links.Round)},
			{Name: "panelwatch", Run: c.every(watchEvery, "panelwatch", panels.Round)},
			{Name: "sweeper", Run: c.every(sweepEvery, "sweeper", func(ctx context.Context) error {
				_, err := c.commands.Sweep(ctx)
				return err
			})},
			{Name: "letters", Run: func(ctx context.Context) error {
				defer stop()
				return c.onWake(asked, lettersEvery, "letters", letters.Send)(ctx)
			}},
			{Name: "words", Run: c.every(wordsEvery, "words", func(ctx context.Context) error {
				_, err := web.desk.TellWords(ctx)
				return err
			})},
			{Name: "timers", Run: c.runTimers(web.desk.Timers())},
			{Name: "sessions", Run: c.every(sessionsEvery, "sessions", func(ctx context.Context) error {
				_, expired := c.auth.EndExpired(ctx)
				_, orphans := web.desk.ReleaseOrphans(ctx)
				return errors.Join(expired, orphans)
			})},
			{Name: "stream", Run: web.hub.Run},
			{Name: "presence", Run: web.people.Run},
			{Name: "selfwatch", Run: c.every(watchEvery, "selfwatch", web.self.Round)},
			{Name: "states", Run: c.feedStates(web.hub)},
		},
		{{Name: "http", Run: func(ctx context.Context) error { return web.serve(ctx, listener) }}},
	}, "http://" + hostOf(cfg.Listen, listener), nil
}

// hostOf keeps the name that was asked for, since browsers refuse some things to bare
// addresses, with the port that was given.
func hostOf(asked config.Address, l net.Listener) string {
	host, _, err := net.SplitHostPort(string(asked))
	_, port, err2 := net.SplitHostPort(l.Addr().String())
	if err != nil || err2 != nil {
		return l.Addr().String()
	}
	if host == "" || host == "127.0.0.1" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// listen opens an address, and names it and its flag when it is taken.
func listen(ctx context.Context, a config.Address, flag string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", string(a))
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: %w; choose another address with %s", a, err, flag)
	}
	return l, nil
}

// measureQueues shows what waits on the bus.
func (c *core) measureQueues() {
	for _, lane := range bus.Lanes {
		c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "dozor_bus_depth", Help: "Messages that wait or are unsettled.", ConstLabels: prometheus.Labels{"lane": string(lane)},
		}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			depth, err := c.bus.Depth(ctx, lane)
			if err != nil {
				return -1 // not known; the database's own check says why
			}
			return float64(depth)
		}))
	}
}

// deadLetters makes the use cases, what wakes their sending, and the end of that; and shows
// how many wait.
func (c *core) deadLetters() (letters *deadletter.Letters, asked <-chan struct{}, stop func()) {
	asked, stop = c.hints.Subscribe(channelLetters)
	letters = deadletter.New(deadletter.Deps{
		Pool: c.pool, Audit: c.audit, Bus: c.bus, Logger: c.log, Requested: func() { c.hints.Hint(channelLetters) },
	})
	c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dozor_dead_letters", Help: "Messages that were set aside and wait for a person; -1: not known.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := letters.Waiting(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	}))
	return letters, asked, stop
}

// Limits of the HTTP server against clients that are slow or hostile. There is no limit
// on writing: the stream is endless, and its messages have their own.
func httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnContext: push.WithConn,
	}
}
