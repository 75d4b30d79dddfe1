package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"dozor/internal/access"
	"dozor/internal/bus"
	"dozor/internal/roster"
	"dozor/internal/selfwatch"
	"dozor/internal/wire"
)

const (
	// statusTime bounds the reading of all parts; what has not answered is left out.
	statusTime = 900 * time.Millisecond
	// statusLife is how long one reading serves everybody who asks.
	statusLife = time.Second
)

// Status is how the station is. A part that did not answer is null, or down, and named
// in unanswered.
type Status struct {
	Version    string              `json:"version"`
	Instance   string              `json:"instance" doc:"Who answers"`
	StartedAt  time.Time           `json:"started_at"`
	Time       time.Time           `json:"time"`
	Database   selfwatch.Database  `json:"database"`
	Stream     *StreamStatus       `json:"stream"`
	Ingest     selfwatch.Ingest    `json:"ingest"`
	Relay      selfwatch.Relay     `json:"relay"`
	Workers    []selfwatch.Worker  `json:"workers" nullable:"true"`
	Processes  []roster.Process    `json:"processes" nullable:"true" doc:"Those of the station, each with its view of the parts that it could do without"`
	Queues     []Queue             `json:"queues" nullable:"true" doc:"What waits where, as this instance sees it"`
	Leases     *Leases             `json:"leases"`
	Panels     *selfwatch.Panels   `json:"panels"`
	Desks      []wire.Desk         `json:"desks" nullable:"true"`
	Faults     []wire.StationFault `json:"faults"`
	DeadLetter *int64              `json:"dead_letters" doc:"Messages that were set aside and wait for a person"`
	Unanswered []string            `json:"unanswered" doc:"Parts that did not answer in time"`
}

// StreamStatus is where the stream stands, and this instance in it.
type StreamStatus struct {
	Epoch     int64 `json:"epoch"`
	Last      int64 `json:"last" doc:"The highest position given out"`
	Published int64 `json:"published"`
	LagMS     int64 `json:"lag_ms" doc:"How old the oldest frame is that this instance does not have"`
	Clients   int   `json:"clients" doc:"Of this instance"`
}

// Queue is what waits in one of the buses.
type Queue struct {
	Bus      string `json:"bus" enum:"postgres,rabbitmq"`
	Live     *int64 `json:"live" doc:"Messages of the live lane that wait or are unsettled; null: no answer"`
	Backfill *int64 `json:"backfill"`
}

// Leases is which store grants panels to workers.
type Leases struct {
	Store   string    `json:"store" enum:"postgres,redis"`
	MovedAt time.Time `json:"moved_at" doc:"When another store began to grant them"`
	Grants  bool      `json:"grants" doc:"False for some seconds after a move"`
}

// Depths says how much waits in a bus.
type Depths interface {
	Depth(ctx context.Context, lane bus.Lane) (int64, error)
}

type statusOutput struct {
	Body Status
}

type desksOutput struct {
	Body struct {
		Desks []wire.Desk `json:"desks"`
	}
}

// statusCache is the last reading, shared by all who ask.
type statusCache struct {
	mu      sync.Mutex
	started time.Time
	readAt  time.Time
	status  Status
}

func (a *api) statusRoutes() {
	add(a, op(http.MethodGet, "/api/desks", "list-desks", "Who sits where, and whether they can hear"), a.listDesks)
	add(a, op(http.MethodGet, "/api/status", "get-status", "How the station itself is"), a.getStatus)
}

func (a *api) listDesks(ctx context.Context, _ access.Principal, _ *struct{}) (*desksOutput, error) {
	out := &desksOutput{}
	var err error
	out.Body.Desks, err = a.Presence.List(ctx)
	return out, err
}

// getStatus reads at most once in statusLife: whoever comes meanwhile waits for that.
func (a *api) getStatus(ctx context.Context, _ access.Principal, _ *struct{}) (*statusOutput, error) {
	c := &a.status
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.readAt) > statusLife {
		// Not by this request's end: others wait for the answer too.
		c.status = a.readStatus(context.WithoutCancel(ctx))
		c.status.StartedAt = c.started
		c.readAt = time.Now()
	}
	return &statusOutput{Body: c.status}, nil
}

// part is one thing that is asked. take puts the answer in; it is called under a lock, and
// not for an answer that came too late.
type part struct {
	name string
	read func(ctx context.Context) (take func(*Status), err error)
}

func partOf[T any](name string, read func(context.Context) (T, error), put func(*Status, T)) part {
	return part{name, func(ctx context.Context) (func(*Status), error) {
		v, err := read(ctx)
		return func(s *Status) { put(s, v) }, err
	}}
}

