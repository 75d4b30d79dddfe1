package ingest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/event"
	"dozor/internal/timer"
)

// In columns 0 and ” stand for null where the table allows it; of instants a nil does.
const (
	// Before the new alarms: one that takes no more makes room for the next of its kind.
	updateAlarms = `
UPDATE alarms a SET version = q.version, priority = q.priority, ring = q.ring, joinable = a.joinable AND q.joinable,
    event_count = q.event_count, zones = q.zones::int[], origins = q.origins::text[], active = q.active::text[],
    first_effective_at = q.first_at, last_effective_at = q.last_at, confirmed_at = q.confirmed_at, restored_at = q.restored_at,
    paused_until = CASE WHEN a.id = ANY($14::bigint[]) THEN NULL ELSE a.paused_until END
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::int[], $5::boolean[], $6::int[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])
    AS q (id, version, priority, ring, joinable, event_count, zones, origins, active, first_at, last_at, confirmed_at, restored_at)
WHERE a.id = q.id`

	insertAlarms = `
INSERT INTO alarms (id, version, priority, ring, joinable, event_count, zones, origins, active,
    first_effective_at, last_effective_at, confirmed_at, restored_at,
    site_id, panel_id, kind, historic, code, zone, partition, user_number, restore, text, previous_id, opened_at)
SELECT id, version, priority, ring, joinable, event_count, zones::int[], origins::text[], active::text[],
    first_at, last_at, confirmed_at, restored_at,
    site_id, nullif(panel_id, 0), kind, historic, nullif(code, 0), nullif(zone, 0), nullif(partition, 0), nullif(user_number, 0),
    restore, text, nullif(previous_id, 0), $25
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::int[], $5::boolean[], $6::int[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
    $14::bigint[], $15::bigint[], $16::text[], $17::boolean[], $18::int[], $19::int[], $20::int[], $21::int[], $22::boolean[],
    $23::text[], $24::bigint[])
    AS q (id, version, priority, ring, joinable, event_count, zones, origins, active, first_at, last_at, confirmed_at, restored_at,
    site_id, panel_id, kind, historic, code, zone, partition, user_number, restore, text, previous_id)`

	insertActions = `
INSERT INTO alarm_actions (alarm_id, at, act, from_state, to_state, version)
SELECT alarm_id, $5, act, CASE WHEN act = 'open' THEN '' ELSE state END, state, version
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS q (alarm_id, act, state, version, ord)
ORDER BY ord`

	insertEvents = `
INSERT INTO events (id, site_id, panel_id, source, kind, priority, code, restore, zone, partition, user_number,
    source_kind, source_number, text, alarm_id, historic, provisional, unclassified, rules_version,
    raw, log_index, epoch, segment, log_offset, panel_time, resolved_at, received_at, effective_at, recorded_at, trace)
SELECT id::uuid, site_id, nullif(panel_id, 0), source, kind, priority, nullif(code, 0), restore, nullif(zone, 0), nullif(partition, 0),
    nullif(user_number, 0), source_kind, CASE WHEN source_kind = '' THEN NULL ELSE source_number END, text, nullif(alarm_id, 0),
    historic, provisional, unclassified, rules_version, raw, log_index, nullif(epoch, 0), nullif(segment, 0),
    CASE WHEN segment = 0 THEN NULL ELSE log_offset END, panel_time AT TIME ZONE 'UTC', resolved_at, received_at, effective_at, $29, trace
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::int[], $8::boolean[], $9::int[], $10::int[],
    $11::int[], $12::text[], $13::int[], $14::text[], $15::bigint[], $16::boolean[], $17::boolean[], $18::boolean[], $19::int[],
    $20::bytea[], $21::bytea[], $22::int[], $23::bigint[], $24::int[], $25::timestamptz[], $26::timestamptz[], $27::timestamptz[],
    $28::timestamptz[], $30::text[])
    AS q (id, site_id, panel_id, source, kind, priority, code, restore, zone, partition, user_number,
    source_kind, source_number, text, alarm_id, historic, provisional, unclassified, rules_version,
    raw, log_index, epoch, segment, log_offset, panel_time, resolved_at, received_at, effective_at, trace)`

	insertMatches = `
INSERT INTO provisional_matches (panel_id, kind, zone, partition, provisional_id, record_id, alarm_id, effective_at)
SELECT panel_id, kind, zone, partition, nullif(provisional_id, '')::uuid, nullif(record_id, '')::uuid, alarm_id, at
FROM unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[])
    AS q (panel_id, kind, zone, partition, provisional_id, record_id, alarm_id, at)`

	// The known half finds the row, whichever of the two it is.
	completeMatch = `
UPDATE provisional_matches SET provisional_id = $1::text::uuid, record_id = $2::text::uuid
WHERE provisional_id = $1::text::uuid OR record_id = $2::text::uuid`
)

