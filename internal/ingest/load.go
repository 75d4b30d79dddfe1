package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"dozor/internal/alarm"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

const (
	lockSites = `SELECT id, name, address, city FROM sites WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`

	databaseNow = `SELECT dozor_now()`

	nextNumbers = `SELECT nextval('alarms_id_seq') FROM generate_series(1, $1)`

	// Inferences that wait for a record of these panels, and records that wait for an
	// inference of those.
	loadMatches = `
SELECT panel_id, kind, zone, partition, provisional_id, record_id, coalesce(alarm_id, 0), effective_at
FROM provisional_matches
WHERE panel_id = ANY($1::bigint[]) AND record_id IS NULL AND effective_at BETWEEN $3 AND $4
UNION ALL
SELECT panel_id, kind, zone, partition, provisional_id, record_id, coalesce(alarm_id, 0), effective_at
FROM provisional_matches
WHERE panel_id = ANY($2::bigint[]) AND provisional_id IS NULL AND effective_at BETWEEN $3 AND $4`

	// The joinable alarms of the sites; of each kind that is raised the last one, to link
	// to; of each kind that ends the open ones; and those that matches lead to. The lock
	// makes the row returned the newest one, whatever the desk is doing with it.
	loadAlarms = `
SELECT a.id, a.version, a.site_id, coalesce(a.panel_id, 0), a.kind, a.priority, a.state, a.ring, a.joinable, a.historic,
       coalesce(a.code, 0), coalesce(a.zone, 0), coalesce(a.partition, 0), coalesce(a.user_number, 0), a.restore, a.text,
       a.event_count, a.zones, a.origins, a.active, a.first_effective_at, a.last_effective_at, a.opened_at,
       a.confirmed_at, a.restored_at, coalesce(a.owner_id, 0), coalesce(o.name, ''), a.claimed_at, a.paused_until,
       coalesce(a.outcome, ''), a.outcome_text, coalesce(a.previous_id, 0), a.resolved_at, a.closed_at,
       coalesce(z.name, ''), coalesce(p.name, ''),
       CASE WHEN a.kind = 'unknown' THEN coalesce(dozor_event_text(a.panel_id, a.code, a.restore), '') ELSE '' END
FROM alarms a
LEFT JOIN users o ON o.id = a.owner_id
LEFT JOIN panel_objects z ON z.panel_id = a.panel_id AND z.kind = 'zone' AND z.number = a.zone
LEFT JOIN panel_objects p ON p.panel_id = a.panel_id AND p.kind = 'partition' AND p.number = a.partition
WHERE a.id = ANY(ARRAY(
    SELECT id FROM alarms WHERE site_id = ANY($1::bigint[]) AND joinable
    UNION
    SELECT last.id FROM unnest($2::bigint[], $3::text[]) AS q (site_id, kind) CROSS JOIN LATERAL (
        SELECT id FROM alarms WHERE site_id = q.site_id AND kind = q.kind AND NOT historic ORDER BY id DESC LIMIT 1) last
    UNION
    SELECT recent.id FROM unnest($4::bigint[], $5::text[]) AS q (site_id, kind) CROSS JOIN LATERAL (
        SELECT id FROM alarms WHERE site_id = q.site_id AND kind = q.kind AND state <> 'closed' AND NOT historic
        ORDER BY id DESC LIMIT 8) recent
    UNION
    SELECT alarm_id FROM provisional_matches
    WHERE panel_id = ANY($6::bigint[]) AND record_id IS NULL AND effective_at BETWEEN $8 AND $9
    UNION
    SELECT alarm_id FROM provisional_matches
    WHERE panel_id = ANY($7::bigint[]) AND provisional_id IS NULL AND effective_at BETWEEN $8 AND $9
))
ORDER BY a.id FOR NO KEY UPDATE OF a`

	loadNames = `
SELECT o.panel_id, o.kind, o.number, o.name
FROM unnest($1::bigint[], $2::text[], $3::int[]) AS q (panel_id, kind, number)
JOIN panel_objects o ON o.panel_id = q.panel_id AND o.kind = q.kind AND o.number = q.number`

	// What panels themselves call events that no table has, mostly asked before.
	loadWords = `
SELECT q.panel_id, q.code, q.restore, coalesce(dozor_event_text(q.panel_id, q.code, q.restore), '')
FROM unnest($1::bigint[], $2::int[], $3::boolean[]) AS q (panel_id, code, restore)`
)

