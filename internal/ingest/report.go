package ingest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// Reported is what became of a person's report.
type Reported struct {
	Alarm  wire.Alarm // as it is now
	Joined bool       // it was there before
	Before alarm.State
}

// Report stores what a person was told, in the transaction of whoever wrote it down: the
// event goes through the same bundling as any other, with its notification. The caller
// has locked the site and knows that it is guarded.
func Report(ctx context.Context, tx pgx.Tx, e event.Event, trace string) (Reported, error) {
	e.Trace = clean(trace, maxTrace)
	it := &item{delivery: &bus.Delivery{Message: bus.Message{Lane: bus.Live}}, event: &e}
	w := &work{items: []*item{it}, fresh: []*item{it}, boards: map[ids.SiteID]*alarm.Board{}, panels: map[ids.PanelID]string{}}
	rows, err := w.bundle(ctx, tx)
	if err != nil {
		return Reported{}, fmt.Errorf("store a report of site %d: %w", e.SiteID, err)
	}
	if err := outbox.Append(ctx, tx, rows...); err != nil {
		return Reported{}, err
	}
	for _, t := range w.touched() {
		if len(t.Events) > 0 {
			return Reported{Alarm: t.Alarm.View(w.sites[e.SiteID]), Joined: !t.IsNew, Before: t.Before}, nil
		}
	}
	return Reported{}, fmt.Errorf("a report of site %d went into no alarm", e.SiteID)
}
