package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

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
	Earlier []wire.Alarm // the site's before this one, the newest first
	Stream  wire.StreamPosition
}

const (
	detailEvents  = 200
	detailActions = 500
	detailEarlier = 10
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
		if det.Actions, err = actions(ctx, tx, id); err != nil {
			return err
		}
		det.Earlier, err = earlier(ctx, tx, det.Alarm)
		return err
	})
	if err != nil {
		return det, fmt.Errorf("alarm %d in detail: %w", id, err)
	}
	return det, nil
}

func earlier(ctx context.Context, tx pgx.Tx, than wire.Alarm) ([]wire.Alarm, error) {
	rows, err := tx.Query(ctx, selectAlarm+"WHERE a.site_id = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3", int64(than.Site.ID), int64(than.ID), detailEarlier)
	if err != nil {
		return nil, fmt.Errorf("read the site's earlier alarms: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanAlarm)
	if err != nil {
		return nil, fmt.Errorf("read the site's earlier alarms: %w", err)
	}
	return list, nil
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