// lockAndLoad locks the sites whose alarms may change, then reads all that deciding and
// telling needs, in one exchange.
func (w *work) lockAndLoad(ctx context.Context, tx pgx.Tx) error {
	q := w.questions()
	var alarms []*alarm.Alarm
	var matches []*alarm.Match
	w.sites, w.names, w.words = map[ids.SiteID]wire.SiteRef{}, map[object]string{}, map[wording]string{}

	batch := &pgx.Batch{}
	if len(q.sites) > 0 {
		batch.Queue(lockSites, q.sites).Query(collect(func(rows pgx.Rows) error {
			var s wire.SiteRef
			err := rows.Scan(&s.ID, &s.Name, &s.Address, &s.City)
			w.sites[s.ID] = s
			return err
		}))
		if len(q.records)+len(q.inferences) > 0 {
			batch.Queue(loadMatches, q.records, q.inferences, q.from, q.to).Query(collect(func(rows pgx.Rows) error {
				m, err := scanMatch(rows)
				matches = append(matches, m)
				return err
			}))
		}
		batch.Queue(loadAlarms, q.sites, q.raised.sites, q.raised.kinds, q.ended.sites, q.ended.kinds, q.records, q.inferences, q.from, q.to).
			Query(collect(func(rows pgx.Rows) error {
				a, err := scanAlarm(rows)
				alarms = append(alarms, a)
				return err
			}))
	}
	batch.Queue(databaseNow).QueryRow(func(row pgx.Row) error { return row.Scan(&w.now) })
	batch.Queue(loadNames, q.namedPanels, q.namedKinds, q.namedNumbers).Query(collect(func(rows pgx.Rows) error {
		var o object
		var name string
		err := rows.Scan(&o.panel, &o.kind, &o.number, &name)
		w.names[o] = name
		return err
	}))
	if len(q.unknown.panels) > 0 {
		batch.Queue(loadWords, q.unknown.panels, q.unknown.codes, q.unknown.restores).Query(collect(func(rows pgx.Rows) error {
			var o wording
			var words string
			err := rows.Scan(&o.panel, &o.code, &o.restore, &words)
			w.words[o] = words
			return err
		}))
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("lock %d sites and load their alarms: %w", len(q.sites), err)
	}
	w.setUp(q, alarms, matches)
	return nil
}

// setUp makes a board for each locked site.
func (w *work) setUp(q questions, alarms []*alarm.Alarm, matches []*alarm.Match) {
	bySite := map[ids.SiteID][]*alarm.Alarm{}
	for _, a := range alarms {
		bySite[a.SiteID] = append(bySite[a.SiteID], a)
	}
	matchesOf := map[ids.SiteID][]*alarm.Match{}
	for _, m := range matches {
		site := q.siteOf[m.PanelID]
		matchesOf[site] = append(matchesOf[site], m)
	}
	for site := range w.sites {
		w.boards[site] = alarm.NewBoard(site, w.now.UTC(), bySite[site], matchesOf[site])
	}
}

// wording is an event of a panel that no table has.
type wording struct {
	panel   ids.PanelID
	code    int
	restore bool
}

// pair is a site and a kind; pairs are distinct ones as columns.
type pair struct {
	site ids.SiteID
	kind event.Kind
}

type pairs struct {
	sites []int64
	kinds []string
	seen  map[pair]bool
}

func (p *pairs) add(site ids.SiteID, kind event.Kind) {
	if p.seen == nil {
		p.seen = map[pair]bool{}
	}
	if key := (pair{site, kind}); !p.seen[key] {
		p.seen[key] = true
		p.sites, p.kinds = append(p.sites, int64(site)), append(p.kinds, string(kind))
	}
}

// questions are the arguments of what lockAndLoad asks.
type questions struct {
	sites         []int64
	raised, ended pairs
	// Panels with records, with inferences, that may have another half; from and to are
	// about when the halves happened.
	records, inferences []int64
	siteOf              map[ids.PanelID]ids.SiteID
	from, to            time.Time

	namedPanels  []int64
	namedKinds   []string
	namedNumbers []int32

	unknown struct { // codes that no table has, as columns
		panels   []int64
		codes    []int32
		restores []bool
	}
}

