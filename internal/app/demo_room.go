package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"strconv"
	"strings"
	"time"

	"dozor/internal/bus"
	"dozor/internal/deadletter"
	"dozor/internal/demo"
	"dozor/internal/demo/room"
	"dozor/internal/live/pglive"
	"dozor/internal/obs"
	"dozor/internal/roster"
	"dozor/internal/selfwatch"
	"dozor/internal/stream"
	"dozor/internal/webui"
	"dozor/internal/wire"
	"dozor/internal/worker"
)

// room says what the control room watches. core reaches the parts as a process of the
// station does.
func (f *full) room(core *core) (room.Config, error) {
	assets, err := webui.Handler()
	if err != nil {
		return room.Config{}, fmt.Errorf("open the web client: %w", err)
	}
	stylesheet, err := webui.Stylesheet()
	if err != nil {
		return room.Config{}, err
	}
	jeweller := demo.Sites(1)[0]
	return room.Config{
		Components: f.components(core), Gauges: gauges(core), Assets: assets, Stylesheet: stylesheet, Logger: f.Log,
		Account:  room.Account{Login: roomUser.Login, Password: roomUser.Password},
		HoldUp:   func(ctx context.Context) error { return press(ctx, f.sites.url, jeweller.Panic) },
		IsHoldUp: func(e wire.Event) bool { return e.Zone == jeweller.Panic && e.Priority == 1 && !e.Restore },
	}, nil
}

func (f *full) components(core *core) []room.Component {
	components := []room.Component{
		{ID: "postgresql", Kind: room.PostgreSQL, Ask: asked(core.answers), Server: room.Server{
			PID: f.postgres.PID, Start: f.postgres.Restart, Stop: f.postgres.Stop, Kill: f.postgres.Kill,
			Freeze: f.postgres.Freeze, Thaw: f.postgres.Thaw,
		}},
		{ID: "rabbitmq", Kind: room.RabbitMQ, Ask: asked(core.ask(partRabbit)), Server: room.Server{
			PID: f.rabbit.PID, Start: f.rabbit.Restart, Stop: f.rabbit.Stop,
			Kill:   func(context.Context) error { f.rabbit.Kill(); return nil },
			Freeze: sure(f.rabbit.Freeze), Thaw: f.rabbit.Thaw,
		}},
		{ID: "redis", Kind: room.Redis, Ask: asked(core.ask(partRedis)), Server: room.Server{
			PID: f.redis.PID, Start: f.redis.Restart, Stop: f.redis.Stop, Kill: f.redis.Kill,
			Freeze: sure(f.redis.Freeze), Thaw: f.redis.Thaw,
		}},
	}
	for _, p := range append(f.processes, f.sites) {
		c := room.Component{ID: p.name, Kind: p.kind, Server: room.Server{
			PID: p.PID, Start: p.Restart, Stop: p.Stop, Kill: p.Kill, Freeze: sure(p.Freeze), Thaw: p.Thaw,
		}}
		if p.kind == room.Sites {
			c.Ask = asked(func(ctx context.Context) error { return askSites(ctx, p.url) })
		} else {
			c.URL, c.Ask = p.url, func(ctx context.Context) (room.Answer, error) { return askProcess(ctx, p.health) }
		}
		components = append(components, c)
	}
	return components
}

// sure is an act that can't fail.
func sure(act func()) func() error { return func() error { act(); return nil } }

// asked is a question whose answer is that there is one.
func asked(question func(context.Context) error) func(context.Context) (room.Answer, error) {
	return func(ctx context.Context) (room.Answer, error) { return room.Answer{}, question(ctx) }
}

func (c *core) answers(ctx context.Context) error {
	var one int
	return c.pool.QueryRow(ctx, "SELECT 1").Scan(&one)
}

// ask is the question of a part.
func (c *core) ask(name string) func(context.Context) error {
	for _, p := range c.parts {
		if p.name == name {
			return p.ask
		}
	}
	panic("no part " + name)
}

