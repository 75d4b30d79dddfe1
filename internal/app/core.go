package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/bus/hedge"
	"dozor/internal/bus/pgbus"
	"dozor/internal/command"
	"dozor/internal/config"
	"dozor/internal/live/redislive"
	"dozor/internal/live/tiers"
	"dozor/internal/obs"
	"dozor/internal/pg"
	"dozor/internal/resilience"
	"dozor/internal/roster"
	"dozor/internal/secret"
	"dozor/internal/site"
)

// Channels of hints besides those of the adapters.
const (
	channelOutbox   = "dozor_outbox"
	channelCommands = "dozor_commands"
	channelStates   = "dozor_states"
	channelLetters  = "dozor_letters"
	channelLeases   = "dozor_leases"
)

// Connections of one process. The direct ones are few: each listener, lane and relay
// keeps a session.
const (
	poolConns   = 24
	directConns = 10
)

// core is what every role stands on.
type core struct {
	log      *slog.Logger
	version  string
	instance string // unique among processes and starts
	registry *prometheus.Registry
	pool     *pg.Pool
	decisive *pg.Pool // of ingest alone: people's requests never keep an alarm waiting; nil without the role api
	direct   *pg.Direct
	hints    *pg.Hints
	keyring  *secret.Keyring
	bus      hedge.Bus // where messages are published: over RabbitMQ with PostgreSQL beneath, or PostgreSQL alone
	buses    []bus.Bus // where messages are taken from: all of them, always
	pgbus    *pgbus.Bus
	// Without AMQP_URL and REDIS_URL these are nil.
	broker        *amqpbus.Bus
	brokerBreaker *resilience.Breaker
	redis         *redislive.Store

	live     *tiers.Store
	parts    []part
	roster   *roster.Roster
	audit    *audit.Log
	auth     *auth.Auth
	sites    *site.Sites
	commands *command.Commands
}

// process says which one of the station's processes a core is made for.
type process struct {
	name  string // the host's when empty
	roles config.Roles
}

// open makes the core. Nothing runs and nothing is connected yet.
func open(ctx context.Context, db config.Database, servers config.Servers, keyFile string, of process, p Program) (_ *core, err error) {
	c := &core{log: p.Log, version: p.Version}
	log := p.Log
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the host's name: %w", err)
	}
	name := cmp.Or(of.name, host)
	c.instance = name + "-" + startMark()
	c.registry = obs.NewRegistry(c.version, name)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.keyring, err = secret.LoadKeyring(keyFile); err != nil {
		return nil, err
	}
	if c.pool, err = pg.Open(ctx, db.URL.Reveal(), pg.Options{MaxConns: poolConns, Pooled: db.Pooled(), Name: "dozor " + name}); err != nil {
		return nil, err
	}
	if c.direct, err = pg.OpenDirect(ctx, db.DirectURL().Reveal(), pg.Options{MaxConns: directConns, Name: "dozor " + name + " direct"}); err != nil {
		return nil, err
	}
	c.hints = pg.NewHints(c.pool, c.direct, log)
	c.pgbus = pgbus.New(c.pool, c.direct, c.hints, log)
	if err := c.openBus(servers); err != nil {
		return nil, err
	}
	if err := c.openLive(servers, of.roles.Has(config.API)); err != nil {
		return nil, err
	}
	c.roster = roster.New(roster.Config{Pool: c.pool, Sources: c.sources(), Logger: log, Self: roster.Process{
		Instance: c.instance, Name: name, Version: c.version, Roles: of.roles.Names(), Host: host, PID: os.Getpid(), StartedAt: time.Now().UTC(),
	}})
	c.audit = audit.New(c.keyring, c.instance)
	c.auth = auth.New(auth.Deps{Pool: c.pool, Keyring: c.keyring, Audit: c.audit, Notified: c.notified})
	c.sites = site.New(site.Deps{Pool: c.pool, Keyring: c.keyring, Audit: c.audit, States: c.live})
	c.commands = command.New(command.Deps{
		Pool: c.pool, Audit: c.audit, Links: c.live,
		Requested: func() { c.hints.Hint(channelCommands) }, Notified: c.notified,
	})
	return c, nil
}

// notified wakes the relays, here and elsewhere.
func (c *core) notified() { c.hints.Hint(channelOutbox) }

func (c *core) close() {
	if c.decisive != nil {
		c.decisive.Close()
	}
	if c.broker != nil {
		_ = c.broker.Close() // always nil
	}
	if c.redis != nil {
		if err := c.redis.Close(); err != nil {
			c.log.Debug("the connections to Redis", "err", err)
		}
	}
	if c.pool != nil {
		c.pool.Close()
	}
	if c.direct != nil {
		c.direct.Close()
	}
}

// startMark tells two starts of one process apart: a lease of the one before must not be
// taken for ours.
func startMark() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func openDirect(ctx context.Context, db config.Database) (*pg.Direct, error) {
	return pg.OpenDirect(ctx, db.DirectURL().Reveal(), pg.Options{Name: "dozor"})
}