func (w *work) questions() questions {
	q := questions{siteOf: map[ids.PanelID]ids.SiteID{}}
	sites, named := map[ids.SiteID]bool{}, map[object]bool{}
	for _, it := range w.fresh {
		e := it.event
		for _, o := range objectsOf(e) {
			if o.number != 0 && !named[o] {
				named[o] = true
				q.namedPanels, q.namedKinds = append(q.namedPanels, int64(o.panel)), append(q.namedKinds, o.kind)
				q.namedNumbers = append(q.namedNumbers, int32(o.number))
			}
		}
		if e.Unclassified && e.PanelID != 0 && e.Raw != nil {
			q.unknown.panels = append(q.unknown.panels, int64(e.PanelID))
			q.unknown.codes, q.unknown.restores = append(q.unknown.codes, int32(e.Code)), append(q.unknown.restores, e.Restore)
		}
		if !hasBusiness(e) {
			continue
		}
		if !sites[e.SiteID] {
			sites[e.SiteID] = true
			q.sites = append(q.sites, int64(e.SiteID))
		}
		if e.Ends {
			q.ended.add(e.SiteID, e.Kind)
			q.ended.add(e.SiteID, event.Burglary) // evidence of one may end, too
			continue
		}
		q.raised.add(e.SiteID, e.Kind)
		q.addHalf(e)
	}
	return q
}

func (q *questions) addHalf(e *event.Event) {
	if e.PanelID == 0 || e.Historic || e.Zone == 0 && e.Partition == 0 {
		return
	}
	q.siteOf[e.PanelID] = e.SiteID
	panels := &q.records
	if e.Provisional {
		panels = &q.inferences
	}
	if !slices.Contains(*panels, int64(e.PanelID)) {
		*panels = append(*panels, int64(e.PanelID))
	}
	if from := e.EffectiveAt.Add(-alarm.MatchWithin); q.from.IsZero() || from.Before(q.from) {
		q.from = from
	}
	if to := e.EffectiveAt.Add(alarm.MatchWithin); to.After(q.to) {
		q.to = to
	}
}

func objectsOf(e *event.Event) [3]object {
	return [3]object{{e.PanelID, zoneObject, e.Zone}, {e.PanelID, partitionObject, e.Partition}, {e.PanelID, userObject, e.User}}
}

func collect(scan func(pgx.Rows) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

func scanMatch(rows pgx.Rows) (*alarm.Match, error) {
	m := &alarm.Match{}
	var provisional, record pgtype.UUID
	err := rows.Scan(&m.PanelID, &m.Kind, &m.Zone, &m.Partition, &provisional, &record, &m.AlarmID, &m.At)
	m.Provisional, m.Record = uuid.UUID(provisional.Bytes), uuid.UUID(record.Bytes)
	return m, err
}

func scanAlarm(rows pgx.Rows) (*alarm.Alarm, error) {
	a := &alarm.Alarm{}
	var confirmed, restored, claimed, paused, resolved, closed *time.Time
	err := rows.Scan(&a.ID, &a.Version, &a.SiteID, &a.PanelID, &a.Kind, &a.Priority, &a.State, &a.Ring, &a.Joinable, &a.Historic,
		&a.Code, &a.Zone, &a.Partition, &a.User, &a.Restore, &a.Text,
		&a.EventCount, &a.Zones, &a.Origins, &a.Active, &a.FirstAt, &a.LastAt, &a.OpenedAt,
		&confirmed, &restored, &a.Owner.ID, &a.Owner.Name, &claimed, &paused,
		&a.Outcome, &a.OutcomeText, &a.PreviousID, &resolved, &closed, &a.ZoneName, &a.PartitionName, &a.Words)
	for _, t := range []struct {
		from *time.Time
		to   *time.Time
	}{{confirmed, &a.ConfirmedAt}, {restored, &a.RestoredAt}, {claimed, &a.ClaimedAt}, {paused, &a.PausedUntil}, {resolved, &a.ResolvedAt}, {closed, &a.ClosedAt}} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	return a, err
}

func nextAlarmIDs(ctx context.Context, tx pgx.Tx, n int) ([]ids.AlarmID, error) {
	rows, err := tx.Query(ctx, nextNumbers, n)
	if err != nil {
		return nil, fmt.Errorf("number %d alarms: %w", n, err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[ids.AlarmID])
	if err != nil {
		return nil, fmt.Errorf("number %d alarms: %w", n, err)
	}
	return numbers, nil
}
