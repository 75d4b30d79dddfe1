package tiers

import (
	"context"

	"dozor/internal/live"
)

// Publish implements live.Fanout. The frames are in the outbox already, so nothing can
// fail here: who is not told by Redis is told by PostgreSQL's hint to look there.
func (s *Store) Publish(ctx context.Context, frames []live.Frame) error {
	if s.uses() && len(frames) > 0 {
		err := s.redis.Publish(ctx, frames)
		s.told(ctx, err)
		if err == nil {
			return nil
		}
	}
	return s.postgres.Publish(ctx, frames)
}

// Range implements live.Fanout: of the buffer in Redis. What that does not have whole is
// in the outbox.
func (s *Store) Range(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, bool, error) {
	if s.uses() {
		frames, complete, err := s.redis.Range(ctx, epoch, after, upTo, limit)
		s.told(ctx, err)
		if err == nil && complete {
			return frames, true, nil
		}
	}
	return s.postgres.Range(ctx, epoch, after, upTo, limit)
}
