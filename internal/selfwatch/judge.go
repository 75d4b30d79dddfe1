package selfwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/presence"
	"dozor/internal/wire"
)

// sight is what a look showed, in the database's clock.
type sight struct {
	now        time.Time
	desks      int // windows, of all instances
	sounding   int // of them, able to sound
	soundingAt time.Time
	reports    time.Duration // age of the oldest report that waits
	reportsN   int64
	notice     time.Time // of the oldest notification that waits; zero: none does
	noticesN   int64
	unheld     map[ids.PanelID]time.Time // enabled panels that nobody holds, and since when
}

// Of the notifications that wait the count is bounded: more is not worth the reading.
const lookAround = `
SELECT clock.now, desks.n, desks.sounding, w.sounding_at, waiting.since, waiting.n
FROM (SELECT dozor_now() AS now OFFSET 0) clock
CROSS JOIN desk_watch w
CROSS JOIN LATERAL (
    SELECT count(*) AS n, count(*) FILTER (WHERE can_sound) AS sounding FROM desks WHERE seen_at > clock.now - $1::interval) desks
CROSS JOIN LATERAL (
    SELECT min(at) AS since, count(*) AS n FROM (SELECT at FROM outbox WHERE position IS NULL ORDER BY lane, id LIMIT 10000) o) waiting`

const findUnheld = `
SELECT p.id, coalesce(l.expires_at, p.created_at)
FROM panels p LEFT JOIN leases l ON l.panel_id = p.id
WHERE p.enabled AND (l.panel_id IS NULL OR l.expires_at <= $1)`

// look reads what there is to be judged.
func (w *Watch) look(ctx context.Context) (sight, error) {
	var s sight
	var soundingAt, notice *time.Time
	row := w.cfg.Pool.QueryRow(ctx, lookAround, presence.Lapse)
	if err := row.Scan(&s.now, &s.desks, &s.sounding, &soundingAt, &notice, &s.noticesN); err != nil {
		return s, fmt.Errorf("look at desks and notifications: %w", err)
	}
	if soundingAt != nil {
		s.soundingAt = *soundingAt
	}
	if notice != nil {
		s.notice = *notice
	}
	var err error
	if s.reports, err = w.cfg.Queue.Oldest(ctx, bus.Live); err != nil {
		return s, err
	}
	if s.reports > LateAfter {
		if s.reportsN, err = w.cfg.Queue.Depth(ctx, bus.Live); err != nil {
			return s, err
		}
	}
	rows, err := w.cfg.Pool.Query(ctx, findUnheld, s.now)
	if err != nil {
		return s, fmt.Errorf("find panels that nobody holds: %w", err)
	}
	s.unheld = map[ids.PanelID]time.Time{}
	var panel ids.PanelID
	var since time.Time
	if _, err := pgx.ForEachRow(rows, []any{&panel, &since}, func() error {
		s.unheld[panel] = since
		return nil
	}); err != nil {
		return s, fmt.Errorf("find panels that nobody holds: %w", err)
	}
	return s, nil
}

// finding is a fault that is there now.
type finding struct {
	code   wire.StationCode
	since  time.Time
	detail string
	past   bool // over already; another instance may have told of it
}

// verdict is what a look means. What is neither found nor well can't be judged yet.
type verdict struct {
	found []finding
	well  []wire.StationCode
}

func (v *verdict) find(code wire.StationCode, since time.Time, count int64) {
	f := finding{code: code, since: since}
	if count > 0 {
		f.detail = strconv.FormatInt(count, 10)
	}
	v.found = append(v.found, f)
}

// judge says what is wrong. Before this watch began nobody may have watched: a station
// that was off for a night has not been late for one, so that no wait counts from before.
func (w *Watch) judge(s sight) verdict {
	if w.began.IsZero() {
		w.began = s.now
	}
	var v verdict
	w.judgeDesks(s, &v)
	for _, lane := range []struct {
		code   wire.StationCode
		oldest time.Time // zero: nothing waits
		count  int64
	}{
		{wire.IngestLate, s.now.Add(-s.reports), s.reportsN},
		{wire.RelayLate, s.notice, s.noticesN},
	} {
		isLate := !lane.oldest.IsZero() && s.now.Sub(lane.oldest) > LateAfter
		// What a long transaction has just committed is old already, and not late.
		again := isLate && w.late[lane.code]
		w.late[lane.code] = isLate
		switch {
		case !isLate:
			v.well = append(v.well, lane.code)
		case again && s.now.Sub(later(lane.oldest, w.began)) > LateAfter:
			v.find(lane.code, lane.oldest, lane.count)
		}
	}
	w.judgePanels(s, &v)
	switch {
	case !w.pulse.slowSince.IsZero():
		v.find(wire.DatabaseSlow, s.now.Add(-time.Since(w.pulse.slowSince)), 0)
	case !w.pulse.recovered.IsZero():
		v.found = append(v.found, finding{code: wire.DatabaseSlow, since: s.now.Add(-time.Since(w.pulse.recovered)), past: true})
	case w.pulse.missed == 0:
		v.well = append(v.well, wire.DatabaseSlow)
	}
	return v
}

func (w *Watch) judgeDesks(s sight, v *verdict) {
	if w.cfg.DeskGrace == 0 || s.sounding > 0 {
		v.well = append(v.well, wire.NobodyWatches)
	}
	if w.deskSeen.IsZero() && (s.desks > 0 || s.now.Sub(w.began) >= lifeWithoutDesks) {
		w.deskSeen = s.now
	}
	if w.cfg.DeskGrace == 0 || s.sounding > 0 || w.deskSeen.IsZero() {
		return
	}
	if since := later(s.soundingAt, w.deskSeen); s.now.Sub(since) >= w.cfg.DeskGrace {
		v.find(wire.NobodyWatches, since, 0)
	}
}

// judgePanels counts from when this watch first saw a panel unheld, too: one that was just
// enabled has an old lease or none.
func (w *Watch) judgePanels(s sight, v *verdict) {
	for panel := range w.unheld {
		if _, still := s.unheld[panel]; !still {
			delete(w.unheld, panel)
		}
	}
	well, count, first := true, int64(0), s.now
	for panel, since := range s.unheld {
		if _, known := w.unheld[panel]; !known {
			w.unheld[panel] = s.now
		}
		if s.now.Sub(since) < UnheldAfter {
			continue
		}
		well = false
		if began := later(since, w.unheld[panel]); s.now.Sub(began) >= UnheldAfter {
			count++
			if began.Before(first) {
				first = began
			}
		}
	}
	switch {
	case well:
		v.well = append(v.well, wire.WorkerGone)
	case count > 0:
		v.find(wire.WorkerGone, first, count)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
