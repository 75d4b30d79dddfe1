package selfwatch

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
)

// State is how a part of the station is.
type State string

// The states.
const (
	OK   State = "ok"
	Late State = "late" // it works, past its limit
	Down State = "down" // it does not answer
)

// Database is how the database answers.
type Database struct {
	State       State   `json:"state" enum:"ok,late,down"`
	LatencyMS   float64 `json:"latency_ms"`
	Timeline    string  `json:"timeline"`    // the life of the cluster; another after a failover
	Connections int     `json:"connections"` // of everybody to this database
}

// Ingest is what waits on the bus.
type Ingest struct {
	State         State `json:"state" enum:"ok,late,down"`
	LiveDepth     int64 `json:"live_depth"`
	BackfillDepth int64 `json:"backfill_depth"`
	OldestMS      int64 `json:"oldest_ms"` // of the live lane
}

// Relay is what waits for its position. Beyond 10,000 nobody counts on.
type Relay struct {
	State    State `json:"state" enum:"ok,late,down"`
	Waiting  int64 `json:"waiting"`
	OldestMS int64 `json:"oldest_ms"`
}

// Worker is a process that holds panels, or did until a moment ago.
type Worker struct {
	Instance  string    `json:"instance"`
	Panels    int       `json:"panels"`
	RenewedAt time.Time `json:"renewed_at"`
}

// Panels are how many panels there are, by what is known of them. Up and down are of
// those that are enabled and have a state; unheld ones have no worker.
type Panels struct {
	Total    int `json:"total"`
	Up       int `json:"up"`
	Down     int `json:"down"`
	Disabled int `json:"disabled"`
	Unheld   int `json:"unheld"`
}

// Database measures how the database answers.
func (w *Watch) Database(ctx context.Context) (Database, error) {
	d := Database{State: OK}
	asked := time.Now()
	var one int
	if err := w.cfg.Pool.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return d, fmt.Errorf("measure the database: %w", err)
	}
	d.LatencyMS = math.Round(float64(time.Since(asked).Microseconds())/100) / 10
	err := w.cfg.Pool.QueryRow(ctx, `SELECT dozor_timeline(), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())`).
		Scan(&d.Timeline, &d.Connections)
	if err != nil {
		return d, fmt.Errorf("look at the database: %w", err)
	}
	return d, nil
}

// Ingest reads what waits on the bus.
func (w *Watch) Ingest(ctx context.Context) (Ingest, error) {
	var i Ingest
	oldest, err := w.cfg.Queue.Oldest(ctx, bus.Live)
	if err != nil {
		return i, err
	}
	if i.LiveDepth, err = w.cfg.Queue.Depth(ctx, bus.Live); err != nil {
		return i, err
	}
	if i.BackfillDepth, err = w.cfg.Queue.Depth(ctx, bus.Backfill); err != nil {
		return i, err
	}
	i.State, i.OldestMS = stateOf(oldest), oldest.Milliseconds()
	return i, nil
}

// Relay reads what waits for its position.
func (w *Watch) Relay(ctx context.Context) (Relay, error) {
	var r Relay
	var seconds float64
	err := w.cfg.Pool.QueryRow(ctx, `
		SELECT count(*), coalesce(extract(epoch FROM dozor_now() - min(at)), 0)::double precision
		FROM (SELECT at FROM outbox WHERE position IS NULL ORDER BY lane, id LIMIT 10000) o`).Scan(&r.Waiting, &seconds)
	if err != nil {
		return r, fmt.Errorf("read what waits for its position: %w", err)
	}
	oldest := max(0, time.Duration(seconds*float64(time.Second)))
	r.State, r.OldestMS = stateOf(oldest), oldest.Milliseconds()
	return r, nil
}

func stateOf(oldest time.Duration) State {
	if oldest > LateAfter {
		return Late
	}
	return OK
}

// maxWorkers bounds the list; one that is gone stays on it for a minute.
const maxWorkers = 200

// Workers reads who holds panels.
func (w *Watch) Workers(ctx context.Context) ([]Worker, error) {
	rows, err := w.cfg.Pool.Query(ctx, `
		SELECT holder, count(*) FILTER (WHERE expires_at > dozor_now()), least(max(expires_at) - $1::interval, dozor_now())
		FROM leases WHERE holder <> '' AND expires_at > dozor_now() - interval '1 minute'
		GROUP BY holder ORDER BY holder LIMIT $2`, w.cfg.LeaseTTL, maxWorkers)
	if err != nil {
		return nil, fmt.Errorf("read who holds panels: %w", err)
	}
	workers, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Worker, error) {
		var holder Worker
		err := r.Scan(&holder.Instance, &holder.Panels, &holder.RenewedAt)
		holder.RenewedAt = holder.RenewedAt.UTC()
		return holder, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who holds panels: %w", err)
	}
	return workers, nil
}

// Panels counts panels; those that are retired don't count.
func (w *Watch) Panels(ctx context.Context) (Panels, error) {
	var p Panels
	err := w.cfg.Pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE p.enabled AND s.body->>'link' = 'up'),
			count(*) FILTER (WHERE p.enabled AND s.body->>'link' <> 'up'), count(*) FILTER (WHERE NOT p.enabled),
			count(*) FILTER (WHERE p.enabled AND (l.panel_id IS NULL OR l.expires_at <= clock.now))
		FROM (SELECT dozor_now() AS now OFFSET 0) clock CROSS JOIN panels p
		LEFT JOIN panel_states s ON s.panel_id = p.id LEFT JOIN leases l ON l.panel_id = p.id
		WHERE p.retired_at IS NULL`).Scan(&p.Total, &p.Up, &p.Down, &p.Disabled, &p.Unheld)
	if err != nil {
		return p, fmt.Errorf("count panels: %w", err)
	}
	return p, nil
}
