package config

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"dozor/internal/obs"
	"dozor/internal/secret"
)

// Demo is what dozor demo can be told.
type Demo struct {
	DeskGrace     time.Duration `var:"DOZOR_DESK_GRACE" default:"60s" placeholder:"TIME" help:"How long no desk may be able to sound before the station raises an alarm of its own; 0: for ever."`
	Data          string        `default:".demo" placeholder:"DIR" help:"Where the demonstration keeps its database and keys."`
	Listen        Address       `default:"localhost:8080" placeholder:"HOST:PORT" help:"Where the console is served."`
	Control       Address       `default:"127.0.0.1:10080" placeholder:"HOST:PORT" help:"Where the simulated sites take orders over HTTP."`
	Full          bool          `help:"Run RabbitMQ and Redis too, and the station as two workers, two relays and two APIs, with a control room where each can be killed."`
	Room          Address       `default:"localhost:10081" placeholder:"HOST:PORT" help:"Where the control room of --full is served, to this machine alone."`
	Sites         int           `default:"5" placeholder:"N" help:"How many simulated sites (1 to 500)."`
	QuietScenario bool          `help:"Leave the sites alone: nothing happens that you did not order."`
	Reset         bool          `help:"Throw away what an earlier demonstration left, then start."`
	LogLevel      slog.Level    `default:"warn" placeholder:"LEVEL" help:"The least that is logged: debug, info, warn or error."`
	LogFormat     obs.Format    `default:"text" placeholder:"FORMAT" help:"How lines look: json or text."`
}

const maxDemoSites = 500

func (d *Demo) check(p *problems) {
	checkDeskGrace(p, d.DeskGrace)
	if d.Sites < 1 || d.Sites > maxDemoSites {
		p.add("--sites", fmt.Sprintf("want 1 to %d", maxDemoSites))
	}
	if strings.TrimSpace(d.Data) == "" {
		p.add("--data", "want a folder")
	}
	if d.Full && !d.Room.Loopback() {
		p.add("--room", "whoever reaches the control room may kill: want localhost or a loopback address")
	}
}

// DemoSites is what the demonstration tells its child that simulates the sites.
type DemoSites struct {
	Database      Database   `embed:""`
	KeyFile       string     `required:"" placeholder:"FILE" help:"The keyring."`
	Listen        Address    `required:"" placeholder:"HOST:PORT" help:"Where the first panel answers; further ones take the ports that follow."`
	Control       Address    `required:"" placeholder:"HOST:PORT" help:"Where orders are taken over HTTP."`
	Sites         int        `required:"" placeholder:"N" help:"How many sites."`
	Journals      string     `required:"" placeholder:"DIR" help:"Where the panels keep their event memories."`
	QuietScenario bool       `help:"Leave the sites alone."`
	LogLevel      slog.Level `default:"warn" placeholder:"LEVEL" help:"The least that is logged."`
}

func (d *DemoSites) check(p *problems) { d.Database.check(p) }

// Sim is what dozor sim can be told.
type Sim struct {
	Listen      Address       `default:"127.0.0.1:10004" placeholder:"HOST:PORT" help:"Where the first panel answers; further ones take the ports that follow."`
	Panels      int           `default:"1" placeholder:"N" help:"How many panels."`
	Model       string        `default:"INTEGRA 128 PLUS" placeholder:"NAME" help:"Which panel they are."`
	Code        string        `default:"1234" placeholder:"DIGITS" help:"The code of the first user of every simulated panel."`
	Control     Address       `default:"127.0.0.1:10080" placeholder:"HOST:PORT" help:"Where orders are taken over HTTP: open a zone, cut the link."`
	LogDelay    time.Duration `default:"300ms" placeholder:"TIME" help:"How much later than its state a record reaches the event memory, at most."`
	AnswerDelay time.Duration `default:"20ms" placeholder:"TIME" help:"The time from a question to its answer."`
	MinGap      time.Duration `default:"10ms" placeholder:"TIME" help:"How long after an answer the module does not listen."`

	Key       string        `var:"DOZOR_SIM_KEY" placeholder:"KEY" help:"Speak encrypted, with this integration key of up to 12 characters."`
	WrongKey  string        `enum:"silent,close" default:"silent" placeholder:"DO" help:"What a module does with a client that has another key: silent or close."`
	Clients   string        `enum:"one,first-out,many" default:"one" placeholder:"HOW" help:"What a module does with a second client: one refuses it as busy, first-out throws the first out, many admits all."`
	Seed      uint64        `default:"1" placeholder:"N" help:"Draws what looks random; the same seed gives the same again."`
	Profile   string        `enum:"calm,storm" default:"calm" placeholder:"NAME" help:"calm does only what you order; storm strikes all panels at random: alarms, cut links, damaged answers, restarts, jumping clocks."`
	StormFor  time.Duration `default:"1m" placeholder:"TIME" help:"How long the storm lasts."`
	OldModule bool          `help:"Be modules of before 2013: no subscription, no lists for 256 zones, no module version."`
}

