package bench

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/internal/bus"
	"dozor/internal/bus/pgbus"
	"dozor/internal/pg"
)

const (
	// publishers put batches on the bus at the same time, as several workers would.
	publishers   = 2
	publishBatch = 500
	// stall is how long nothing may arrive before what is missing counts as lost.
	stall = 60 * time.Second
)

// openBus makes the publishing end, with the hints that wake consumers.
func (s *station) openBus(ctx context.Context, group *errgroup.Group) (bus.Publisher, func(), error) {
	own, done, err := s.openPostgresBus(ctx, group, publishers+1)
	if err != nil {
		return nil, nil, err
	}
	out, closeBroker, err := s.publisher(own)
	if err != nil {
		done()
		return nil, nil, err
	}
	return out, func() {
		if err := closeBroker(); err != nil {
			s.log.Debug("the bench's way to the broker", "err", err)
		}
		done()
	}, nil
}

// openPostgresBus makes PostgreSQL's bus, both ends, with the hints that wake consumers.
func (s *station) openPostgresBus(ctx context.Context, group *errgroup.Group, conns int32) (*pgbus.Bus, func(), error) {
	pool, err := pg.Open(ctx, s.server.AppURL(stationDB), pg.Options{MaxConns: conns, Name: instance + "/bus"})
	if err != nil {
		return nil, nil, err
	}
	direct, err := pg.OpenDirect(ctx, s.server.AppURL(stationDB), pg.Options{MaxConns: 4, Name: instance + "/hints"})
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	hints := pg.NewHints(pool, direct, s.log)
	stopped := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	group.Go(func() error {
		defer close(stopped)
		if err := hints.Run(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("send hints: %w", err)
		}
		return nil
	})
	return pgbus.New(pool, direct, hints, s.log), func() {
		stop()
		<-stopped
		pool.Close()
		direct.Close()
	}, nil
}

// send publishes messages and waits until the screen has an event for each, or none
// comes any more. It returns when the last was taken by the bus.
func (r *ingestRun) send(ctx context.Context, out bus.Publisher, seen *screen, msgs []bus.Message) (published time.Time, err error) {
	batches := slices.Collect(slices.Chunk(msgs, publishBatch))
	var next atomic.Int64
	group, publishing := errgroup.WithContext(ctx)
	for range publishers {
		group.Go(func() error {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(batches)) {
					return nil
				}
				if err := publish(publishing, out, batches[n]); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return time.Time{}, err
	}
	published = time.Now()
	last, since := -1, time.Now()
	for {
		_, all := seen.count()
		if all >= len(msgs) {
			return published, nil
		}
		if all != last {
			last, since = all, time.Now()
		}
		if time.Since(since) > stall {
			return published, nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return published, err
		}
	}
}

// publish hands over a batch until all of it is confirmed.
func publish(ctx context.Context, out bus.Publisher, batch []bus.Message) error {
	for len(batch) > 0 {
		var again []bus.Message
		for i, outcome := range out.Publish(ctx, batch) {
			switch outcome {
			case bus.Confirmed:
			case bus.Refused:
				return fmt.Errorf("the bus refused message %x on topic %s", batch[i].Key, batch[i].Topic)
			default:
				again = append(again, batch[i])
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		batch = again
	}
	return nil
}
