package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"dozor/internal/bus"
	"dozor/internal/failpoint"
	"dozor/internal/obs"
	"dozor/internal/pg"
)

// Process settles deliveries, at most MaxBatch of them, and returns a verdict for each, in
// their order. Verdicts stand whatever the error: those of Ack and Dead are committed.
// An error says why others are Later, and that trying again at once is of no use.
func (in *Ingest) Process(ctx context.Context, deliveries []bus.Delivery) ([]Verdict, error) {
	verdicts := make([]Verdict, len(deliveries))
	if len(deliveries) == 0 {
		return verdicts, nil
	}
	if len(deliveries) > MaxBatch {
		return verdicts, fmt.Errorf("process %d deliveries: at most %d go into one transaction", len(deliveries), MaxBatch)
	}
	lane := string(deliveries[0].Lane)
	begun := time.Now()
	in.metrics.batch.WithLabelValues(lane).Observe(float64(len(deliveries)))
	err := in.settle(ctx, in.read(deliveries, verdicts))
	in.metrics.duration.WithLabelValues(lane).Observe(time.Since(begun).Seconds())
	if err != nil {
		in.metrics.failed.WithLabelValues(lane).Inc()
	}
	return verdicts, err
}

// settle stores items in one transaction. When one of them breaks it, the halves are done
// apart until it is alone; the others don't suffer.
func (in *Ingest) settle(ctx context.Context, items []*item) error {
	err := in.try(ctx, items)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || pg.IsTemporary(err) || isOurs(err):
		return err
	case len(items) == 1:
		return in.alone(ctx, items[0], err)
	}
	half := len(items) / 2
	if err := in.settle(ctx, items[:half]); err != nil {
		return err
	}
	return in.settle(ctx, items[half:])
}

// alone deals with the message that breaks its batch: once more without bundling, then as
// a dead letter with its alarm, and if even that can't be stored, as a dead letter alone.
func (in *Ingest) alone(ctx context.Context, it *item, cause error) error {
	log := in.log.With("lane", string(it.lane()), "panel_id", int64(it.report.PanelID), "trace_id", obs.TraceID(it.delivery.Trace))
	if it.dead == "" {
		it.apart = true
		err := in.try(ctx, []*item{it})
		if err == nil {
			log.Warn("event could not be bundled: it became an alarm of its own", "err", cause)
			return nil
		}
		if ctx.Err() != nil || pg.IsTemporary(err) || isOurs(err) {
			return err
		}
		it.kill(cause.Error())
		if err = in.try(ctx, []*item{it}); err == nil {
			log.Warn("message set aside as a dead letter, with an alarm", "err", cause)
			return nil
		}
		if ctx.Err() != nil || pg.IsTemporary(err) || isOurs(err) {
			return err
		}
		cause = errors.Join(cause, err)
	}
	it.mute = true
	if err := in.try(ctx, []*item{it}); err != nil {
		return errors.Join(cause, err)
	}
	log.Error("message set aside as a dead letter; its alarm could not be stored", "err", cause)
	return nil
}

// isOurs reports whether an error says that program and schema don't fit together: no
// message is to blame, and none may be set aside for it.
func isOurs(err error) bool {
	code := pg.Code(err)
	return code != "" && slices.Contains([]string{"0A", "28", "3D", "3F", "42", "XX"}, code[:2])
}

// try is one transaction over the items, with their verdicts when it is committed. A
// panic on the way is an error like any other.
func (in *Ingest) try(ctx context.Context, items []*item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while events were stored: %v\n%s", p, debug.Stack())
		}
	}()
	stored, err := in.store(ctx, items)
	if err != nil {
		return err
	}
	in.hit(failpoint.IngestAfterCommit)
	for _, it := range items {
		in.metrics.messages.WithLabelValues(string(it.lane()), it.result).Inc()
		it.verdict.Outcome = Ack
		if it.dead != "" {
			*it.verdict = Verdict{Tag: it.verdict.Tag, Outcome: Dead, Reason: it.dead}
		}
	}
	if stored {
		in.onStored()
	}
	return nil
}
