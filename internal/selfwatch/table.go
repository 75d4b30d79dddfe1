package selfwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

const (
	seeAgain = `
UPDATE station_faults SET seen_at = dozor_now() WHERE ended_at IS NULL AND code = ANY ($1::text[])`

	begin = `
INSERT INTO station_faults (code, since, detail)
SELECT q.code, q.since, q.detail FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::boolean[]) AS q (code, since, detail, past)
WHERE NOT EXISTS (SELECT FROM station_faults f WHERE f.code = q.code AND (f.ended_at IS NULL OR q.past AND f.ended_at > q.since))
ON CONFLICT (code) WHERE ended_at IS NULL DO NOTHING`

	end = `
UPDATE station_faults SET ended_at = dozor_now()
WHERE ended_at IS NULL AND code = ANY ($1::text[]) AND seen_at < dozor_now() - $2::interval`

	listOpen = `SELECT code, since, detail FROM station_faults WHERE ended_at IS NULL ORDER BY id`

	listUnsaid = `
SELECT f.id, f.code, f.since, f.found_at, f.ended_at, f.detail, f.begin_said, f.end_said, coalesce((SELECT min(id) FROM sites WHERE own), 0)
FROM station_faults f WHERE NOT f.begin_said OR (f.ended_at IS NOT NULL AND NOT f.end_said) ORDER BY f.id LIMIT $1`

	noteSaid = `
UPDATE station_faults SET begin_said = begin_said OR id = ANY ($1), end_said = end_said OR id = ANY ($2)
WHERE id = ANY ($1) OR id = ANY ($2)`
)

// perRound bounds what one round says.
const perRound = 100

// record brings the rows in line with a verdict and returns the faults that are open.
func (w *Watch) record(ctx context.Context, v verdict) ([]wire.StationFault, error) {
	n := len(v.found)
	codes, since, details, past := make([]string, n), make([]time.Time, n), make([]string, n), make([]bool, n)
	for i, f := range v.found {
		codes[i], since[i], details[i], past[i] = string(f.code), f.since, f.detail, f.past
	}
	var open []wire.StationFault
	batch := &pgx.Batch{}
	if n > 0 {
		batch.Queue(seeAgain, codes)
		batch.Queue(begin, codes, since, details, past)
	}
	batch.Queue(end, v.well, settledAfter)
	batch.Queue(listOpen).Query(func(rows pgx.Rows) error {
		var err error
		open, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (wire.StationFault, error) {
			var f wire.StationFault
			err := r.Scan(&f.Code, &f.Since, &f.Detail)
			f.Since = f.Since.UTC()
			return f, err
		})
		return err
	})
	if err := w.cfg.Pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("record the station's faults: %w", err)
	}
	return open, nil
}

type fault struct {
	id        int64
	code      wire.StationCode
	since     time.Time
	foundAt   time.Time
	endedAt   *time.Time
	detail    string
	beginSaid bool
	endSaid   bool
	site      ids.SiteID // the station's own; 0: there is none
}

// say publishes what the bus has not confirmed yet.
func (w *Watch) say(ctx context.Context) error {
	rows, err := w.cfg.Pool.Query(ctx, listUnsaid, perRound)
	if err != nil {
		return fmt.Errorf("read faults to tell of: %w", err)
	}
	faults, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (fault, error) {
		var f fault
		return f, r.Scan(&f.id, &f.code, &f.since, &f.foundAt, &f.endedAt, &f.detail, &f.beginSaid, &f.endSaid, &f.site)
	})
	if err != nil {
		return fmt.Errorf("read faults to tell of: %w", err)
	}
	var msgs []bus.Message
	var of []int64 // the fault of each message; that of an end is negative
	for _, f := range faults {
		if f.site == 0 {
			if !w.noOwnSite {
				w.noOwnSite = true
				w.cfg.Logger.Error("the station has no site of its own: its faults become no alarms")
			}
			return nil
		}
		kind, ok := wire.FaultOf(f.code)
		if !ok {
			return fmt.Errorf("tell of fault %d: the code %q is not known", f.id, f.code)
		}
		if !f.beginSaid {
			msgs, of = append(msgs, w.message(f, kind.Begin, f.foundAt)), append(of, f.id)
		}
		if f.endedAt != nil && !f.endSaid {
			msgs, of = append(msgs, w.message(f, kind.End, *f.endedAt)), append(of, -f.id)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	begun, ended := []int64{}, []int64{} // a nil slice would be NULL, and so would what it is compared with
	for i, outcome := range w.cfg.Bus.Publish(ctx, msgs) {
		switch {
		case outcome != bus.Confirmed:
		case of[i] > 0:
			begun = append(begun, of[i])
		default:
			ended = append(ended, -of[i])
		}
	}
	if _, err := w.cfg.Pool.Exec(ctx, noteSaid, begun, ended); err != nil {
		return fmt.Errorf("note what was told: %w", err)
	}
	return nil
}

func (w *Watch) message(f fault, code wire.StationCode, at time.Time) bus.Message {
	subject := "fault " + strconv.FormatInt(f.id, 10)
	args := map[string]string{"since": f.since.UTC().Format(time.RFC3339)}
	if f.detail != "" && code == f.code {
		args["count"] = f.detail
	}
	body, err := wire.Report{
		SiteID: f.site, ReceivedAt: at, Model: -1,
		Station: &wire.Station{Code: code, Subject: subject, Args: args},
	}.Encode()
	if err != nil {
		panic(err) // no instant of the database is out of JSON's range
	}
	return bus.Message{Key: event.StationKey(0, f.site, code, subject), Lane: bus.Live, Topic: "station." + string(code), Trace: w.cfg.Trace(), Body: body}
}
