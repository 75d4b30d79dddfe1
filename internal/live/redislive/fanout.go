package redislive

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"dozor/internal/live"
)

const (
	bufferKey = "ws:events:buffer"
	channel   = "ws:events"
	// BufferSize is how many of the newest frames are kept.
	BufferSize = 5000
	// framesAtOnce bounds one script and one message.
	framesAtOnce = 500
)

// Publish implements live.Fanout. Frames of an epoch that is over are left out: whoever
// follows the stream follows the higher one.
func (s *Store) Publish(ctx context.Context, frames []live.Frame) error {
	return s.publishAll(ctx, channel, frames)
}

// Fill puts frames back that the buffer has lost, and tells nobody.
func (s *Store) Fill(ctx context.Context, frames []live.Frame) error {
	return s.publishAll(ctx, "", frames)
}

// Buffered counts the positions of (after, upTo] that the buffer holds; none when it is of
// another epoch.
func (s *Store) Buffered(ctx context.Context, epoch, after, upTo int64) (int64, error) {
	of, _, err := s.top(ctx)
	if err != nil || of != epoch {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	n, err := s.client.ZCount(ctx, bufferKey, "("+strconv.FormatInt(after, 10), strconv.FormatInt(upTo, 10)).Result()
	if err != nil {
		return 0, fmt.Errorf("count the frames of (%d, %d]: %w", after, upTo, err)
	}
	return n, nil
}

func (s *Store) publishAll(ctx context.Context, to string, frames []live.Frame) error {
	for len(frames) > 0 {
		epoch := frames[0].Epoch
		n := slices.IndexFunc(frames, func(f live.Frame) bool { return f.Epoch != epoch })
		if n < 0 {
			n = len(frames)
		}
		n = min(n, framesAtOnce)
		if err := s.publishSome(ctx, to, frames[:n]); err != nil {
			return fmt.Errorf("publish %d frames: %w", len(frames), err)
		}
		frames = frames[n:]
	}
	return nil
}

// publishSome publishes frames of one epoch.
func (s *Store) publishSome(ctx context.Context, to string, frames []live.Frame) error {
	args := make([]any, 0, 3+2*len(frames))
	args = append(args, to, frames[0].Epoch, BufferSize)
	for _, f := range frames {
		encoded, err := encodeFrame(f)
		if err != nil {
			return err
		}
		args = append(args, f.Position, encoded)
	}
	reply, err := s.run(ctx, publish, []string{bufferKey}, args...)
	if err != nil {
		return err
	}
	if reply == int64(0) {
		s.stats.outdated.Add(int64(len(frames)))
		return nil
	}
	s.stats.published.Add(int64(len(frames)))
	return nil
}

// Range implements live.Fanout. Where a position is missing it returns the frames before
// the hole and says that the interval is not complete.
func (s *Store) Range(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, bool, error) {
	if after >= upTo {
		return nil, true, nil
	}
	if limit <= 0 {
		return nil, false, fmt.Errorf("read frames of (%d, %d]: want a positive limit, not %d", after, upTo, limit)
	}
	frames, err := s.buffered(ctx, after, strconv.FormatInt(upTo, 10), min(limit, BufferSize))
	if err != nil {
		return nil, false, fmt.Errorf("read frames of (%d, %d]: %w", after, upTo, err)
	}
	for i, f := range frames {
		if f.Epoch != epoch || f.Position != after+int64(i)+1 {
			return frames[:i], false, nil
		}
	}
	return frames, len(frames) > 0, nil
}

// buffered reads frames behind a position, ascending. What can't be decoded is left out,
// which is a hole.
func (s *Store) buffered(ctx context.Context, after int64, upTo string, limit int) ([]live.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	members, err := s.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: bufferKey, ByScore: true, Start: "(" + strconv.FormatInt(after, 10), Stop: upTo, Count: int64(limit),
	}).Result()
	if err != nil {
		return nil, err
	}
	frames := make([]live.Frame, 0, len(members))
	for _, m := range members {
		f, err := decodeFrame([]byte(m))
		if err != nil {
			s.stats.unreadable.Add(1)
			continue
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// top is the place of the newest frame in the buffer; zero when it is empty.
func (s *Store) top(ctx context.Context) (epoch, position int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	members, err := s.client.ZRange(ctx, bufferKey, -1, -1).Result()
	if err != nil || len(members) == 0 {
		return 0, 0, err
	}
	f, err := decodeFrame([]byte(members[0]))
	if err != nil {
		s.stats.unreadable.Add(1)
		return 0, 0, nil // whoever put it there, nothing of the stream follows from it
	}
	return f.Epoch, f.Position, nil
}
