package pglive

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// pageSize bounds one reading of the outbox by a subscriber.
const pageSize = 500

// maxRange bounds one Range, whatever its caller asks for.
const maxRange = 5000

const framesBetween = `
SELECT epoch, position, type, at, ring, data, site_id, audience, trace, answered_at
FROM outbox WHERE epoch = $1 AND position > $2 AND position <= $3
ORDER BY position LIMIT $4`

// Range implements live.Fanout. Where a position is missing it returns the frames
// before the hole and says that the interval is not complete.
func (s *Store) Range(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, bool, error) {
	if after >= upTo {
		return nil, true, nil
	}
	if limit <= 0 {
		return nil, false, fmt.Errorf("read frames of (%d, %d]: want a positive limit, not %d", after, upTo, limit)
	}
	frames, err := s.read(ctx, epoch, after, upTo, min(limit, maxRange))
	if err != nil {
		return nil, false, err
	}
	for i, f := range frames {
		if f.Position != after+int64(i)+1 {
			return frames[:i], false, nil
		}
	}
	return frames, len(frames) > 0, nil
}

func (s *Store) read(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, error) {
	rows, err := s.pool.Query(ctx, framesBetween, epoch, after, upTo, limit)
	if err != nil {
		return nil, fmt.Errorf("read frames of (%d, %d]: %w", after, upTo, err)
	}
	frames, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (live.Frame, error) {
		var (
			f          live.Frame
			site       *int64
			answeredAt *time.Time
			data       []byte
		)
		if err := row.Scan(&f.Epoch, &f.Position, &f.Type, &f.At, &f.Ring, &data, &site, &f.Audience, &f.Trace, &answeredAt); err != nil {
			return f, err
		}
		f.At, f.Data, f.AnsweredAt = f.At.UTC(), data, orZero(answeredAt)
		if site != nil {
			f.SiteID = ids.SiteID(*site)
		}
		return f, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read frames of (%d, %d]: %w", after, upTo, err)
	}
	return frames, nil
}

// head is where the stream stands.
type head struct{ epoch, last, published int64 }

func (s *Store) head(ctx context.Context) (head, error) {
	var h head
	err := s.pool.QueryRow(ctx, "SELECT epoch, last, published FROM stream_head").Scan(&h.epoch, &h.last, &h.published)
	if err != nil {
		return h, fmt.Errorf("read the head of the stream: %w", err)
	}
	return h, nil
}

// Head returns the epoch of the stream and the highest position given out in it.
func (s *Store) Head(ctx context.Context) (epoch, last int64, err error) {
	h, err := s.head(ctx)
	return h.epoch, h.last, err
}

// Published returns the epoch of the stream and the position up to which everything was
// published.
func (s *Store) Published(ctx context.Context) (epoch, position int64, err error) {
	h, err := s.head(ctx)
	return h.epoch, h.published, err
}
