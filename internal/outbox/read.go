package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/wire"
)

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Head returns the epoch and the highest position given out in it. Ask the primary, and
// before the query of a list: everything up to it is committed then, and in the list.
func Head(ctx context.Context, q Querier) (wire.StreamPosition, error) {
	var head wire.StreamPosition
	if err := q.QueryRow(ctx, "SELECT epoch, last FROM stream_head").Scan(&head.Epoch, &head.Position); err != nil {
		return wire.StreamPosition{}, fmt.Errorf("read the stream's head: %w", err)
	}
	return head, nil
}

// frameColumns are read by collectFrames, in this order.
const frameColumns = `epoch, position, type, at, ring, data, coalesce(site_id, 0), audience, trace, answered_at`

// Frames reads stamped rows of (after, upTo] of an epoch, ascending, at most limit. The
// oldest may have been trimmed: then the first one read lies beyond after+1, or none is there.
func Frames(ctx context.Context, q Querier, epoch, after, upTo int64, limit int) ([]live.Frame, error) {
	rows, err := q.Query(ctx, `SELECT `+frameColumns+` FROM outbox
		WHERE epoch = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4`, epoch, after, upTo, limit)
	if err != nil {
		return nil, fmt.Errorf("read frames after %d: %w", after, err)
	}
	frames, err := collectFrames(rows)
	if err != nil {
		return nil, fmt.Errorf("read frames after %d: %w", after, err)
	}
	return frames, nil
}

func collectFrames(rows pgx.Rows) ([]live.Frame, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (live.Frame, error) { return scanFrame(row) })
}

// collectStamped is collectFrames with one more column, the same in each row.
func collectStamped(rows pgx.Rows) (frames []live.Frame, extra int64, err error) {
	frames, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (live.Frame, error) { return scanFrame(row, &extra) })
	return frames, extra, err
}

func scanFrame(row pgx.CollectableRow, extra ...any) (live.Frame, error) {
	var (
		f        live.Frame
		data     []byte
		site     int64
		answered *time.Time
	)
	targets := append([]any{&f.Epoch, &f.Position, &f.Type, &f.At, &f.Ring, &data, &site, &f.Audience, &f.Trace, &answered}, extra...)
	if err := row.Scan(targets...); err != nil {
		return live.Frame{}, err
	}
	f.At, f.Data, f.SiteID = f.At.UTC(), data, ids.SiteID(site)
	if answered != nil {
		f.AnsweredAt = answered.UTC()
	}
	return f, nil
}
