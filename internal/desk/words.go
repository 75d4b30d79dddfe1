package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

const (
	// tellAgain is when words are given out a second time: an alarm that was being stored
	// while they came must not stay without.
	tellAgain   = 10 * time.Second
	maxWorded   = 200 // alarms and
	maxReworded = 100 // events of each that one notification renews
)

// TellWords gives a panel's own words for an event that no table has to the open alarms
// that show it; these have been on screens since it was read. It returns how many it told.
func (d *Desk) TellWords(ctx context.Context) (int, error) {
	told := 0
	for more := true; more; {
		var n int
		err := d.d.Pool.InTx(ctx, func(tx pgx.Tx) (err error) {
			n, more, err = tellOne(ctx, tx)
			return err
		})
		if err != nil {
			return told, fmt.Errorf("tell a panel's words for an event: %w", err)
		}
		told += n
	}
	if told > 0 {
		d.d.Notified()
	}
	return told, nil
}

func tellOne(ctx context.Context, tx pgx.Tx) (told int, more bool, err error) {
	var code int
	var restore bool
	err = tx.QueryRow(ctx, `
		UPDATE event_texts SET tells = tells + 1 WHERE (code, restore, type, firmware, language) = (
			SELECT code, restore, type, firmware, language FROM event_texts
			WHERE tells < 2 AND text <> '' AND (tells = 0 OR read_at < dozor_now() - $1::interval)
			ORDER BY read_at LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING code, restore`, tellAgain).Scan(&code, &restore)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	rows, err := tx.Query(ctx, `
		SELECT a.id FROM alarms a JOIN sites s ON s.id = a.site_id
		WHERE a.state <> 'closed' AND a.kind = 'unknown'
		  AND EXISTS (SELECT FROM events e WHERE e.alarm_id = a.id AND e.unclassified AND e.code = $1 AND e.restore = $2)
		ORDER BY s.id, a.id LIMIT $3 FOR NO KEY UPDATE OF s`, code, restore, maxWorded)
	if err != nil {
		return 0, false, err
	}
	alarms, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, false, err
	}
	for _, id := range alarms {
		if _, err := noted(ctx, tx, ids.AlarmID(id)); err != nil {
			return 0, false, err
		}
		view, err := viewOf(ctx, tx, ids.AlarmID(id))
		if err != nil {
			return 0, false, err
		}
		events, err := wordedEvents(ctx, tx, id, code, restore)
		if err != nil {
			return 0, false, err
		}
		err = outbox.Append(ctx, tx, outbox.Row{
			SiteID: view.Site.ID, Type: wire.AlarmUpdated, Version: view.Version, Ring: view.Ring,
			Data: wire.AlarmData{Alarm: view, Events: events},
		})
		if err != nil {
			return 0, false, err
		}
	}
	return len(alarms), true, nil
}

func wordedEvents(ctx context.Context, tx pgx.Tx, alarm int64, code int, restore bool) ([]wire.Event, error) {
	rows, err := tx.Query(ctx, selectEvent+`WHERE e.alarm_id = $1 AND e.unclassified AND e.code = $2 AND e.restore = $3
		ORDER BY e.id DESC LIMIT $4`, alarm, code, restore, maxReworded)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, err
	}
	return inLogOrder(found), nil
}