// write stores what was decided, in one exchange.
func (w *work) write(ctx context.Context, tx pgx.Tx) error {
	batch := &pgx.Batch{}
	changed, opened, acts := &alarmColumns{}, &alarmColumns{}, &actionColumns{}
	for _, t := range w.touched() {
		for _, e := range t.Events {
			e.AlarmID = t.Alarm.ID
		}
		if t.IsNew {
			opened.add(t.Alarm)
		} else {
			changed.add(t.Alarm)
			changed.wake(t)
		}
		acts.add(t)
	}
	if len(changed.ids) > 0 {
		batch.Queue(updateAlarms, append(changed.common(), changed.woken)...)
	}
	if len(changed.woken) > 0 {
		batch.Queue(timer.ClearUnlocked, alarm.WakeTimer, changed.subjects)
	}
	if len(opened.ids) > 0 {
		batch.Queue(insertAlarms, append(append(opened.common(), opened.fixed()...), w.now)...)
	}
	if len(acts.alarms) > 0 {
		batch.Queue(insertActions, acts.alarms, acts.acts, acts.states, acts.versions, w.now)
	}
	batch.Queue(insertEvents, w.eventColumns()...)
	w.queueMatches(batch)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write %d events, %d new and %d changed alarms: %w", len(w.fresh), len(opened.ids), len(changed.ids), err)
	}
	return nil
}

// alarmColumns are rows of alarms as columns; the later ones only of new alarms.
type alarmColumns struct {
	ids, versions, sites, panels, previous    []int64
	priorities                                []int16
	rings, counts, codes, zones, parts, users []int32
	joinable, historic, restores              []bool
	zoneLists, origins, active, kinds, texts  []string
	first, last                               []time.Time
	confirmed, restored                       []*time.Time
	woken                                     []int64  // those whose pause ends
	subjects                                  []string // of their timers
}

func (c *alarmColumns) wake(t *alarm.Touched) {
	if t.Woken {
		c.woken, c.subjects = append(c.woken, int64(t.Alarm.ID)), append(c.subjects, alarm.TimerSubject(t.Alarm.ID))
	}
}

func (c *alarmColumns) add(a *alarm.Alarm) {
	c.ids, c.versions = append(c.ids, int64(a.ID)), append(c.versions, a.Version)
	c.priorities, c.rings = append(c.priorities, int16(a.Priority)), append(c.rings, int32(a.Ring))
	c.joinable, c.counts = append(c.joinable, a.Joinable), append(c.counts, int32(a.EventCount))
	zones := make([]string, len(a.Zones))
	for i, z := range a.Zones {
		zones[i] = strconv.Itoa(z)
	}
	c.zoneLists = append(c.zoneLists, arrayOf(zones))
	c.origins, c.active = append(c.origins, arrayOf(a.Origins)), append(c.active, arrayOf(a.Active))
	c.first, c.last = append(c.first, a.FirstAt), append(c.last, a.LastAt)
	c.confirmed, c.restored = append(c.confirmed, optional(a.ConfirmedAt)), append(c.restored, optional(a.RestoredAt))

	c.sites, c.panels, c.previous = append(c.sites, int64(a.SiteID)), append(c.panels, int64(a.PanelID)), append(c.previous, int64(a.PreviousID))
	c.kinds, c.texts = append(c.kinds, string(a.Kind)), append(c.texts, a.Text)
	c.historic, c.restores = append(c.historic, a.Historic), append(c.restores, a.Restore)
	c.codes, c.zones = append(c.codes, int32(a.Code)), append(c.zones, int32(a.Zone))
	c.parts, c.users = append(c.parts, int32(a.Partition)), append(c.users, int32(a.User))
}

func (c *alarmColumns) common() []any {
	return []any{c.ids, c.versions, c.priorities, c.rings, c.joinable, c.counts, c.zoneLists, c.origins, c.active, c.first, c.last, c.confirmed, c.restored}
}

