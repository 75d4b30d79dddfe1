package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dozor/satel"
	"dozor/satel/sim"
)

// Settings say how a bench runs, whatever it measures.
type Settings struct {
	Dir  string `placeholder:"DIR" help:"The disk to be measured: where the private PostgreSQL is made and removed afterwards. The folder of temporary files when not set."`
	Keep bool   `help:"Keep the private PostgreSQL and the logs of all processes, and say where."`
	JSON bool   `name:"json" help:"Print one JSON object instead of a table."`

	// Binary is the program that is measured; empty means the one that runs.
	Binary string `kong:"-"`
	// Logger hears of progress; nil for nobody.
	Logger *slog.Logger `kong:"-"`
}

// AlarmOptions say what Alarm does.
type AlarmOptions struct {
	Adapters Adapters `default:"pg" enum:"pg,amqp,redis,both,all" placeholder:"WHICH" help:"What carries the load besides PostgreSQL: nothing (pg), RabbitMQ (amqp), Redis (redis) or both; all measures each of the four in one run."`

	Panels   int           `default:"20" placeholder:"N" help:"How many panels raise alarms."`
	Clients  int           `default:"20" placeholder:"N" help:"How many screens are connected."`
	Rate     float64       `default:"5" placeholder:"N" help:"Alarms per second over all panels."`
	Duration time.Duration `default:"30s" placeholder:"TIME" help:"How long alarms are raised."`
	Burst    int           `default:"0" placeholder:"N" help:"Raise so many alarms at one moment, spread evenly over the panels, instead of a rate."`
	Limit    time.Duration `default:"60s" placeholder:"TIME" help:"How long after the time that the protocol needs an event may come, before it counts as lost."`

	PollInterval time.Duration `default:"250ms" placeholder:"TIME" help:"The time between two questions to a panel."`
	LogDelay     time.Duration `default:"0s" placeholder:"TIME" help:"How much later than its state a record reaches a panel's event memory, at most."`
	AnswerDelay  time.Duration `default:"20ms" placeholder:"TIME" help:"The time from a question to the panel's answer."`
	MinGap       time.Duration `default:"10ms" placeholder:"TIME" help:"How long after an answer the panel does not listen."`

	URL          string `name:"url" placeholder:"URL" help:"Measure a running dozor instead of starting one; the times of its panels are what the four flags above say."`
	Login        string `placeholder:"LOGIN" help:"Who signs in to the running dozor."`
	PasswordFile string `placeholder:"FILE" help:"A file with that person's password."`
	SimControl   string `placeholder:"URL" help:"The control API of the running simulator whose panels that dozor has."`
	MetricsURL   string `name:"metrics-url" placeholder:"URL" help:"Where the running dozor shows its metrics, for its own share."`

	Settings `embed:""`
}

// IngestOptions say what Ingest does.
type IngestOptions struct {
	Adapters Adapters `default:"pg" enum:"pg,amqp,redis,both,all" placeholder:"WHICH" help:"What carries the load besides PostgreSQL: nothing (pg), RabbitMQ (amqp), Redis (redis) or both; all measures each of the four in one run."`

	Events int `default:"100000" placeholder:"N" help:"How many events are put on the bus."`
	Panels int `default:"50" placeholder:"N" help:"How many panels they come from, each at a site of its own."`

	Settings `embed:""`
}

const (
	maxPanels  = 2000
	maxClients = 2000
	maxEvents  = 10_000_000
)

func (o *AlarmOptions) check() error {
	var problems []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	problems = append(problems, o.Adapters.check())
	refuse(o.URL != "" && o.Adapters != "" && o.Adapters != OnlyPostgres, "--adapters: a running dozor has its own")
	refuse(o.Panels < 1 || o.Panels > maxPanels, "--panels: want 1 to %d", maxPanels)
	refuse(o.Clients < 1 || o.Clients > maxClients, "--clients: want 1 to %d", maxClients)
	refuse(o.Burst < 0, "--burst: want a number of alarms")
	refuse(o.Burst == 0 && (o.Rate <= 0 || o.Duration <= 0), "--rate and --duration: want more than nothing")
	refuse(o.Limit <= 0, "--limit: want more than nothing")
	refuse(o.PollInterval <= 0 || o.LogDelay < 0 || o.AnswerDelay < 0 || o.MinGap < 0, "a time of the panels is negative")
	if model, ok := satel.ModelByName(sim.DefaultModel); ok && o.Panels > 0 {
		refuse(o.perPanel() >= model.LogSize, "--burst: %d records a panel are more than its memory holds (%d)", o.perPanel(), model.LogSize)
	}
	if o.URL != "" || o.Login != "" || o.PasswordFile != "" || o.SimControl != "" {
		refuse(o.URL == "" || o.Login == "" || o.PasswordFile == "" || o.SimControl == "",
			"a running dozor needs all of --url, --login, --password-file and --sim-control")
	}
	return errors.Join(problems...)
}

// perPanel is the largest share of a burst that one panel gets.
func (o *AlarmOptions) perPanel() int { return (o.Burst + o.Panels - 1) / o.Panels }

// request is what one question costs on the line.
func (o *AlarmOptions) request() time.Duration { return o.AnswerDelay + o.MinGap }

// floor is the longest that an alarm takes through the protocol alone: it begins right
// after a poll, its record comes as late as it may, and two questions are asked, whether
// there is news and what the newest record is.
func (o *AlarmOptions) floor() time.Duration { return o.PollInterval + o.LogDelay + 2*o.request() }

// burstFloor is what reading the largest share of a burst takes, one record a question.
func (o *AlarmOptions) burstFloor() time.Duration {
	return time.Duration(o.perPanel()) * o.request()
}

func (o *IngestOptions) check() error {
	problems := []error{o.Adapters.check()}
	if o.Events < 1 || o.Events > maxEvents {
		problems = append(problems, fmt.Errorf("--events: want 1 to %d", maxEvents))
	}
	if o.Panels < 1 || o.Panels > maxPanels {
		problems = append(problems, fmt.Errorf("--panels: want 1 to %d", maxPanels))
	}
	return errors.Join(problems...)
}

func (s *Settings) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger.With("component", "bench")
}
