package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/pg"
)

const (
	// keepNewest is how many frames of the current epoch stay, however old: what every
	// instance's ring holds, so that a restarted one can serve resumes at once.
	keepNewest = 5000
	trimBatch  = 2000
)

// Reset begins a new epoch, whatever the database's timeline says: for an operator who
// has put back a storage snapshot. It returns the epoch.
func Reset(ctx context.Context, db *pg.Direct) (epoch int64, err error) {
	err = db.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT FROM stream_head FOR UPDATE"); err != nil {
			return fmt.Errorf("lock the stream's head: %w", err)
		}
		epoch, err = renewEpoch(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reset the stream: %w", err)
	}
	return epoch, nil
}

// Trim deletes stamped rows that are older than a duration, oldest positions first and
// in batches, and returns how many. It never deletes what is not published, nor any of
// the newest 5,000 of the current epoch. What is left of an epoch has no holes.
func (r *Relay) Trim(ctx context.Context, olderThan time.Duration) (int64, error) {
	var total int64
	var epoch, position int64 // deleted up to there
	for {
		var n int64
		err := r.cfg.DB.QueryRow(ctx, trimRows, epoch, position, olderThan, keepNewest, trimBatch).Scan(&n, &epoch, &position)
		if err != nil {
			return total, fmt.Errorf("trim the outbox: %w", err)
		}
		total += n
		if n < trimBatch {
			return total, nil
		}
	}
}

// A row younger than the limit ends the batch, though older ones may lie behind it: what
// stays must be without holes.
const trimRows = `
WITH bound AS (
    SELECT epoch, least(published, last - $4) AS position FROM stream_head
), oldest AS (
    SELECT id, o.epoch, o.position, at FROM outbox o, bound
    WHERE o.position IS NOT NULL AND (o.epoch, o.position) > ($1::bigint, $2::bigint)
      AND (o.epoch, o.position) <= (bound.epoch, bound.position)
    ORDER BY o.epoch, o.position LIMIT $5
), judged AS (
    SELECT id, bool_and(at < dozor_now() - $3::interval) OVER (ORDER BY epoch, position) AS old FROM oldest
), deleted AS (
    DELETE FROM outbox USING judged WHERE outbox.id = judged.id AND judged.old
    RETURNING outbox.epoch, outbox.position
), last AS (
    SELECT epoch, position FROM deleted ORDER BY epoch DESC, position DESC LIMIT 1
)
SELECT (SELECT count(*) FROM deleted), coalesce((SELECT epoch FROM last), $1), coalesce((SELECT position FROM last), $2)`
