package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

const (
	// The first body is kept, and the first alarm: a letter that is replayed and fails again
	// is the same letter, and waits for somebody again. A settled one stays as it is settled.
	upsertLetter = `
INSERT INTO dead_letters AS d (dedup_key, lane, topic, body, trace, reason, panel_id, alarm_id, first_seen_at, last_seen_at)
VALUES ($1, $2, $3, $4, $5, $6, nullif($7::bigint, 0), nullif($8::bigint, 0), dozor_now(), dozor_now())
ON CONFLICT (dedup_key) DO UPDATE SET seen = d.seen + 1, last_seen_at = dozor_now(),
    panel_id = coalesce(excluded.panel_id, d.panel_id), alarm_id = coalesce(d.alarm_id, excluded.alarm_id),
    reason = CASE WHEN d.settled_at IS NULL THEN excluded.reason ELSE d.reason END,
    state = CASE WHEN d.state = 'replaying' THEN 'open' ELSE d.state END`

	// $2 is what became of the letter: stored just now, or known since before.
	settleLetter = `
UPDATE dead_letters SET state = $2, settled_at = dozor_now(), event_id = (SELECT event_id FROM event_keys WHERE dedup_key = $1)
WHERE dedup_key = $1 AND settled_at IS NULL`

	returnLetter = `
UPDATE dead_letters SET state = 'open', seen = seen + 1, last_seen_at = dozor_now(), reason = $2
WHERE dedup_key = $1 AND state = 'replaying'`

	// noSegment is the reason of a replayed record that its worker must read again.
	noSegment = "its segment of the panel's memory is not known: the worker reads the record again"
)

// How letters are settled, as their column says it.
const (
	letterStored = "stored"
	letterKnown  = "known"
)

// writeLetters sets messages aside and settles what was set aside before, in the order of
// their keys: two that meet wait for each other. What is set aside comes before its other
// copy in the same batch, which settles it.
func (w *work) writeLetters(ctx context.Context, tx pgx.Tx) error {
	var dead, settled []*item
	for _, it := range w.items {
		if it.dead != "" {
			dead = append(dead, it)
			w.letters[it.delivery.Key] = true
		}
	}
	for _, it := range w.items {
		if it.dead == "" && w.letters[it.delivery.Key] {
			settled = append(settled, it)
		}
	}
	all := slices.Concat(dead, settled)
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b *item) int { return bytes.Compare(a.delivery.Key[:], b.delivery.Key[:]) })
	batch := &pgx.Batch{}
	for _, it := range all {
		d := it.delivery
		switch {
		case it.dead != "":
			batch.Queue(upsertLetter, d.Key[:], string(d.Lane), clean(d.Topic, maxTopic), append([]byte{}, d.Body...), clean(d.Trace, maxTrace), it.dead,
				int64(it.event.PanelID), int64(it.event.AlarmID))
		case it.result == resultStored:
			batch.Queue(settleLetter, d.Key[:], letterStored)
		case it.result == resultDuplicate:
			batch.Queue(settleLetter, d.Key[:], letterKnown)
		default:
			batch.Queue(returnLetter, d.Key[:], noSegment)
		}
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write %d dead letters: %w", len(all), err)
	}
	return nil
}
