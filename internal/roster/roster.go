package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/pg"
)

const (
	// AliveFor is how long a process counts as alive after it was heard of.
	AliveFor = 8 * time.Second
	// listedFor is how long one that was not is still on the list.
	listedFor = time.Minute
	// maxProcesses bounds the list.
	maxProcesses = 100

	sayEvery    = 2 * time.Second
	lookTime    = time.Second
	stepTimeout = 3 * time.Second
)

// State says how a process sees a part.
type State string

// The states. Aside is a part whose breaker is open: it is not tried but by a canary.
const (
	OK    State = "ok"
	Down  State = "down"
	Aside State = "aside"
)

// Part is what a process says of a part that it uses.
type Part struct {
	Name  string    `json:"name" enum:"rabbitmq,redis"`
	State State     `json:"state" enum:"ok,down,aside"`
	Since time.Time `json:"since" doc:"Of the breaker's last change"`
	// Reason is a stable word for what is wrong, see Reason of amqpbus and redislive.
	Reason string `json:"reason,omitempty" doc:"A stable word: refused, timeout, password, memory and so on"`
	// Detail is for people who run the station; it holds no secret.
	Detail string `json:"detail,omitempty"`
	// LatencyMS is how long a question to it took just now, in milliseconds.
	LatencyMS float64 `json:"latency_ms" doc:"0 when it did not answer"`
	// Opened counts how often its breaker opened since the process began.
	Opened int64 `json:"opened" doc:"How often it was put aside since the process began"`
}

// Process is one of the station.
type Process struct {
	Instance  string    `json:"instance" doc:"Unique among processes and their starts"`
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	Roles     []string  `json:"roles"`
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
	Alive     bool      `json:"alive" doc:"It was heard of within eight seconds"`
	Parts     []Part    `json:"parts" doc:"As this process sees them"`
}

// Source looks at a part. It must end with its context.
type Source func(ctx context.Context) Part

// Config of a Roster.
type Config struct {
	Pool *pg.Pool
	// Self says who this process is; SeenAt, Alive and Parts are filled in.
	Self    Process
	Sources []Source
	Logger  *slog.Logger
}

// Roster is this process's place on the list, and the list.
type Roster struct {
	cfg Config

	mu    sync.Mutex
	parts []Part
}

// New makes a Roster; Run says who is there.
func New(cfg Config) *Roster {
	cfg.Logger = cfg.Logger.With("component", "roster")
	return &Roster{cfg: cfg, parts: []Part{}}
}

// Parts returns how this process saw its parts a moment ago.
func (r *Roster) Parts() []Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.parts
}

// Run says who this process is until ctx ends; then it leaves the list.
func (r *Roster) Run(ctx context.Context) error {
	defer r.leave(context.WithoutCancel(ctx))
	tick := time.NewTicker(sayEvery)
	defer tick.Stop()
	failing := false
	for {
		parts := r.look(ctx)
		r.mu.Lock()
		r.parts = parts
		r.mu.Unlock()
		err := r.say(ctx, parts)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !failing {
			r.cfg.Logger.Warn("the other processes are not told of this one", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look asks all parts at once.
func (r *Roster) look(ctx context.Context) []Part {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	parts := make([]Part, len(r.cfg.Sources))
	var asking sync.WaitGroup
	for i, source := range r.cfg.Sources {
		asking.Go(func() { parts[i] = source(ctx) })
	}
	asking.Wait()
	return parts
}

const say = `
INSERT INTO processes (instance, name, version, roles, host, pid, started_at, parts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (instance) DO UPDATE SET seen_at = dozor_now(), parts = excluded.parts`

func (r *Roster) say(ctx context.Context, parts []Part) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	encoded, err := json.Marshal(parts)
	if err != nil {
		return fmt.Errorf("encode the state of the parts: %w", err)
	}
	self := r.cfg.Self
	if _, err := r.cfg.Pool.Exec(ctx, say, self.Instance, self.Name, self.Version, self.Roles, self.Host, self.PID, self.StartedAt, string(encoded)); err != nil {
		return fmt.Errorf("say who this process is: %w", err)
	}
	if _, err := r.cfg.Pool.Exec(ctx, "DELETE FROM processes WHERE seen_at < dozor_now() - $1::interval", listedFor); err != nil {
		return fmt.Errorf("strike processes that are long gone off the list: %w", err)
	}
	return nil
}

// leave takes this process off the list; when it can't, others see it go stale.
func (r *Roster) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if _, err := r.cfg.Pool.Exec(ctx, "DELETE FROM processes WHERE instance = $1", r.cfg.Self.Instance); err != nil {
		r.cfg.Logger.Debug("this process stays on the list for a while", "err", err)
	}
}

// List returns the processes by name.
func (r *Roster) List(ctx context.Context) ([]Process, error) {
	rows, err := r.cfg.Pool.Query(ctx, `
		SELECT instance, name, version, roles, host, pid, started_at, seen_at, seen_at > dozor_now() - $1::interval, parts
		FROM processes WHERE seen_at > dozor_now() - $2::interval ORDER BY name, started_at LIMIT $3`, AliveFor, listedFor, maxProcesses)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Process, error) {
		var p Process
		var parts []byte
		err := row.Scan(&p.Instance, &p.Name, &p.Version, &p.Roles, &p.Host, &p.PID, &p.StartedAt, &p.SeenAt, &p.Alive, &parts)
		if err != nil {
			return p, err
		}
		p.StartedAt, p.SeenAt = p.StartedAt.UTC(), p.SeenAt.UTC()
		return p, json.Unmarshal(parts, &p.Parts)
	})
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	return list, nil
}
