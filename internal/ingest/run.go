package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/internal/bus"
	"dozor/internal/failpoint"
	"dozor/internal/pg"
)

// workers of a bus's lane: two on the live one, so that a batch is decided while
// another is committed.
var workers = map[bus.Lane]int{bus.Live: 2, bus.Backfill: 1}

const (
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
	// drainTime bounds what is still done with a batch in hand when Run must end.
	drainTime = 10 * time.Second

	purgeEvery = time.Minute
)

// Run consumes both lanes of all buses until ctx ends, then finishes what it has in hand
// and gives back the rest. It returns nil then; no error ends it.
func (in *Ingest) Run(ctx context.Context) error {
	var group errgroup.Group
	for _, b := range in.buses {
		for _, lane := range bus.Lanes {
			for range workers[lane] {
				group.Go(func() error { in.consume(ctx, b, lane); return nil })
			}
		}
	}
	group.Go(func() error { in.purge(ctx); return nil })
	return group.Wait()
}

// consume keeps one consumer of a lane.
func (in *Ingest) consume(ctx context.Context, b bus.Bus, lane bus.Lane) {
	trouble := &trouble{log: in.log.With("lane", string(lane))}
	for ctx.Err() == nil {
		consumer, err := b.Consume(ctx, lane)
		if err == nil {
			err = in.drain(ctx, consumer, trouble)
			err = errors.Join(err, consumer.Close())
		}
		if ctx.Err() != nil {
			return
		}
		trouble.met("events can't be taken off the bus", slog.LevelWarn, err)
		trouble.wait(ctx)
	}
}

// drain works off batches until the consumer fails or ctx ends.
func (in *Ingest) drain(ctx context.Context, consumer bus.Consumer, trouble *trouble) error {
	for {
		batch, err := consumer.Receive(ctx, MaxBatch)
		if err != nil {
			return err
		}
		if err := in.work(ctx, batch, trouble); err != nil {
			return err
		}
	}
}

// work settles one batch in the database and then on the bus. It goes on past the end of
// ctx for a bounded time: a batch in hand is better finished than done again.
func (in *Ingest) work(ctx context.Context, batch bus.Batch, trouble *trouble) error {
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	verdicts, err := in.Process(finish, batch.Deliveries())
	switch {
	case err == nil:
		trouble.over()
	case pg.IsTemporary(err):
		trouble.met("events can't be stored", slog.LevelWarn, err)
	default:
		trouble.met("events can't be stored for a reason that waiting does not mend", slog.LevelError, err)
	}
	in.hit(failpoint.IngestBeforeAck)
	var acked, later []uint64
	var failed []error
	for _, v := range verdicts {
		switch v.Outcome {
		case Ack:
			acked = append(acked, v.Tag)
		case Dead:
			failed = append(failed, batch.Dead(finish, v.Reason, v.Tag))
		default:
			later = append(later, v.Tag)
		}
	}
	if len(acked) > 0 {
		failed = append(failed, batch.Ack(finish, acked...))
	}
	if len(later) > 0 {
		failed = append(failed, batch.Later(finish, trouble.pause, later...))
		trouble.wait(ctx)
	}
	// What went back to the bus meanwhile comes again, and is known by its key.
	failed = slices.DeleteFunc(failed, func(err error) bool { return errors.Is(err, bus.ErrReturned) })
	return errors.Join(failed...)
}

// trouble is a run of failures of one worker: it grows the pause between tries and logs
// the beginning and the end.
type trouble struct {
	log   *slog.Logger
	since time.Time
	tries int
	pause time.Duration
}

func (t *trouble) met(what string, level slog.Level, err error) {
	t.tries++
	t.pause = min(max(2*t.pause, firstPause), longPause)
	if t.tries > 1 {
		return
	}
	t.since = time.Now()
	t.log.Log(context.Background(), level, "ingest is held up: trying on", "what", what, "err", err)
}

func (t *trouble) over() {
	if t.tries > 0 {
		t.log.Info("ingest works again", "attempt", t.tries, "duration", time.Since(t.since))
	}
	t.tries, t.pause = 0, 0
}

func (t *trouble) wait(ctx context.Context) {
	timer := time.NewTimer(t.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Halves of a pair that were never met are of no use any more after this.
const purgeMatches = `DELETE FROM provisional_matches WHERE effective_at < dozor_now() - interval '10 minutes'`

// purge removes what inferences and records left behind.
func (in *Ingest) purge(ctx context.Context) {
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := in.pool.Exec(ctx, purgeMatches); err != nil && ctx.Err() == nil {
			in.log.Warn("old matches of inferences not removed", "err", err)
		}
	}
}
