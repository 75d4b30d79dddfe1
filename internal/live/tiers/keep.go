package tiers

import (
	"context"
	"time"

	"dozor/internal/live/redislive"
)

const (
	// keepEvery is how often Redis is compared with PostgreSQL.
	keepEvery = 500 * time.Millisecond
	// keepTime bounds one comparison.
	keepTime = 3 * time.Second
)

// Keep notices within half a second that Redis has lost what it held, until ctx ends.
// Where values are read it compares Redis with PostgreSQL as often and puts right what is
// missing or old there; that several processes do is harmless.
func (s *Store) Keep(ctx context.Context) error {
	if s.redis == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	k := keeper{Store: s}
	failing := false
	for {
		if s.uses() {
			err := k.round(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if (err != nil) != failing {
				failing = err != nil
				if failing {
					s.log.Warn("Redis and PostgreSQL can't be compared", "err", err)
				} else {
					s.log.Info("Redis and PostgreSQL are compared again")
				}
			}
		} else {
			s.doubt()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keeper is what Keep remembers from one round to the next.
type keeper struct {
	*Store
	life string // of the data in Redis, as it was named last

	// Of the buffer in Redis.
	epoch   int64
	suspect bool  // something was missing in the last round too
	missing int64 // what could not be filled: the outbox does not have it
}

func (k *keeper) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	now, err := k.redis.Life(ctx)
	k.told(ctx, err)
	if err != nil {
		k.doubt()
		return err
	}
	if now != k.life {
		if k.life != "" {
			k.log.Warn("Redis was emptied, restarted or replaced: it is filled again")
		}
		k.life = now
		k.doubt()
		select {
		case k.shaken <- struct{}{}:
		default:
		}
	}
	if !k.reads {
		return nil
	}
	if err := k.compare(ctx); err != nil {
		return err
	}
	return k.checkBuffer(ctx)
}

// checkBuffer finds out what the buffer has lost and puts it back. A frame that was just
// committed is on its way there: only what is missing twice is missing.
func (k *keeper) checkBuffer(ctx context.Context) error {
	epoch, last, err := k.postgres.Head(ctx)
	if err != nil || last == 0 {
		return err
	}
	if k.epoch != epoch {
		k.epoch, k.suspect, k.missing = epoch, false, 0
	}
	first := max(0, last-redislive.BufferSize)
	missing, err := k.missingOf(ctx, first, last)
	switch {
	case err != nil:
		return err
	case missing <= k.missing:
		k.suspect, k.missing = false, missing
		return nil
	case !k.suspect:
		k.suspect = true
		return nil
	}
	began := time.Now()
	if err := k.fill(ctx, first, last); err != nil {
		return err
	}
	left, err := k.missingOf(ctx, first, last)
	if err != nil {
		return err
	}
	k.suspect, k.missing = false, left
	k.log.Info("the stream's buffer in Redis was filled from PostgreSQL", "missing", missing, "still_missing", left, "took", time.Since(began))
	return nil
}

// missingOf counts the positions of (after, upTo] that the buffer does not hold.
func (k *keeper) missingOf(ctx context.Context, after, upTo int64) (int64, error) {
	held, err := k.redis.Buffered(ctx, k.epoch, after, upTo)
	k.told(ctx, err)
	return upTo - after - held, err
}

// fill puts the frames of (after, upTo] into the buffer.
func (k *keeper) fill(ctx context.Context, after, upTo int64) error {
	for after < upTo {
		frames, _, err := k.postgres.Range(ctx, k.epoch, after, upTo, readAtOnce)
		if err != nil {
			return err
		}
		if len(frames) == 0 {
			after += readAtOnce // a hole in the outbox itself
			continue
		}
		err = k.redis.Fill(ctx, frames)
		k.told(ctx, err)
		if err != nil {
			return err
		}
		after = frames[len(frames)-1].Position
	}
	return nil
}
