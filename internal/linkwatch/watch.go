package linkwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

const (
	stepTimeout = 5 * time.Second
	// perRound bounds one round; a region that falls silent takes a few.
	perRound = 200
)

// Config of a watch.
type Config struct {
	Pool  *pg.Pool
	Bus   bus.Publisher
	Trace func() string
}

// Watch finds silent panels and those that answer again. Round belongs to one goroutine.
type Watch struct {
	cfg Config
	// since bounds silence from below: before this watch began nobody may have watched,
	// and a station that was off for a night has not lost all its links at once.
	since time.Time
}

// New makes a watch.
func New(cfg Config) *Watch { return &Watch{cfg: cfg} }

// Round looks once: records what fell silent and what came back, and publishes what was
// not said yet.
func (w *Watch) Round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if w.since.IsZero() {
		if err := w.cfg.Pool.QueryRow(ctx, `SELECT dozor_now()`).Scan(&w.since); err != nil {
			return fmt.Errorf("read the database's clock: %w", err)
		}
		return nil
	}
	if err := w.detect(ctx); err != nil {
		return err
	}
	return w.say(ctx)
}

func (w *Watch) detect(ctx context.Context) error {
	// One reading of the clock a statement: a row's silence is judged at one instant.
	_, err := w.cfg.Pool.Exec(ctx, `
		INSERT INTO link_outages (panel_id, silent_since, detected_at)
		SELECT p.id, greatest(s.answered_at, p.watched_since, $1), clock.now
		FROM panels p CROSS JOIN (SELECT dozor_now() AS now) clock LEFT JOIN panel_states s ON s.panel_id = p.id
		WHERE p.enabled AND greatest(s.answered_at, p.watched_since, $1) < clock.now - p.link_grace
		  AND NOT EXISTS (SELECT FROM link_outages o WHERE o.panel_id = p.id AND o.restored_at IS NULL)
		LIMIT $2
		ON CONFLICT (panel_id) WHERE restored_at IS NULL DO NOTHING`, w.since, perRound)
	if err != nil {
		return fmt.Errorf("record silent panels: %w", err)
	}
	_, err = w.cfg.Pool.Exec(ctx, `
		UPDATE link_outages o SET restored_at = s.answered_at
		FROM panel_states s
		WHERE o.restored_at IS NULL AND s.panel_id = o.panel_id AND s.answered_at > o.detected_at`)
	if err != nil {
		return fmt.Errorf("record panels that answer again: %w", err)
	}
	return nil
}

type outage struct {
	id          int64
	panel       ids.PanelID
	silentSince time.Time
	detectedAt  time.Time
	restoredAt  *time.Time
	lostSaid    bool
}

// say publishes what the bus has not confirmed yet.
func (w *Watch) say(ctx context.Context) error {
	rows, err := w.cfg.Pool.Query(ctx, `
		SELECT id, panel_id, silent_since, detected_at, restored_at, lost_said FROM link_outages
		WHERE NOT lost_said OR (restored_at IS NOT NULL AND NOT restored_said) ORDER BY id LIMIT $1`, perRound)
	if err != nil {
		return fmt.Errorf("read outages to tell of: %w", err)
	}
	outages, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (outage, error) {
		var o outage
		return o, r.Scan(&o.id, &o.panel, &o.silentSince, &o.detectedAt, &o.restoredAt, &o.lostSaid)
	})
	if err != nil {
		return fmt.Errorf("read outages to tell of: %w", err)
	}
	var msgs []bus.Message
	var said []func(*saidOutages)
	for _, o := range outages {
		if !o.lostSaid {
			msgs = append(msgs, w.message(o, wire.LinkLost, o.detectedAt))
			said = append(said, func(s *saidOutages) { s.lost = append(s.lost, o.id) })
		}
		if o.restoredAt != nil {
			msgs = append(msgs, w.message(o, wire.LinkRestored, *o.restoredAt))
			said = append(said, func(s *saidOutages) { s.restored = append(s.restored, o.id) })
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	done := saidOutages{lost: []int64{}, restored: []int64{}} // a nil slice would be NULL, and so would what it is compared with
	for i, outcome := range w.cfg.Bus.Publish(ctx, msgs) {
		if outcome == bus.Confirmed {
			said[i](&done)
		}
	}
	_, err = w.cfg.Pool.Exec(ctx, `
		UPDATE link_outages SET lost_said = lost_said OR id = ANY ($1), restored_said = restored_said OR id = ANY ($2)
		WHERE id = ANY ($1) OR id = ANY ($2)`, done.lost, done.restored)
	if err != nil {
		return fmt.Errorf("note what was told: %w", err)
	}
	return nil
}

type saidOutages struct{ lost, restored []int64 }

func (w *Watch) message(o outage, code wire.StationCode, at time.Time) bus.Message {
	subject := "outage " + strconv.FormatInt(o.id, 10)
	body, err := wire.Report{
		PanelID: o.panel, ReceivedAt: at, Model: -1,
		Station: &wire.Station{Code: code, Subject: subject, Args: map[string]string{"since": o.silentSince.UTC().Format(time.RFC3339)}},
	}.Encode()
	if err != nil {
		panic(err) // no instant of the database is out of JSON's range
	}
	return bus.Message{Key: event.StationKey(o.panel, 0, code, subject), Lane: bus.Live, Topic: "station." + string(code), Trace: w.cfg.Trace(), Body: body}
}
