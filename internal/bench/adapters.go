package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/pg"
	"dozor/internal/rabbittemp"
	"dozor/internal/redistemp"
)

// Adapters says which servers carry the load besides PostgreSQL.
type Adapters string

// The combinations. AllAdapters measures each of them, one after the other.
const (
	OnlyPostgres Adapters = "pg"
	WithRabbit   Adapters = "amqp"
	WithRedis    Adapters = "redis"
	WithBoth     Adapters = "both"
	AllAdapters  Adapters = "all"
)

// each lists the combinations to measure.
func (a Adapters) each() []Adapters {
	if a == AllAdapters {
		return []Adapters{OnlyPostgres, WithRabbit, WithRedis, WithBoth}
	}
	return []Adapters{a}
}

func (a Adapters) rabbit() bool { return a == WithRabbit || a == WithBoth }
func (a Adapters) redis() bool  { return a == WithRedis || a == WithBoth }

func (a Adapters) check() error {
	if !slices.Contains([]Adapters{"", OnlyPostgres, WithRabbit, WithRedis, WithBoth, AllAdapters}, a) {
		return fmt.Errorf("--adapters: want pg, amqp, redis, both or all, not %q", string(a))
	}
	return nil
}

// use starts the servers of a combination. They end with the station.
func (s *station) use(ctx context.Context, a Adapters) (err error) {
	if a.rabbit() {
		s.log.Info("making a private RabbitMQ")
		if s.rabbit, err = rabbittemp.Start(ctx, rabbittemp.Config{Dir: filepath.Join(s.dir, "rabbitmq")}); err != nil {
			return err
		}
		s.environment = append(s.environment, "AMQP_URL="+s.rabbit.URL("/"))
	}
	if a.redis() {
		s.log.Info("making a private Redis")
		if s.redis, err = redistemp.Start(ctx, redistemp.Config{Dir: filepath.Join(s.dir, "redis")}); err != nil {
			return err
		}
		s.environment = append(s.environment, "REDIS_URL="+s.redis.URL())
	}
	return nil
}

// stopServers ends them, and removes what lies elsewhere because their users can't reach
// every folder.
func (s *station) stopServers(ctx context.Context) error {
	var problems []error
	if s.rabbit != nil {
		s.rabbit.Kill() // nobody needs what it holds
		if !s.keep {
			problems = append(problems, rabbittemp.Remove(filepath.Join(s.dir, "rabbitmq")))
		}
	}
	if s.redis != nil {
		problems = append(problems, s.redis.Kill(ctx))
		if !s.keep {
			problems = append(problems, redistemp.Remove(filepath.Join(s.dir, "redis")))
		}
	}
	return errors.Join(problems...)
}

// serverMeters are those of the servers that carry the load.
func (s *station) serverMeters() []meter {
	meters := []meter{s.postgresMeter()}
	if s.rabbit != nil {
		pid := s.rabbit.PID()
		meters = append(meters, meter{"rabbitmq", func() (usage, error) { return ofFamily(pid) }})
	}
	if s.redis != nil {
		meters = append(meters, processMeter("redis", s.redis.PID()))
	}
	return meters
}

// publisher is the bus that workers would publish on.
func (s *station) publisher(postgres bus.Publisher) (bus.Publisher, func() error, error) {
	if s.rabbit == nil {
		return postgres, func() error { return nil }, nil
	}
	broker, err := amqpbus.New(amqpbus.Config{URL: s.rabbit.URL("/"), Name: instance, Logger: s.log})
	if err != nil {
		return nil, nil, err
	}
	return broker, broker.Close, nil
}

// stateReads is how often the state of a panel is read from each store.
const stateReads = 2000

// StateReads is what reading the live state of one panel takes, in milliseconds.
type StateReads struct {
	Postgres *Latency `json:"postgres"`
	// Redis is null in a run without it.
	Redis *Latency `json:"redis"`
}

// readStates reads states in turn from both stores, as they stand at the end of a run.
func (s *station) readStates(ctx context.Context, panels []ids.PanelID) (*StateReads, error) {
	var reads StateReads
	in, err := timeReads(ctx, pglive.New(s.pool, pg.NewHints(s.pool, nil, s.log), s.log), panels)
	if err != nil {
		return nil, fmt.Errorf("read states from PostgreSQL: %w", err)
	}
	reads.Postgres = in
	if s.redis == nil {
		return &reads, nil
	}
	store, err := redislive.New(redislive.Config{URL: s.redis.URL(), Ledger: pglive.NewLedger(s.pool), Log: s.log})
	if err != nil {
		return nil, err
	}
	if reads.Redis, err = timeReads(ctx, store, panels); err != nil {
		err = fmt.Errorf("read states from Redis: %w", err)
	}
	return &reads, errors.Join(err, store.Close())
}

func timeReads(ctx context.Context, from live.States, panels []ids.PanelID) (*Latency, error) {
	took := make([]time.Duration, 0, stateReads)
	for i := range stateReads {
		panel := panels[i%len(panels)]
		asked := time.Now()
		states, err := from.States(ctx, panel)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(asked))
		if len(states) != 1 {
			return nil, fmt.Errorf("panel %d has no state there", panel)
		}
	}
	l := summarise(took)
	return &l, nil
}

