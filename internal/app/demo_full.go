package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"dozor/internal/config"
	"dozor/internal/demo/room"
	"dozor/internal/lifecycle"
	"dozor/internal/rabbittemp"
	"dozor/internal/redistemp"
	"dozor/internal/secret"
)

// fullConnections is what all processes of a full demo may open at PostgreSQL together.
const fullConnections = 400

// startTime bounds the start of all processes of a full demo.
const startTime = 2 * time.Minute

// roomUser is whom the control room listens to the stream as.
var roomUser = DemoUser{Login: "sterownia", Password: "sterownia-demo", Name: "Sterownia demo", Role: "operator"}

// full is a demo of several processes.
type full struct {
	*demonstration
	rabbit    *rabbittemp.Server
	redis     *redistemp.Server
	sites     *stationProcess
	processes []*stationProcess // of the station
}

// runFull serves the station by several processes, with RabbitMQ and Redis, and the
// control room in this one.
func (d *demonstration) runFull(ctx context.Context) error {
	f := &full{demonstration: d}
	if err := f.startServers(ctx); err != nil {
		return err
	}
	if err := f.plan(ctx); err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	d.atEnd(f.sites.Stop)
	if err := f.sites.Restart(starting); err != nil {
		return err
	}
	host, first, err := splitAddress(f.sites.panels())
	if err != nil {
		return err
	}
	address := func(number int) string { return net.JoinHostPort(host, strconv.Itoa(first+number-1)) }
	if err := d.fill(starting, append(demoUsers, roomUser), address); err != nil {
		return err
	}
	d.atEnd(func(ctx context.Context) error {
		return each(f.processes, func(p *stationProcess) error { return p.Stop(ctx) })
	})
	if err := each(f.processes, func(p *stationProcess) error { return p.Restart(starting) }); err != nil {
		return err
	}
	// Without roles: it looks only, and nothing of it runs.
	core, err := open(ctx, d.database(), f.servers(), d.file("key"), process{name: "demo"}, d.Program)
	if err != nil {
		return err
	}
	d.atEnd(func(context.Context) error { core.close(); return nil })
	// Nobody ends well before a server that hangs.
	d.atEnd(func(context.Context) error {
		d.postgres.Thaw()
		f.rabbit.Thaw()
		f.redis.Thaw()
		return nil
	})
	return f.serveRoom(ctx, core)
}

// startServers starts RabbitMQ and Redis.
func (f *full) startServers(ctx context.Context) error {
	var starting sync.WaitGroup
	var errRabbit, errRedis error
	starting.Go(func() { f.rabbit, errRabbit = rabbittemp.Start(ctx, rabbittemp.Config{Dir: f.file("rabbitmq")}) })
	starting.Go(func() { f.redis, errRedis = redistemp.Start(ctx, redistemp.Config{Dir: f.file("redis")}) })
	starting.Wait()
	f.atEnd(func(ctx context.Context) error {
		var ending sync.WaitGroup
		var errs [2]error
		if f.rabbit != nil {
			ending.Go(func() { errs[0] = f.rabbit.Stop(ctx) })
		}
		if f.redis != nil {
			ending.Go(func() { errs[1] = f.redis.Stop(ctx) })
		}
		ending.Wait()
		return errors.Join(errs[:]...)
	})
	return errors.Join(errRabbit, errRedis)
}

// each does something with all at once.
func each[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var doing sync.WaitGroup
	for i, one := range all {
		doing.Go(func() { errs[i] = do(one) })
	}
	doing.Wait()
	return errors.Join(errs...)
}

