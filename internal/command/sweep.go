package command

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	// deadMargin lets an executor whose lease has just gone still say how it ended.
	deadMargin = "5 s"
	// liveMargin ends what an executor forgot that still holds its lease. A healthy one
	// resets the connection at the deadline and says so at once; a later word still counts.
	liveMargin = "20 s"
	// sweepLimit bounds a transaction; the next sweep takes the rest.
	sweepLimit = 200
)

const endTheDead = `
WITH dead AS (
	SELECT c.id,
	       CASE WHEN c.state = 'queued' AND c.timeline = dozor_timeline() THEN 'expired' ELSE 'unknown' END AS ending
	FROM commands c LEFT JOIN leases l ON l.panel_id = c.panel_id
	WHERE c.state IN ('queued', 'executing')
	  AND (c.state = 'queued' AND (c.deadline_at <= dozor_now() OR c.timeline <> dozor_timeline())
	       OR c.state = 'executing' AND c.deadline_at + $1::interval <= dozor_now()
	          AND (l.fence IS DISTINCT FROM c.fence OR l.expires_at <= dozor_now()
	               OR c.deadline_at + $2::interval <= dozor_now()))
	ORDER BY c.requested_at LIMIT $3
	FOR UPDATE OF c SKIP LOCKED
)
UPDATE commands c SET state = dead.ending, result = dead.ending, finished_at = dozor_now()
FROM dead WHERE c.id = dead.id
RETURNING c.id`

// Sweep ends every command that nobody else will end, and returns how many. It can run
// anywhere at the same time; call it every second or two.
func (c *Commands) Sweep(ctx context.Context) (int, error) {
	var swept int
	err := c.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, endTheDead, deadMargin, liveMargin, sweepLimit)
		if err != nil {
			return fmt.Errorf("find them: %w", err)
		}
		ended, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return fmt.Errorf("end them: %w", err)
		}
		swept = len(ended)
		if swept == 0 {
			return nil
		}
		return c.announce(ctx, tx, "sweeper", ended)
	})
	if err != nil {
		return 0, fmt.Errorf("sweep commands: %w", err)
	}
	if swept > 0 {
		c.d.Notified()
	}
	return swept, nil
}