func (a *api) readStatus(ctx context.Context) Status {
	s := Status{
		Version: a.Version, Instance: a.Instance, Time: time.Now().UTC(), Faults: a.Self.Faults(), Unanswered: []string{},
		Database: selfwatch.Database{State: selfwatch.Down}, Ingest: selfwatch.Ingest{State: selfwatch.Down}, Relay: selfwatch.Relay{State: selfwatch.Down},
	}
	if s.Faults == nil {
		s.Faults = []wire.StationFault{}
	}
	parts := []part{
		partOf("database", a.Self.Database, func(s *Status, v selfwatch.Database) { s.Database = v }),
		partOf("stream", a.readStream, func(s *Status, v StreamStatus) { s.Stream = &v }),
		partOf("ingest", a.Self.Ingest, func(s *Status, v selfwatch.Ingest) { s.Ingest = v }),
		partOf("relay", a.Self.Relay, func(s *Status, v selfwatch.Relay) { s.Relay = v }),
		partOf("workers", a.Self.Workers, func(s *Status, v []selfwatch.Worker) { s.Workers = v }),
		partOf("processes", a.Roster.List, func(s *Status, v []roster.Process) { s.Processes = v }),
		partOf("queues", a.readQueues, func(s *Status, v []Queue) { s.Queues = v }),
		partOf("leases", a.readLeases, func(s *Status, v Leases) { s.Leases = &v }),
		partOf("panels", a.Self.Panels, func(s *Status, v selfwatch.Panels) { s.Panels = &v }),
		partOf("desks", a.Presence.List, func(s *Status, v []wire.Desk) { s.Desks = v }),
		partOf("dead_letters", a.Letters.Waiting, func(s *Status, v int64) { s.DeadLetter = &v }),
	}
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, p := range parts {
		asking.Go(func() {
			take, err := p.read(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				a.Log.Debug("a part of the station does not answer", "part", p.name, "err", err)
				s.Unanswered = append(s.Unanswered, p.name)
				return
			}
			take(&s)
		})
	}
	asking.Wait() // each ends with ctx
	slices.Sort(s.Unanswered)
	if s.Database.State == selfwatch.OK && slices.ContainsFunc(s.Faults, func(f wire.StationFault) bool { return f.Code == wire.DatabaseSlow }) {
		s.Database.State = selfwatch.Late
	}
	return s
}

func (a *api) readStream(ctx context.Context) (StreamStatus, error) {
	var s StreamStatus
	var at wire.StreamPosition
	at, s.Clients = a.Hub.Standing()
	var seconds float64
	err := a.Pool.QueryRow(ctx, `
		SELECT h.epoch, h.last, h.published, coalesce(extract(epoch FROM dozor_now() - o.at), 0)::double precision
		FROM stream_head h LEFT JOIN outbox o ON o.epoch = h.epoch AND o.position = CASE WHEN h.epoch = $1 THEN $2 ELSE 0 END + 1`,
		at.Epoch, at.Position).Scan(&s.Epoch, &s.Last, &s.Published, &seconds)
	if err != nil {
		return s, fmt.Errorf("read where the stream stands: %w", err)
	}
	s.LagMS = max(0, int64(seconds*1000))
	return s, nil
}

// queueTime bounds the question to one bus: the answers of the others are not lost by it.
const queueTime = 600 * time.Millisecond

// readQueues asks each bus by itself: that one does not answer is worth knowing.
func (a *api) readQueues(ctx context.Context) ([]Queue, error) {
	ctx, cancel := context.WithTimeout(ctx, queueTime)
	defer cancel()
	names := slices.Sorted(maps.Keys(a.Queues))
	queues := make([]Queue, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		queues[i].Bus = name
		for lane, depth := range map[bus.Lane]**int64{bus.Live: &queues[i].Live, bus.Backfill: &queues[i].Backfill} {
			asking.Go(func() {
				if n, err := a.Queues[name].Depth(ctx, lane); err == nil {
					*depth = &n
				}
			})
		}
	}
	asking.Wait()
	return queues, nil
}

func (a *api) readLeases(ctx context.Context) (Leases, error) {
	var l Leases
	err := a.Pool.QueryRow(ctx, "SELECT store, moved_at, grant_after <= dozor_now() FROM lease_authority").Scan(&l.Store, &l.MovedAt, &l.Grants)
	if err != nil {
		return l, fmt.Errorf("read which store grants leases: %w", err)
	}
	l.MovedAt = l.MovedAt.UTC()
	return l, nil
}