// plan says which processes there are and where each listens: those addresses stay the
// same as long as the demo runs, so that one that was killed comes back to its place.
func (f *full) plan(ctx context.Context) error {
	logs := f.file("logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return fmt.Errorf("make the folder of the logs: %w", err)
	}
	kinds := []room.Kind{room.Worker, room.Worker, room.Relay, room.Relay, room.API, room.API}
	first, err := freeRun(ctx, f.cfg.Sites+len(kinds)+3)
	if err != nil {
		return err
	}
	next := first
	take := func() string { next++; return strconv.Itoa(next - 1) }
	listen, control, second := settled(f.cfg.Listen, take), settled(f.cfg.Control, take), "localhost:"+take()

	numbers := map[room.Kind]int{}
	for _, kind := range kinds {
		numbers[kind]++
		p := &stationProcess{kind: kind, name: fmt.Sprintf("%s-%d", kind, numbers[kind])}
		p.log = filepath.Join(logs, p.name+".log")
		health := "127.0.0.1:" + take()
		p.health = "http://" + health
		p.args = []string{
			"serve", "--roles", string(kind), "--instance", p.name, "--health-listen", health, "--key-file", f.file("key"),
			"--poll-interval", demoPoll.String(), "--max-panels", strconv.Itoa(f.cfg.Sites), "--desk-grace", f.cfg.DeskGrace.String(),
			"--log-format", "text", "--log-level", f.childLevel(),
		}
		if kind == room.API {
			at := listen
			if numbers[kind] > 1 {
				at = second
			}
			p.args = append(p.args, "--listen", at)
			p.url = "http://" + named(at)
		}
		p.own(f.environment(), func(ctx context.Context) error {
			readiness, err := askReadiness(ctx, p.health)
			if err == nil && !readiness.Ready {
				err = errors.New("it is not ready")
			}
			return err
		})
		f.processes = append(f.processes, p)
	}

	p := &stationProcess{kind: room.Sites, name: "sites", log: filepath.Join(logs, "sites.log"), url: "http://" + control}
	p.args = []string{
		"demo-sites", "--listen", "127.0.0.1:" + take(), "--key-file", f.file("key"), "--control", control, "--sites", strconv.Itoa(f.cfg.Sites), "--journals", f.file("panels"),
		"--log-level", f.childLevel(),
	}
	if f.cfg.QuietScenario {
		p.args = append(p.args, "--quiet-scenario")
	}
	p.own(f.environment(), func(ctx context.Context) error { return askSites(ctx, p.url) })
	f.sites = p
	return nil
}

// panels is the address of the first panel.
func (p *stationProcess) panels() string { return p.args[2] }

// childLevel lets the logs of children say at least what they do: nobody reads them
// unless something is to be found out.
func (f *full) childLevel() string {
	return strings.ToLower(min(f.cfg.LogLevel, slog.LevelInfo).String())
}

// environment is all that a process of the station is told besides its arguments, which
// others can see.
func (f *full) environment() []string {
	servers := f.servers()
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		"DATABASE_URL=" + f.database().URL.Reveal(), "AMQP_URL=" + servers.AMQP.Reveal(), "REDIS_URL=" + servers.Redis.Reveal(),
	}
}

func (f *full) servers() config.Servers {
	return config.Servers{AMQP: secret.Redacted(f.rabbit.URL("/")), Redis: secret.Redacted(f.redis.URL())}
}

// settled is an address whose port is known: one that is left open is taken from ours.
func settled(a config.Address, take func() string) string {
	host, port, err := net.SplitHostPort(string(a))
	if err == nil && port == "0" {
		return net.JoinHostPort(host, take())
	}
	return string(a)
}

// named is an address as people should use it: browsers refuse some things to bare ones.
func named(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && (host == "" || host == "127.0.0.1") {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// Ports below those that the system gives to connections, which would take one whose
// process is dead for the moment.
const (
	lowestPort  = 20000
	highestPort = 32000
	runTries    = 50
)

// freeRun finds n ports in a row that nobody listens on, and returns the first.
func freeRun(ctx context.Context, n int) (first int, err error) {
	for range runTries {
		first = lowestPort + rand.IntN(highestPort-lowestPort-n)
		if err = tryRun(ctx, first, n); err == nil {
			return first, nil
		}
	}
	return 0, fmt.Errorf("find %d free ports: %w", n, err)
}

func tryRun(ctx context.Context, first, n int) error {
	var lc net.ListenConfig
	for port := first; port < first+n; port++ {
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		defer l.Close()
	}
	return nil
}

// serveRoom serves the control room until ctx ends.
func (f *full) serveRoom(ctx context.Context, core *core) error {
	l, err := listen(ctx, f.cfg.Room, "--room")
	if err != nil {
		return err
	}
	defer l.Close()
	cfg, err := f.room(core)
	if err != nil {
		return err
	}
	if err := f.announceFull("http://" + hostOf(f.cfg.Room, l)); err != nil {
		return err
	}
	return lifecycle.Guard(func(ctx context.Context) error { return room.New(cfg).Run(ctx, l) })(ctx)
}

func (f *full) announceFull(roomURL string) error {
	var facts DemoFacts
	var second string
	for _, p := range f.processes {
		if p.kind == room.API && facts.URL == "" {
			facts = f.facts(p.url, p.health, f.sites.url)
		} else if p.kind == room.API {
			second = p.url
		}
	}
	facts.Room, facts.AMQPURL, facts.RedisURL = roomURL, f.servers().AMQP.Reveal(), f.servers().Redis.Reveal()
	for _, p := range append(f.processes, f.sites) {
		facts.Processes = append(facts.Processes, DemoProcess{Name: p.name, URL: p.url, HealthURL: p.health, Log: p.log})
	}
	return f.announce(facts, fmt.Sprintf(fullScreen, second, roomURL, f.file("logs")))
}

const fullScreen = `  console 2  %s  (another API of the same station)
  room       %s  (the control room: stop, kill and freeze any part)
  logs       %s
`
