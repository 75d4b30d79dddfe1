package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/failpoint"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// work is one attempt at one transaction.
type work struct {
	items  []*item // in the order in which they happened
	panels map[ids.PanelID]string
	// letters are the messages that were set aside before and wait for somebody.
	letters map[bus.Key]bool
	fresh   []*item // whose event is new and has a site
	now     time.Time
	sites   map[ids.SiteID]wire.SiteRef // the locked ones
	boards  map[ids.SiteID]*alarm.Board
	names   map[object]string
	words   map[wording]string
}

// object is a part of a panel, as it is named.
type object struct {
	panel  ids.PanelID
	kind   string
	number int
}

// Kinds of objects that events speak of.
const (
	zoneObject      = "zone"
	partitionObject = "partition"
	userObject      = "user"
)

// store does one transaction and reports whether it wrote notifications.
func (in *Ingest) store(ctx context.Context, items []*item) (notified bool, err error) {
	var w *work
	err = in.pool.InTx(ctx, func(tx pgx.Tx) error {
		w = &work{items: in.arrange(items), boards: map[ids.SiteID]*alarm.Board{}, panels: map[ids.PanelID]string{}, letters: map[bus.Key]bool{}}
		if err := w.look(ctx, tx); err != nil {
			return err
		}
		if err := w.claimKeys(ctx, tx); err != nil {
			return err
		}
		rows, err := w.bundle(ctx, tx)
		if err != nil {
			return err
		}
		if err := w.writeLetters(ctx, tx); err != nil {
			return err
		}
		notified = len(rows) > 0
		if err := outbox.Append(ctx, tx, rows...); err != nil {
			return err
		}
		in.hit(failpoint.IngestBeforeCommit)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("store a batch of %d: %w", len(items), err)
	}
	for _, it := range w.items {
		if it.dead != "" && it.event.SiteID == 0 {
			in.log.Error("message of no known site set aside as a dead letter", "lane", string(it.lane()), "panel_id", int64(it.event.PanelID), "err", it.dead)
		}
	}
	return notified, nil
}

// bundle places the new events and writes them with their alarms; it returns what people
// must be told.
func (w *work) bundle(ctx context.Context, tx pgx.Tx) ([]outbox.Row, error) {
	if len(w.fresh) == 0 {
		return nil, nil
	}
	if err := w.lockAndLoad(ctx, tx); err != nil {
		return nil, err
	}
	for _, it := range w.fresh {
		if err := w.place(it); err != nil {
			return nil, err
		}
	}
	if err := w.numberAlarms(ctx, tx); err != nil {
		return nil, err
	}
	if err := w.write(ctx, tx); err != nil {
		return nil, err
	}
	return w.notifications(), nil
}

// place puts an event on its site's board, where it has business there.
func (w *work) place(it *item) error {
	if !hasBusiness(it.event) {
		return nil
	}
	board := w.boards[it.event.SiteID]
	switch {
	case board == nil:
		return fmt.Errorf("site %d went away while its events were stored", it.event.SiteID)
	case !it.apart:
		board.Place(it.event)
	case it.event.Raises:
		board.Apart(it.event)
	}
	return nil
}

// hasBusiness reports whether an event may concern an alarm. Others are recorded without
// locking their site.
func hasBusiness(e *event.Event) bool { return e.Raises || e.Ends }

// touched returns the changed alarms of all sites by id, which is the order in which
// they are locked.
func (w *work) touched() []*alarm.Touched {
	var all []*alarm.Touched
	for _, b := range w.boards {
		all = append(all, b.Touched()...)
	}
	slices.SortFunc(all, func(a, b *alarm.Touched) int { return cmp.Compare(a.Alarm.ID, b.Alarm.ID) })
	return all
}

// numberAlarms gives new alarms their numbers, in the order in which they were opened.
func (w *work) numberAlarms(ctx context.Context, tx pgx.Tx) error {
	var opened []*alarm.Touched
	for _, b := range w.boards {
		for _, t := range b.Touched() {
			if t.IsNew {
				opened = append(opened, t)
			}
		}
	}
	if len(opened) == 0 {
		return nil
	}
	slices.SortStableFunc(opened, func(a, b *alarm.Touched) int {
		return cmp.Compare(a.Events[0].ID.String(), b.Events[0].ID.String())
	})
	numbers, err := nextAlarmIDs(ctx, tx, len(opened))
	if err != nil {
		return err
	}
	for i, t := range opened {
		t.Alarm.ID = numbers[i]
		t.Alarm.ZoneName = w.names[object{t.Alarm.PanelID, zoneObject, t.Alarm.Zone}]
		t.Alarm.Words = w.words[wording{t.Alarm.PanelID, t.Alarm.Code, t.Alarm.Restore}]
		t.Alarm.PartitionName = w.names[object{t.Alarm.PanelID, partitionObject, t.Alarm.Partition}]
	}
	for _, t := range opened {
		if t.Alarm.Previous != nil {
			t.Alarm.PreviousID = t.Alarm.Previous.ID
		}
	}
	return nil
}
