package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
)

// findPlaces says for each message where it belongs: the site, null when there is none,
// whether the record's segment is known or the cursor has passed it, and whether its row is
// missing.
const findPlaces = `
SELECT coalesce(st.id, 0), coalesce(p.name, ''),
       q.number = 0 OR s.number IS NOT NULL OR coalesce(q.number <= l.cursor_segment, false),
       coalesce(s.first_contact, false), q.number > 0 AND s.number IS NULL, coalesce(l.epoch, 0)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS q (panel_id, site_id, number, ord)
LEFT JOIN panels p ON p.id = q.panel_id
LEFT JOIN sites st ON st.id = CASE WHEN q.panel_id = 0 THEN q.site_id ELSE p.site_id END
LEFT JOIN panel_logs l ON l.panel_id = q.panel_id
LEFT JOIN panel_log_segments s ON s.panel_id = q.panel_id AND s.number = q.number
ORDER BY q.ord`

// findLetters says which messages were set aside before and wait for somebody since.
const findLetters = `
SELECT dedup_key, dozor_now() FROM dead_letters WHERE dedup_key = ANY($1::bytea[]) AND state IN ('open', 'replaying')`

// home is where a message belongs, as PostgreSQL says it.
type home struct {
	site         ids.SiteID // 0: none
	hasSegment   bool       // of a record: it may be stored
	firstContact bool
	lostSegment  bool // of a record: its segment's row is missing
	epoch        int  // of the panel's memory now
}

// look finds out which messages have a site, and drops records of segments that nobody
// knows: their worker reads them again. What was set aside before is judged by its age now.
func (w *work) look(ctx context.Context, tx pgx.Tx) error {
	type spot struct {
		panel   ids.PanelID
		site    ids.SiteID
		segment int64
	}
	index := map[spot]int{}
	var panels, sites, segments []int64
	spotOf := func(e *event.Event) spot { return spot{e.PanelID, e.SiteID, e.Segment} }
	for _, it := range w.items {
		if s := spotOf(it.event); !has(index, s) {
			index[s] = len(panels)
			panels, sites, segments = append(panels, int64(s.panel)), append(sites, int64(s.site)), append(segments, s.segment)
		}
	}
	answers := make([]home, 0, len(panels))
	var now time.Time
	batch := &pgx.Batch{}
	batch.Queue(findPlaces, panels, sites, segments).Query(collect(func(rows pgx.Rows) error {
		var f home
		var name string
		err := rows.Scan(&f.site, &name, &f.hasSegment, &f.firstContact, &f.lostSegment, &f.epoch)
		w.panels[ids.PanelID(panels[len(answers)])] = name
		answers = append(answers, f)
		return err
	}))
	batch.Queue(findLetters, w.messageKeys()).Query(collect(func(rows pgx.Rows) error {
		var key []byte
		err := rows.Scan(&key, &now)
		w.letters[bus.Key(key)] = true
		return err
	}))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("find the sites of events: %w", err)
	}
	for _, it := range w.items {
		f := answers[index[spotOf(it.event)]]
		w.settlePlace(it, f)
		if it.dead == "" && w.letters[it.delivery.Key] {
			it.event.AsLate(now)
		}
	}
	return w.settleReread(ctx, tx)
}

func (w *work) settlePlace(it *item, h home) {
	e := it.event
	e.SiteID = h.site
	it.home = h
	switch {
	case h.site == 0:
		if it.dead == "" {
			it.dead = "its panel or site is not known"
		}
		it.result = resultDead
	case !h.hasSegment:
		it.result = resultNoSegment
	default:
		it.result = resultStored
		if h.firstContact && !e.FirstContact {
			e.AsFirstContact()
		}
		if it.dead != "" {
			it.result = resultDead
			it.nameUnreadable(w.panels[e.PanelID])
		}
	}
}

func (w *work) messageKeys() [][]byte {
	keys := make([][]byte, len(w.items))
	for i, it := range w.items {
		keys[i] = it.delivery.Key[:]
	}
	return keys
}

// nameUnreadable says in the event of a dead letter which panel it came from.
func (it *item) nameUnreadable(panel string) {
	if panel == "" {
		return
	}
	s := *it.report.Station
	s.Args = map[string]string{"panel": panel}
	it.event.Text = event.StationText(s)
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, ok := m[k]
	return ok
}

const insertKeys = `
INSERT INTO event_keys (dedup_key, event_id)
SELECT k, e::uuid FROM unnest($1::bytea[], $2::text[]) AS q (k, e)
ON CONFLICT DO NOTHING RETURNING dedup_key`

// claimKeys finds the events that nobody has stored. Sorted keys make two batches with
// the same ones wait for each other rather than lock each other out.
func (w *work) claimKeys(ctx context.Context, tx pgx.Tx) error {
	var wanted []*item
	for _, it := range w.items {
		if it.event.SiteID != 0 && it.result != resultNoSegment && !it.mute {
			wanted = append(wanted, it)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	sorted := slices.Clone(wanted)
	slices.SortStableFunc(sorted, func(a, b *item) int { return bytes.Compare(a.event.Key[:], b.event.Key[:]) })
	keys, events := make([][]byte, len(sorted)), make([]string, len(sorted))
	for i, it := range sorted {
		keys[i], events[i] = it.event.Key[:], it.event.ID.String()
	}
	rows, err := tx.Query(ctx, insertKeys, keys, events)
	if err != nil {
		return fmt.Errorf("claim %d event keys: %w", len(keys), err)
	}
	isNew := map[event.Key]bool{}
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return fmt.Errorf("claim %d event keys: %w", len(keys), err)
		}
		isNew[event.Key(key)] = true
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("claim %d event keys: %w", len(keys), err)
	}
	for _, it := range wanted {
		if isNew[it.event.Key] {
			delete(isNew, it.event.Key) // a second one in the same batch is a duplicate
			w.fresh = append(w.fresh, it)
		} else if it.dead == "" {
			it.result = resultDuplicate
		}
	}
	return nil
}
