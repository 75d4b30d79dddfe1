package bench

import (
	"context"
	"sync"
	"time"

	"dozor/internal/bus"
	"dozor/internal/wire"
	"dozor/satel"
)

// wiretap is a bus that notes when records come to its consumers.
type wiretap struct {
	bus.Bus

	mu   sync.Mutex
	seen map[bus.Key]bool
	came []arrival
}

// Consume implements bus.Bus.
func (w *wiretap) Consume(ctx context.Context, lane bus.Lane) (bus.Consumer, error) {
	c, err := w.Bus.Consume(ctx, lane)
	if err != nil {
		return nil, err
	}
	return &tapped{Consumer: c, tap: w}, nil
}

type tapped struct {
	bus.Consumer
	tap *wiretap
}

// Receive implements bus.Consumer.
func (t *tapped) Receive(ctx context.Context, max int) (bus.Batch, error) {
	batch, err := t.Consumer.Receive(ctx, max)
	if err == nil {
		t.tap.note(batch.Deliveries(), time.Now())
	}
	return batch, err
}

// note keeps the first sight of each record. What can't be read is for ingest to say.
func (w *wiretap) note(deliveries []bus.Delivery, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[bus.Key]bool{}
	}
	for _, d := range deliveries {
		if w.seen[d.Key] {
			continue
		}
		w.seen[d.Key] = true
		report, err := wire.DecodeReport(d.Body)
		if err != nil || report.Record == nil {
			continue
		}
		model, _ := satel.ModelByCode(byte(report.Model))
		event := satel.Record(report.Record.Raw).Decode(model)
		a := arrival{signature{panel: report.PanelID, code: event.Code, restore: event.Restore}, at}
		if event.Source.Kind == satel.SourceZone {
			a.zone = event.Source.Index
		}
		w.came = append(w.came, a)
	}
}

// take returns what has come since it was last called.
func (w *wiretap) take() []arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	came := w.came
	w.came = nil
	return came
}
