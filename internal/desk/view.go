package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// selectAlarm reads an alarm with the names that its view has.
const selectAlarm = `
SELECT a.id, a.version, a.site_id, s.name, s.address, s.city, coalesce(a.panel_id, 0), a.kind, a.priority, a.state, a.ring,
       a.joinable, a.historic, coalesce(a.code, 0), coalesce(a.zone, 0), coalesce(a.partition, 0), coalesce(a.user_number, 0),
       a.restore, a.text, coalesce(z.name, ''), coalesce(p.name, ''), a.event_count, a.zones,
       a.first_effective_at, a.last_effective_at, a.opened_at, a.confirmed_at, a.restored_at,
       coalesce(a.owner_id, 0), coalesce(o.name, ''), a.claimed_at, a.paused_until, coalesce(a.outcome, ''), a.outcome_text,
       coalesce(a.previous_id, 0), a.resolved_at, a.closed_at,
       CASE WHEN a.kind = 'unknown' THEN coalesce(dozor_event_text(a.panel_id, a.code, a.restore), '') ELSE '' END
FROM alarms a
JOIN sites s ON s.id = a.site_id
LEFT JOIN users o ON o.id = a.owner_id
LEFT JOIN panel_objects z ON z.panel_id = a.panel_id AND z.kind = 'zone' AND z.number = a.zone
LEFT JOIN panel_objects p ON p.panel_id = a.panel_id AND p.kind = 'partition' AND p.number = a.partition
`

func scanAlarm(row pgx.CollectableRow) (wire.Alarm, error) {
	var a alarm.Alarm
	var site wire.SiteRef
	var confirmed, restored, claimed, paused, resolved, closed *time.Time
	err := row.Scan(&a.ID, &a.Version, &a.SiteID, &site.Name, &site.Address, &site.City, &a.PanelID, &a.Kind, &a.Priority, &a.State, &a.Ring,
		&a.Joinable, &a.Historic, &a.Code, &a.Zone, &a.Partition, &a.User,
		&a.Restore, &a.Text, &a.ZoneName, &a.PartitionName, &a.EventCount, &a.Zones,
		&a.FirstAt, &a.LastAt, &a.OpenedAt, &confirmed, &restored,
		&a.Owner.ID, &a.Owner.Name, &claimed, &paused, &a.Outcome, &a.OutcomeText,
		&a.PreviousID, &resolved, &closed, &a.Words)
	if err != nil {
		return wire.Alarm{}, err
	}
	site.ID = a.SiteID
	a.ConfirmedAt, a.RestoredAt, a.ClaimedAt = orZero(confirmed), orZero(restored), orZero(claimed)
	a.PausedUntil, a.ResolvedAt, a.ClosedAt = orZero(paused), orZero(resolved), orZero(closed)
	return a.View(site), nil
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func viewOf(ctx context.Context, q outbox.Querier, id ids.AlarmID) (wire.Alarm, error) {
	rows, err := q.Query(ctx, selectAlarm+"WHERE a.id = $1", int64(id))
	if err != nil {
		return wire.Alarm{}, fmt.Errorf("read alarm %d: %w", id, err)
	}
	view, err := pgx.CollectExactlyOneRow(rows, scanAlarm)
	if errors.Is(err, pgx.ErrNoRows) {
		return wire.Alarm{}, ErrAlarmNotFound
	}
	if err != nil {
		return wire.Alarm{}, fmt.Errorf("read alarm %d: %w", id, err)
	}
	return view, nil
}

// selectEvent reads an event with the names that its view has, and its place in the
// panel's log.
const selectEvent = `
SELECT e.id, e.site_id, coalesce(e.panel_id, 0), coalesce(e.alarm_id, 0), e.source, e.kind, e.priority, coalesce(e.code, 0), e.restore,
       coalesce(e.zone, 0), coalesce(e.partition, 0), coalesce(e.user_number, 0), e.text, e.effective_at, e.panel_time, e.received_at,
       e.historic, e.provisional, e.unclassified, coalesce(s.name, ''), coalesce(z.name, ''), coalesce(u.name, ''),
       coalesce(e.epoch, 0), coalesce(e.segment, 0), coalesce(e.log_offset, 0),
       CASE WHEN e.unclassified THEN coalesce(dozor_event_text(e.panel_id, e.code, e.restore), '') ELSE '' END
FROM events e
LEFT JOIN sites s ON s.id = e.site_id
LEFT JOIN panel_objects z ON z.panel_id = e.panel_id AND z.kind = 'zone' AND z.number = e.zone
LEFT JOIN panel_objects u ON u.panel_id = e.panel_id AND u.kind = 'user' AND u.number = e.user_number
`

// logged is an event with its place in the panel's log; segment 0 where it has none.
type logged struct {
	view    wire.Event
	epoch   int
	segment int64
	offset  int
}

func scanEvent(row pgx.CollectableRow) (logged, error) {
	var e event.Event
	var l logged
	var names event.Names
	var panelTime *time.Time
	err := row.Scan(&e.ID, &e.SiteID, &e.PanelID, &e.AlarmID, &e.Source, &e.Kind, &e.Priority, &e.Code, &e.Restore,
		&e.Zone, &e.Partition, &e.User, &e.Text, &e.EffectiveAt, &panelTime, &e.ReceivedAt,
		&e.Historic, &e.Provisional, &e.Unclassified, &names.Site, &names.Zone, &names.User,
		&l.epoch, &l.segment, &l.offset, &names.Event)
	if err != nil {
		return l, err
	}
	e.EffectiveAt, e.ReceivedAt, e.PanelTime = e.EffectiveAt.UTC(), e.ReceivedAt.UTC(), orZero(panelTime)
	l.view = e.View(names)
	return l, nil
}
