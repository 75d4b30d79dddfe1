package desk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

// EventFilter says which events a list has; zero values are no filter.
type EventFilter struct {
	SiteID     ids.SiteID
	PanelID    ids.PanelID
	AlarmID    ids.AlarmID
	Kind       string
	Source     string
	Priorities []int
	// From and To bound the instant of recording, which is the order of the list; To is
	// not in it.
	From, To time.Time
	Before   ids.EventID // the list goes on after that one
}

// statement of a page. events has millions of rows, so each filter has a way: alarm and
// site indexes of their own, and so have kinds, and those priorities and sources that are
// rare among all. P5 and what comes from panels are most of it and are found on the way.
func (f EventFilter) statement(limit int) (sql string, args []any) {
	q := &query{}
	before := f.Before
	if before == uuid.Nil {
		before = uuid.Max
	}
	if to := uuidFloor(f.To); !f.To.IsZero() && strings.Compare(to.String(), before.String()) < 0 {
		before = to
	}
	q.and("e.id < " + q.arg(before.String()) + "::text::uuid")
	if !f.From.IsZero() {
		q.and("e.id >= " + q.arg(uuidFloor(f.From).String()) + "::text::uuid")
	}
	if f.AlarmID != 0 {
		q.and("e.alarm_id = " + q.arg(int64(f.AlarmID)))
	}
	if f.SiteID != 0 {
		q.and("e.site_id = " + q.arg(int64(f.SiteID)))
	}
	if f.PanelID != 0 {
		q.and("e.panel_id = " + q.arg(int64(f.PanelID)))
	}
	if f.Kind != "" {
		q.and("e.kind = " + q.arg(f.Kind))
	}
	if f.Source != "" {
		q.and("e.source = " + q.arg(f.Source))
		if f.Source != string(event.FromPanel) {
			q.and("e.source <> 'panel'") // for the planner: the index is of these
		}
	}
	rows := "SELECT e.* FROM events e WHERE "
	if urgent := f.urgentOnly(); urgent && f.isByPriorityAlone() {
		// Each priority from its own end of the index, in order.
		q.and("e.priority = wanted.priority AND e.priority <= 4")
		n := q.arg(limit)
		rows = "SELECT e.* FROM unnest(" + q.arg(f.Priorities) + "::smallint[]) AS wanted (priority) CROSS JOIN LATERAL (" +
			rows + strings.Join(q.where, " AND ") + " ORDER BY e.id DESC LIMIT " + n + ") e ORDER BY e.id DESC LIMIT " + n
	} else {
		if len(f.Priorities) > 0 {
			q.and("e.priority = ANY(" + q.arg(f.Priorities) + "::smallint[])")
		}
		if urgent {
			q.and("e.priority <= 4")
		}
		rows += strings.Join(q.where, " AND ") + " ORDER BY e.id DESC LIMIT " + q.arg(limit)
	}
	sql = "WITH page AS MATERIALIZED (" + rows + ")" + strings.Replace(selectEvent, "FROM events e", "FROM page e", 1) + "ORDER BY e.id DESC"
	return sql, q.args
}

// urgentOnly reports whether only priorities of the index events_urgent_idx are asked for.
func (f EventFilter) urgentOnly() bool {
	for _, p := range f.Priorities {
		if p > int(event.P4) {
			return false
		}
	}
	return len(f.Priorities) > 0
}

func (f EventFilter) isByPriorityAlone() bool {
	return f.AlarmID == 0 && f.SiteID == 0 && f.PanelID == 0 && f.Kind == "" && f.Source == ""
}

// uuidFloor is the smallest UUIDv7 of an instant, as dozor_uuid_floor in the database.
func uuidFloor(at time.Time) uuid.UUID {
	var id uuid.UUID
	if ms := at.UnixMilli(); ms > 0 {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(ms)<<16)
		copy(id[:6], b[:6])
	}
	return id
}

// Events returns events from the newest on, by the time of their recording; next is the
// zero id at the end.
func (d *Desk) Events(ctx context.Context, f EventFilter, limit int) (events []wire.Event, next ids.EventID, err error) {
	limit = max(1, min(limit, MaxPage))
	if f.PanelID != 0 {
		// The index goes by site; a panel never moves to another one.
		var of ids.SiteID
		err := d.d.Pool.QueryRow(ctx, "SELECT site_id FROM panels WHERE id = $1", int64(f.PanelID)).Scan(&of)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && f.SiteID != 0 && f.SiteID != of {
			return []wire.Event{}, uuid.Nil, nil
		}
		if err != nil {
			return nil, uuid.Nil, fmt.Errorf("list events: find the site of panel %d: %w", f.PanelID, err)
		}
		f.SiteID = of
	}
	sql, args := f.statement(limit + 1)
	rows, err := d.d.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list events: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list events: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].view.ID
	}
	events = make([]wire.Event, len(list))
	for i, l := range list {
		events[i] = l.view
	}
	return events, next, nil
}