// printable is a report that stands in a table with others.
type printable interface {
	Print(w io.Writer, asJSON bool) error
}

// Runs are the reports of several combinations.
type Runs[R printable] struct {
	Runs []Run[R] `json:"runs"`
	// headings and cells make the one table of all.
	headings []string
	cells    func(R) []any
}

// Run is one of them.
type Run[R printable] struct {
	Adapters Adapters `json:"adapters"`
	Report   R        `json:"report"`
}

// Print writes one table of all, or one JSON object. A single run is printed as itself.
func (r *Runs[R]) Print(w io.Writer, asJSON bool) error {
	if len(r.Runs) == 1 {
		return r.Runs[0].Report.Print(w, asJSON)
	}
	if asJSON {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			return fmt.Errorf("print the reports: %w", err)
		}
		return nil
	}
	t := newTable(w)
	heads := []any{"adapters"}
	for _, h := range r.headings {
		heads = append(heads, h)
	}
	t.row(heads...)
	for _, run := range r.Runs {
		t.row(append([]any{string(run.Adapters)}, r.cells(run.Report)...)...)
	}
	return t.flush()
}

// measureEach runs a measurement for each combination. What was measured before an error
// is returned with it; one that was inexact does not keep the others from being measured.
func measureEach[R printable](ctx context.Context, all Adapters, runs *Runs[R], measure func(context.Context, Adapters) (R, error)) error {
	var inexact []error
	for _, a := range all.each() {
		report, err := measure(ctx, a)
		if err != nil && !errors.Is(err, ErrInexact) {
			return errors.Join(append(inexact, fmt.Errorf("with %s: %w", a, err))...)
		}
		if err != nil {
			inexact = append(inexact, fmt.Errorf("with %s: %w", a, err))
		}
		runs.Runs = append(runs.Runs, Run[R]{a, report})
	}
	return errors.Join(inexact...)
}

// Alarms is Alarm for each combination that the options name.
func Alarms(ctx context.Context, o AlarmOptions) (*Runs[*AlarmReport], error) {
	runs := &Runs[*AlarmReport]{
		headings: []string{"p50 ms", "p99 ms", "own p50", "own p99", "disk p99", "burst s", "state from PostgreSQL p95", "from Redis p95", "CPU ms an event", "of it dozor", "lost", "doubled"},
		cells: func(r *AlarmReport) []any {
			own, disk, burst, fromPostgres, fromRedis := "", "", "", "", ""
			ownP99 := ""
			if r.Own != nil {
				own, ownP99 = fmt.Sprint(r.Own.P50), fmt.Sprint(r.Own.P99)
			}
			if r.Disk != nil {
				disk = fmt.Sprint(r.Disk.P99)
			}
			if r.Burst != nil {
				burst = fmt.Sprint(*r.Burst)
			}
			if r.States != nil {
				fromPostgres = fmt.Sprint(r.States.Postgres.P95)
				if r.States.Redis != nil {
					fromRedis = fmt.Sprint(r.States.Redis.P95)
				}
			}
			total, dozor := cpuPerEvent(r.Processes, r.Events)
			return []any{r.Latency.P50, r.Latency.P99, own, ownP99, disk, burst, fromPostgres, fromRedis, total, dozor, r.Lost, r.Duplicated}
		},
	}
	err := measureEach(ctx, o.Adapters, runs, func(ctx context.Context, a Adapters) (*AlarmReport, error) {
		one := o
		one.Adapters = a
		report, err := Alarm(ctx, one)
		return &report, err
	})
	return runs, err
}

// Ingests is Ingest for each combination that the options name.
func Ingests(ctx context.Context, o IngestOptions) (*Runs[*IngestReport], error) {
	runs := &Runs[*IngestReport]{
		headings: []string{"events/s", "published/s", "PostgreSQL alone/s", "ratio", "CPU ms an event", "of it dozor", "lost", "doubled"},
		cells: func(r *IngestReport) []any {
			total, dozor := cpuPerEvent(r.processes, r.Events)
			return []any{r.PerSecond, round(float64(r.Events)/r.published.Seconds(), 0), r.Postgres, r.Ratio, total, dozor, r.Lost, r.Duplicated}
		},
	}
	err := measureEach(ctx, o.Adapters, runs, func(ctx context.Context, a Adapters) (*IngestReport, error) {
		one := o
		one.Adapters = a
		report, err := Ingest(ctx, one)
		return &report, err
	})
	return runs, err
}

// cpuPerEvent is what all servers and dozor used for one event, in milliseconds; the
// bench's own clients and the simulator don't count.
func cpuPerEvent(used []ProcessUse, events int) (total, dozor float64) {
	for _, p := range used {
		switch p.Name {
		case "bench", "sim":
			continue
		case "dozor":
			dozor += p.CPU
		}
		total += p.CPU
	}
	n := max(float64(events), 1) / 1000
	return round(total/n, 3), round(dozor/n, 3)
}