func (c *alarmColumns) fixed() []any {
	return []any{c.sites, c.panels, c.kinds, c.historic, c.codes, c.zones, c.parts, c.users, c.restores, c.texts, c.previous}
}

// arrayOf writes an array of SQL. Numbers and origins are made of letters, digits, '_'
// and '/', which need no quotes.
func arrayOf(values []string) string { return "{" + strings.Join(values, ",") + "}" }

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

type actionColumns struct {
	alarms, versions []int64
	acts, states     []string
}

func (c *actionColumns) add(t *alarm.Touched) {
	for _, act := range t.Acts {
		c.alarms, c.versions = append(c.alarms, int64(t.Alarm.ID)), append(c.versions, t.Alarm.Version)
		c.acts, c.states = append(c.acts, string(act)), append(c.states, string(t.Before))
	}
}

// column makes one column of the new events.
func column[T any](w *work, of func(e *event.Event) T) []T {
	c := make([]T, len(w.fresh))
	for i, it := range w.fresh {
		c[i] = of(it.event)
	}
	return c
}

func (w *work) eventColumns() []any {
	return []any{
		column(w, func(e *event.Event) string { return e.ID.String() }),
		column(w, func(e *event.Event) int64 { return int64(e.SiteID) }),
		column(w, func(e *event.Event) int64 { return int64(e.PanelID) }),
		column(w, func(e *event.Event) string { return string(e.Source) }),
		column(w, func(e *event.Event) string { return string(e.Kind) }),
		column(w, func(e *event.Event) int16 { return int16(e.Priority) }),
		column(w, func(e *event.Event) int32 { return int32(e.Code) }),
		column(w, func(e *event.Event) bool { return e.Restore }),
		column(w, func(e *event.Event) int32 { return int32(e.Zone) }),
		column(w, func(e *event.Event) int32 { return int32(e.Partition) }),
		column(w, func(e *event.Event) int32 { return int32(e.User) }),
		column(w, func(e *event.Event) string { return e.SourceKind }),
		column(w, func(e *event.Event) int32 { return int32(e.SourceNumber) }),
		column(w, func(e *event.Event) string { return e.Text }),
		column(w, func(e *event.Event) int64 { return int64(e.AlarmID) }),
		column(w, func(e *event.Event) bool { return e.Historic }),
		column(w, func(e *event.Event) bool { return e.Provisional }),
		column(w, func(e *event.Event) bool { return e.Unclassified }),
		column(w, func(e *event.Event) int32 { return int32(e.RulesVersion) }),
		column(w, func(e *event.Event) []byte { return e.Raw }),
		column(w, func(e *event.Event) []byte { return e.LogIndex }),
		column(w, func(e *event.Event) int32 { return int32(e.Epoch) }),
		column(w, func(e *event.Event) int64 { return e.Segment }),
		column(w, func(e *event.Event) int32 { return int32(e.Offset) }),
		column(w, func(e *event.Event) *time.Time { return optional(e.PanelTime) }),
		column(w, func(e *event.Event) *time.Time { return optional(e.ResolvedAt) }),
		column(w, func(e *event.Event) time.Time { return e.ReceivedAt }),
		column(w, func(e *event.Event) time.Time { return e.EffectiveAt }),
		w.now,
		column(w, func(e *event.Event) string { return e.Trace }),
	}
}

// queueMatches stores halves that wait for the other, and pairs that are whole now.
func (w *work) queueMatches(batch *pgx.Batch) {
	var panels, alarms []int64
	var kinds, provisionals, records []string
	var zones, partitions []int32
	var at []time.Time
	for _, b := range w.boards {
		for _, m := range b.Matches() {
			if m.Changed && !m.IsNew {
				batch.Queue(completeMatch, m.Provisional.String(), m.Record.String())
			}
			if !m.IsNew {
				continue
			}
			panels, alarms, kinds = append(panels, int64(m.PanelID)), append(alarms, int64(m.Alarm.ID)), append(kinds, string(m.Kind))
			zones, partitions, at = append(zones, int32(m.Zone)), append(partitions, int32(m.Partition)), append(at, m.At)
			provisionals, records = append(provisionals, textOf(m.Provisional)), append(records, textOf(m.Record))
		}
	}
	if len(panels) > 0 {
		batch.Queue(insertMatches, panels, kinds, zones, partitions, provisionals, records, alarms, at)
	}
}

func textOf(id [16]byte) string {
	if id == ([16]byte{}) {
		return ""
	}
	return uuid.UUID(id).String()
}
