package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dozor/internal/secret"
)

// Role is a part of dozor that a process can play.
type Role string

// The roles.
const (
	Worker Role = "worker" // keeps the connections to panels
	API    Role = "api"    // consumes events, serves people
	Relay  Role = "relay"  // gives notifications their position and publishes them
)

// AllRoles is what one process plays that is alone.
var AllRoles = Roles{Worker, API, Relay}

// Roles is a set of roles.
type Roles []Role

// Has reports whether a role is in the set.
func (r Roles) Has(role Role) bool { return slices.Contains(r, role) }

// Names are the roles as text.
func (r Roles) Names() []string {
	names := make([]string, len(r))
	for i, role := range r {
		names[i] = string(role)
	}
	return names
}

// UnmarshalText reads names with commas between them.
func (r *Roles) UnmarshalText(text []byte) error {
	var read Roles
	var unknown []string
	for name := range strings.SplitSeq(string(text), ",") {
		role := Role(strings.TrimSpace(name))
		switch {
		case role == "" || read.Has(role):
		case AllRoles.Has(role):
			read = append(read, role)
		default:
			unknown = append(unknown, fmt.Sprintf("%q", role))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("there is no role %s: want some of worker, api, relay", strings.Join(unknown, ", "))
	}
	if len(read) == 0 {
		return fmt.Errorf("no role: want some of worker, api, relay")
	}
	*r = read
	return nil
}

// Database says how to reach PostgreSQL.
type Database struct {
	URL    secret.Redacted `name:"database-url" var:"DATABASE_URL" hidden:"" help:"The primary as the application: postgres://user:password@host:port/database."`
	Direct secret.Redacted `name:"database-direct-url" var:"DATABASE_DIRECT_URL" hidden:"" help:"The same without PgBouncer, where DATABASE_URL leads through it."`
}

// DirectURL is the way that allows a session: the direct one, or the only one.
func (d Database) DirectURL() secret.Redacted {
	if d.Direct != "" {
		return d.Direct
	}
	return d.URL
}

// Pooled reports whether DATABASE_URL leads through a pooler.
func (d Database) Pooled() bool { return d.Direct != "" && d.Direct != d.URL }

func (d Database) check(p *problems) {
	p.requiredDSN("DATABASE_URL", d.URL)
	p.dsn("DATABASE_DIRECT_URL", d.Direct)
}

// Servers are those that a station can do without.
type Servers struct {
	AMQP    secret.Redacted `name:"amqp-url" var:"AMQP_URL" hidden:"" help:"RabbitMQ: amqp:// or amqps://user:password@host:port/vhost, the nodes of a cluster separated by commas. PostgreSQL alone carries the messages when not set."`
	AMQPCA  string          `name:"amqp-ca-file" var:"AMQP_CA_FILE" placeholder:"FILE" help:"The authorities to trust for amqps, in PEM form, instead of the system's."`
	Redis   secret.Redacted `name:"redis-url" var:"REDIS_URL" hidden:"" help:"Redis: redis:// or rediss://user:password@host:port/database, or redis-sentinel://user:password@host:port,host:port/master. PostgreSQL alone keeps live state when not set."`
	RedisCA string          `name:"redis-ca-file" var:"REDIS_CA_FILE" placeholder:"FILE" help:"The authorities to trust for Redis over TLS, in PEM form, instead of the system's."`
}

func (s Servers) check(p *problems) {
	for _, ca := range []struct {
		name, file, of string
		url            secret.Redacted
	}{
		{"AMQP_CA_FILE (--amqp-ca-file)", s.AMQPCA, "AMQP_URL", s.AMQP},
		{"REDIS_CA_FILE (--redis-ca-file)", s.RedisCA, "REDIS_URL", s.Redis},
	} {
		if ca.file == "" {
			continue
		}
		p.readable(ca.name, ca.file)
		if ca.url == "" {
			p.add(ca.name, "of no use without "+ca.of)
		}
	}
}

// Serve is what dozor serve can be told.
type Serve struct {
	Database Database        `embed:""`
	Servers  Servers         `embed:""`
	Owner    secret.Redacted `name:"database-owner-url" var:"DATABASE_OWNER_URL" hidden:"" help:"The primary as the owner of the schema, direct. When set, migrations run before the start."`

	Roles        Roles         `var:"DOZOR_ROLES" default:"worker,api,relay" placeholder:"ROLE,..." help:"Which parts this process plays: worker, api, relay."`
	Listen       Address       `var:"DOZOR_LISTEN" default:"localhost:8080" placeholder:"HOST:PORT" help:"Where people and programs are served (role api). HTTPS is the proxy's part."`
	HealthListen Address       `var:"DOZOR_HEALTH_LISTEN" default:"localhost:8081" placeholder:"HOST:PORT" help:"Where /healthz, /readyz and /metrics are served."`
	KeyFile      string        `var:"DOZOR_KEY_FILE" placeholder:"FILE" help:"The keyring that seals secrets in the database; dozor key init makes one."`
	Instance     string        `var:"DOZOR_INSTANCE" placeholder:"NAME" help:"The name of this process in logs and leases; the name of the host when not set."`
	PollInterval time.Duration `var:"DOZOR_POLL_INTERVAL" default:"250ms" placeholder:"TIME" help:"The time between two questions to a panel (50ms to 5s)."`
	Subscribe    bool          `var:"DOZOR_SUBSCRIBE" default:"true" negatable:"" help:"Let modules that can do so say by themselves when something changed; a module that leaves the question without an answer is only asked (role worker)."`
	MaxPanels    int           `var:"DOZOR_MAX_PANELS" default:"1000" placeholder:"N" help:"How many panels this process takes at most (role worker)."`
	WebDir       string        `var:"DOZOR_WEB_DIR" placeholder:"DIR" help:"Serve the web client from this folder instead of the one built in (role api)."`
	EventsKept   int           `var:"DOZOR_EVENTS_KEPT_MONTHS" default:"0" placeholder:"MONTHS" help:"How long events are kept (role relay); 0 keeps them for ever, else at least 2."`
	DeskGrace    time.Duration `var:"DOZOR_DESK_GRACE" default:"60s" placeholder:"TIME" help:"How long no desk may be able to sound before the station raises an alarm of its own (role api): 10s to 1h; 0 where nobody need watch."`
	ClockLimit   time.Duration `var:"DOZOR_CLOCK_LIMIT" default:"5m" placeholder:"TIME" help:"How far a panel's clock may be off before the station raises an alarm of its own (role api): 30s to 24h; 0: as far as it likes."`
	Log          Log           `embed:""`
}

// Bounds of what a clock may be off: less is within what its reading tells.
const (
	minClockLimit = 30 * time.Second
	maxClockLimit = 24 * time.Hour
)

// Bounds of the time without a desk: one that died counts for ten seconds more.
const (
	minDeskGrace = 10 * time.Second
	maxDeskGrace = time.Hour
)

// Bounds of what a panel can be asked: faster than its module answers is no faster, and
// slower breaks the promise of a second.
const (
	minPoll = 50 * time.Millisecond
	maxPoll = 5 * time.Second
)

func (s *Serve) check(p *problems) {
	s.Database.check(p)
	s.Servers.check(p)
	p.dsn("DATABASE_OWNER_URL", s.Owner)
	if s.KeyFile == "" {
		p.add("DOZOR_KEY_FILE (--key-file)", "missing: it is needed to open the secrets in the database; dozor key init makes one")
	} else {
		p.readable("DOZOR_KEY_FILE (--key-file)", s.KeyFile)
	}
	if s.PollInterval < minPoll || s.PollInterval > maxPoll {
		p.add("DOZOR_POLL_INTERVAL (--poll-interval)", fmt.Sprintf("%v is not between %v and %v", s.PollInterval, minPoll, maxPoll))
	}
	if s.EventsKept != 0 && s.EventsKept < 2 {
		p.add("DOZOR_EVENTS_KEPT_MONTHS (--events-kept)", "want 0 or at least 2 months")
	}
	checkDeskGrace(p, s.DeskGrace)
	if s.ClockLimit != 0 && (s.ClockLimit < minClockLimit || s.ClockLimit > maxClockLimit) {
		p.add("DOZOR_CLOCK_LIMIT (--clock-limit)", fmt.Sprintf("%v is neither 0 nor between %v and %v", s.ClockLimit, minClockLimit, maxClockLimit))
	}
	if s.MaxPanels < 1 {
		p.add("DOZOR_MAX_PANELS (--max-panels)", "want at least 1")
	}
	if s.Listen != "" && s.Listen == s.HealthListen && !strings.HasSuffix(string(s.Listen), ":0") {
		p.add("DOZOR_HEALTH_LISTEN (--health-listen)", "the same address as DOZOR_LISTEN")
	}
}

func checkDeskGrace(p *problems, d time.Duration) {
	if d != 0 && (d < minDeskGrace || d > maxDeskGrace) {
		p.add("DOZOR_DESK_GRACE (--desk-grace)", fmt.Sprintf("%v is neither 0 nor between %v and %v", d, minDeskGrace, maxDeskGrace))
	}
}
