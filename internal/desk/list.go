package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// Which says which alarms a list has.
type Which string

// The lists. Open is everything that is not closed.
const (
	Open   Which = "open"
	Closed Which = "closed"
	All    Which = "all"
)

// Place is where a list of alarms goes on: after that one.
type Place struct {
	Priority int         `json:"p,omitempty"` // only of the open list
	OpenedAt time.Time   `json:"t,omitzero"`  // only of the open list
	ID       ids.AlarmID `json:"i"`
}

// Page is a part of a list.
type Page struct {
	Alarms []wire.Alarm
	Next   *Place // nil at the end
	Stream wire.StreamPosition
}

// The open list is read through the partial index of open alarms, however many closed
// ones there are; the others by id, from the newest.
var lists = map[Which]string{
	Open: `WHERE a.state <> 'closed' AND (a.priority, a.opened_at, a.id) > ($1::smallint, $2::timestamptz, $3::bigint)
		ORDER BY a.priority, a.opened_at, a.id LIMIT $4`,
	Closed: `WHERE a.state = 'closed' AND a.id < $1::bigint ORDER BY a.id DESC LIMIT $2`,
	All:    `WHERE a.id < $1::bigint ORDER BY a.id DESC LIMIT $2`,
}

// MaxPage bounds a page of any list.
const MaxPage = 200

// List returns a page of alarms after a place; the zero place is the beginning.
func (d *Desk) List(ctx context.Context, which Which, after Place, limit int) (Page, error) {
	limit = max(1, min(limit, MaxPage))
	page := Page{}
	var err error
	if page.Stream, err = outbox.Head(ctx, d.d.Pool); err != nil {
		return page, err
	}
	var args []any
	if which == Open {
		args = []any{after.Priority, after.OpenedAt, int64(after.ID), limit + 1}
	} else {
		if after.ID == 0 {
			after.ID = maxID
		}
		args = []any{int64(after.ID), limit + 1}
	}
	rows, err := d.d.Pool.Query(ctx, selectAlarm+lists[which], args...)
	if err != nil {
		return page, fmt.Errorf("list %s alarms: %w", which, err)
	}
	if page.Alarms, err = pgx.CollectRows(rows, scanAlarm); err != nil {
		return page, fmt.Errorf("list %s alarms: %w", which, err)
	}
	if len(page.Alarms) > limit {
		page.Alarms = page.Alarms[:limit]
		last := page.Alarms[limit-1]
		page.Next = &Place{ID: last.ID}
		if which == Open {
			page.Next.Priority, page.Next.OpenedAt = last.Priority, last.OpenedAt
		}
	}
	return page, nil
}

const maxID = 1<<63 - 1

// Action is one entry of an alarm's history.
type Action struct {
	ID        int64         `json:"id"`
	At        time.Time     `json:"at"`
	Actor     *wire.UserRef `json:"actor"` // null: the station
	Act       string        `json:"act"`
	FromState string        `json:"from_state"`
	ToState   string        `json:"to_state"`
	Version   int64         `json:"version"`
	Text      string        `json:"text"`
}

// Detail is everything about one alarm.
type Detail struct {
	Alarm   wire.Alarm
	Events  []wire.Event // the newest ones, in log order
	Actions []Action     // the newest ones, the oldest first
	Stream  wire.StreamPosition
}

const (
	detailEvents  = 200
	detailActions = 500
)

// Detail returns an alarm with its events and its history, as they were at one moment;
// ErrAlarmNotFound where there is none.
func (d *Desk) Detail(ctx context.Context, id ids.AlarmID) (Detail, error) {
	var det Detail
	var err error
	// The head comes before the snapshot: of what is newer, frames will come.
	if det.Stream, err = outbox.Head(ctx, d.d.Pool); err != nil {
		return det, err
	}
	err = pgx.BeginTxFunc(ctx, d.d.Pool.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if det.Alarm, err = viewOf(ctx, tx, id); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectEvent+"WHERE e.alarm_id = $1 ORDER BY e.id DESC LIMIT $2", int64(id), detailEvents)
		if err != nil {
			return fmt.Errorf("read its events: %w", err)
		}
		events, err := pgx.CollectRows(rows, scanEvent)
		if err != nil {
			return fmt.Errorf("read its events: %w", err)
		}
		det.Events = inLogOrder(events)
		det.Actions, err = actions(ctx, tx, id)
		return err
	})
	if err != nil {
		return det, fmt.Errorf("alarm %d in detail: %w", id, err)
	}
	return det, nil
}

func actions(ctx context.Context, tx pgx.Tx, id ids.AlarmID) ([]Action, error) {
	rows, err := tx.Query(ctx, `
		SELECT * FROM (
			SELECT a.id, a.at, coalesce(a.actor_id, 0), coalesce(u.name, ''), a.act, a.from_state, a.to_state, a.version, a.text
			FROM alarm_actions a LEFT JOIN users u ON u.id = a.actor_id WHERE a.alarm_id = $1 ORDER BY a.id DESC LIMIT $2
		) newest ORDER BY id`, int64(id), detailActions)
	if err != nil {
		return nil, fmt.Errorf("read its history: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Action, error) {
		var a Action
		var actor wire.UserRef
		err := row.Scan(&a.ID, &a.At, &actor.ID, &actor.Name, &a.Act, &a.FromState, &a.ToState, &a.Version, &a.Text)
		a.At = a.At.UTC()
		if actor.ID != 0 {
			a.Actor = &actor
		}
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("read its history: %w", err)
	}
	return list, nil
}

// EventFilter says which events a list has; zero values are no filter.
type EventFilter struct {
	SiteID  ids.SiteID
	PanelID ids.PanelID
	Before  ids.EventID // the list goes on after that one
}

// Events returns events from the newest on, by the time of their making; next is the
// zero id at the end.
func (d *Desk) Events(ctx context.Context, f EventFilter, limit int) (events []wire.Event, next ids.EventID, err error) {
	limit = max(1, min(limit, MaxPage))
	if f.Before == uuid.Nil {
		f.Before = uuid.Max
	}
	site := int64(f.SiteID)
	if f.PanelID != 0 {
		// The index goes by site; a panel never moves to another one.
		var of int64
		err := d.d.Pool.QueryRow(ctx, "SELECT site_id FROM panels WHERE id = $1", int64(f.PanelID)).Scan(&of)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && site != 0 && site != of {
			return []wire.Event{}, uuid.Nil, nil
		}
		if err != nil {
			return nil, uuid.Nil, fmt.Errorf("list events: find the site of panel %d: %w", f.PanelID, err)
		}
		site = of
	}
	where, args := "WHERE e.id < $1 ORDER BY e.id DESC LIMIT $2", []any{f.Before, limit + 1}
	switch {
	case f.PanelID != 0:
		where, args = "WHERE e.id < $1 AND e.site_id = $3 AND e.panel_id = $4 ORDER BY e.id DESC LIMIT $2", append(args, site, int64(f.PanelID))
	case site != 0:
		where, args = "WHERE e.id < $1 AND e.site_id = $3 ORDER BY e.id DESC LIMIT $2", append(args, site)
	}
	rows, err := d.d.Pool.Query(ctx, selectEvent+where, args...)
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
