package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/bus/pgbus"
	"dozor/internal/command"
	"dozor/internal/config"
	"dozor/internal/live/pglive"
	"dozor/internal/obs"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/site"
)

// Channels of hints besides those of the adapters.
const (
	channelOutbox   = "dozor_outbox"
	channelCommands = "dozor_commands"
	channelStates   = "dozor_states"
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
	bus      *pgbus.Bus
	live     *pglive.Store
	audit    *audit.Log
	auth     *auth.Auth
	sites    *site.Sites
	commands *command.Commands
}

// open makes the core. Nothing runs and nothing is connected yet.
func open(ctx context.Context, db config.Database, keyFile, name string, p Program) (*core, error) {
	c := &core{log: p.Log, version: p.Version}
	log := p.Log
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("find the host's name: %w", err)
		}
		name = host
	}
	c.instance = name + "-" + startMark()
	c.registry = obs.NewRegistry(c.version, name)
	var err error
	if c.keyring, err = secret.LoadKeyring(keyFile); err != nil {
		return nil, err
	}
	if c.pool, err = pg.Open(ctx, db.URL.Reveal(), pg.Options{MaxConns: poolConns, Pooled: db.Pooled(), Name: "dozor " + name}); err != nil {
		return nil, err
	}
	if c.direct, err = pg.OpenDirect(ctx, db.DirectURL().Reveal(), pg.Options{MaxConns: directConns, Name: "dozor " + name + " direct"}); err != nil {
		c.pool.Close()
		return nil, err
	}
	c.hints = pg.NewHints(c.pool, c.direct, log)
	c.bus = pgbus.New(c.pool, c.direct, c.hints, log)
	c.live = pglive.New(c.pool, c.hints, log)
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
	c.pool.Close()
	c.direct.Close()
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
