package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"dozor/internal/event"
	"dozor/satel"
)

// formerEpochs bounds under how many of a panel's latest memory epochs a record is looked for.
const formerEpochs = 16

// nameAgain gives the key of a record to the event that the same record has under another
// epoch, if it was read again into a later segment. The worker then finds the key.
const nameAgain = `
INSERT INTO event_keys (dedup_key, event_id)
SELECT DISTINCT ON (q.key) q.key, e.id
FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS q (key, other, segment)
JOIN event_keys k ON k.dedup_key = q.other
JOIN events e ON e.id = k.event_id AND e.segment > q.segment
ORDER BY q.key
ON CONFLICT DO NOTHING`

// settleReread settles records whose segment the database lost in a failover, and which were
// read again since. The cursor has passed them, so that all that the panel still had has an
// event: with the same key, which claimKeys finds, unless the epoch changed with the
// failover: one that was raised shortly before is lost with it, one that the older cursor
// needs is new. What was not read again is the only copy there is, and is stored.
func (w *work) settleReread(ctx context.Context, tx pgx.Tx) error {
	type name struct {
		key, other event.Key
		segment    int64
	}
	var names []name
	for _, it := range w.items {
		r := it.report.Record
		if r == nil || !it.home.lostSegment || it.result == resultNoSegment {
			continue
		}
		for epoch := max(1, it.home.epoch-formerEpochs+1); epoch <= it.home.epoch; epoch++ {
			if epoch != r.Epoch {
				other := event.RecordKey(it.report.PanelID, epoch, satel.Index(r.Index), satel.Record(r.Raw))
				names = append(names, name{it.delivery.Key, other, r.Number})
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.SortFunc(names, func(a, b name) int { return cmp.Compare(string(a.key[:]), string(b.key[:])) })
	keys, others, segments := make([][]byte, len(names)), make([][]byte, len(names)), make([]int64, len(names))
	for i := range names {
		keys[i], others[i], segments[i] = names[i].key[:], names[i].other[:], names[i].segment
	}
	if _, err := tx.Exec(ctx, nameAgain, keys, others, segments); err != nil {
		return fmt.Errorf("find records that were read again: %w", err)
	}
	return nil
}