const (
	maxSimPanels = 10_000
	maxStorm     = 24 * time.Hour
)

func (s *Sim) check(p *problems) {
	if s.Panels < 1 || s.Panels > maxSimPanels {
		p.add("--panels", fmt.Sprintf("want 1 to %d", maxSimPanels))
	}
	if s.StormFor <= 0 || s.StormFor > maxStorm {
		p.add("--storm-for", fmt.Sprintf("want up to %s", maxStorm))
	}
	for name, d := range map[string]time.Duration{"--log-delay": s.LogDelay, "--answer-delay": s.AnswerDelay, "--min-gap": s.MinGap} {
		if d < 0 {
			p.add(name, "a time can't be negative")
		}
	}
}

// Migrate is what dozor migrate can be told.
type Migrate struct {
	Owner secret.Redacted `name:"database-owner-url" var:"DATABASE_OWNER_URL" hidden:"" help:"The primary as the owner of the schema, not through PgBouncer."`
	Log   Log             `embed:""`
}

func (m *Migrate) check(p *problems) { p.requiredDSN("DATABASE_OWNER_URL", m.Owner) }

// User is what both commands about users can be told.
type User struct {
	Login    string          `arg:"" help:"What the person signs in with."`
	Password secret.Redacted `name:"password" var:"DOZOR_PASSWORD" hidden:"" help:"The password; asked for at the terminal, or read from the first line of stdin, when not set."`
	KeyFile  string          `var:"DOZOR_KEY_FILE" placeholder:"FILE" help:"The keyring; it keys what the audit keeps of a person."`
	Database Database        `embed:""`
}

func (u *User) check(p *problems) {
	u.Database.check(p)
	if u.KeyFile == "" {
		p.add("DOZOR_KEY_FILE (--key-file)", "missing: dozor key init makes one")
	} else {
		p.readable("DOZOR_KEY_FILE (--key-file)", u.KeyFile)
	}
}

// UserCreate is what dozor user create can be told.
type UserCreate struct {
	User `embed:""`
	Name string `required:"" placeholder:"NAME" help:"The person's name, as colleagues read it."`
	Role string `required:"" enum:"admin,supervisor,operator" placeholder:"ROLE" help:"What the person may do: admin, supervisor or operator."`
}

// UserPassword is what dozor user password can be told.
type UserPassword struct {
	User `embed:""`
}

// KeyInit is what dozor key init can be told.
type KeyInit struct {
	KeyFile string `var:"DOZOR_KEY_FILE" placeholder:"FILE" help:"Where the new keyring goes; nothing that exists is overwritten."`
}

func (k *KeyInit) check(p *problems) {
	if k.KeyFile == "" {
		p.add("DOZOR_KEY_FILE (--key-file)", "missing: where should the keyring go?")
	}
}

// StreamReset is what dozor stream reset can be told.
type StreamReset struct {
	Database Database `embed:""`
}

func (s *StreamReset) check(p *problems) { s.Database.check(p) }