// gauges are the station's figures, each asked of its owner.
func gauges(c *core) []room.Gauge {
	self := selfwatch.New(selfwatch.Config{Pool: c.pool, Queue: c.bus, Logger: c.log, LeaseTTL: worker.LeaseTTL})
	letters := deadletter.New(deadletter.Deps{Pool: c.pool, Audit: c.audit, Bus: c.bus, Logger: c.log})
	authority, table := pglive.NewAuthority(c.pool), stream.NewTable(c.pool)
	depth := func(b bus.Bus, lane bus.Lane) func(context.Context) (string, error) {
		return counted(func(ctx context.Context) (int64, error) { return b.Depth(ctx, lane) })
	}
	return []room.Gauge{
		{ID: "queue.rabbitmq.live", Read: depth(c.broker, bus.Live)},
		{ID: "queue.rabbitmq.backfill", Read: depth(c.broker, bus.Backfill)},
		{ID: "queue.rabbitmq.dead", Read: counted(c.broker.DeadLetters)},
		{ID: "queue.postgresql.live", Read: depth(c.pgbus, bus.Live)},
		{ID: "queue.postgresql.backfill", Read: depth(c.pgbus, bus.Backfill)},
		{ID: "queue.postgresql.dead", Read: counted(letters.Waiting)},
		{ID: "leases.granter", Read: func(ctx context.Context) (string, error) {
			m, err := authority.Mandate(ctx)
			if m.Granter == pglive.Redis {
				return "Redis", err
			}
			return "PostgreSQL", err
		}},
		{ID: "leases.holders", Read: func(ctx context.Context) (string, error) {
			workers, err := self.Workers(ctx)
			held := make([]string, len(workers))
			for i, w := range workers {
				// A start's mark stands behind the name.
				name := w.Instance[:max(0, strings.LastIndexByte(w.Instance, '-'))]
				held[i] = fmt.Sprintf("%s: %d", name, w.Panels)
			}
			return strings.Join(held, ", "), err
		}},
		{ID: "panels.up", Read: func(ctx context.Context) (string, error) {
			p, err := self.Panels(ctx)
			return fmt.Sprintf("%d / %d", p.Up, p.Total-p.Disabled), err
		}},
		{ID: "stream.position", Read: func(ctx context.Context) (string, error) {
			at, err := table.Head(ctx)
			return fmt.Sprintf("%d.%d", at.Epoch, at.Position), err
		}},
		{ID: "stream.unstamped", Read: func(ctx context.Context) (string, error) {
			r, err := self.Relay(ctx)
			return strconv.FormatInt(r.Waiting, 10), err
		}},
	}
}

func counted(count func(context.Context) (int64, error)) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		n, err := count(ctx)
		return strconv.FormatInt(n, 10), err
	}
}

// askProcess asks a process of the station how it is, and how it sees the parts: what it
// tells the roster it tells here too, and this needs no database.
func askProcess(ctx context.Context, health string) (room.Answer, error) {
	readiness, err := askReadiness(ctx, health)
	if err != nil {
		return room.Answer{}, err
	}
	var a room.Answer
	for _, check := range readiness.Checks {
		sight := room.Sight{Part: check.Name, State: string(roster.OK), Reason: check.Error}
		if check.Name == "database" {
			sight.Part = string(room.PostgreSQL)
		}
		if !check.OK {
			sight.State = string(roster.Down)
			if check.Detail == string(roster.Aside) {
				sight.State = string(roster.Aside)
			}
		}
		a.Sights = append(a.Sights, sight)
		if !check.OK && !check.Optional && a.Unready == "" {
			a.Unready = check.Error
		}
	}
	if readiness.Draining {
		a.Unready = "it is stopping"
	}
	return a, nil
}

// What is asked of a process is small, and answered within little more than a second.
var demoClient = &http.Client{Timeout: 3 * time.Second}

func askReadiness(ctx context.Context, health string) (r obs.Readiness, err error) {
	response, err := send(ctx, http.MethodGet, health+"/readyz")
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&r); err != nil {
		return r, fmt.Errorf("read how a process is: %w", err)
	}
	return r, nil
}

// askSites asks the simulator whether it is there.
func askSites(ctx context.Context, control string) error {
	return order(ctx, http.MethodGet, control+"/panels")
}

// pressed is how long somebody holds the hold-up button.
const pressed = time.Second

// press lets somebody press the hold-up button at the first site.
func press(ctx context.Context, control string, zone int) error {
	at := fmt.Sprintf("%s/panels/1/zones/%d/", control, zone)
	if err := order(ctx, http.MethodPost, at+"violate"); err != nil {
		return err
	}
	// Nobody waits for the hand that lets go.
	time.AfterFunc(pressed, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), demoClient.Timeout)
		defer cancel()
		_ = order(ctx, http.MethodPost, at+"restore") // a simulator that has died meanwhile forgets it
	})
	return nil
}

func order(ctx context.Context, method, url string) error {
	response, err := send(ctx, method, url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("order the simulator: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("order the simulator: %s", response.Status)
	}
	return nil
}

func send(ctx context.Context, method, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	response, err := demoClient.Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*neturl.Error](err); ok {
			err = inner.Err // what was asked for is clear to who reads it
		}
		return nil, fmt.Errorf("ask a process of the demo: %w", err)
	}
	return response, nil
}
