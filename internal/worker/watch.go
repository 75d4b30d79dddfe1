package worker

import (
	"context"
	"time"

	"dozor/internal/panellog"
	"dozor/satel"
)

// explainWithin is how long a record and the state bit that it belongs to may lie apart.
const explainWithin = 120 * time.Second

// seenRecords bounds what is remembered of records read lately.
const seenRecords = 64

// watchedReader reads the event memory and remembers which alarms the records read
// lately explain. Each record explains one rise of a bit.
type watchedReader struct {
	panellog.Reader
	model func() satel.Model
	noted func(satel.LogEntry) // is told of each record that was read
	seen  []seenRecord         // newest last
}

type seenRecord struct {
	index     satel.Index
	record    satel.Record
	at        time.Time
	zone      int
	partition int
	used      bool
}

func (r *watchedReader) Newest(ctx context.Context) (satel.LogEntry, time.Time, error) {
	e, at, err := r.Reader.Newest(ctx)
	if err == nil {
		r.note(e, at)
	}
	return e, at, err
}

func (r *watchedReader) Older(ctx context.Context, arg satel.Index) (satel.LogEntry, time.Time, error) {
	e, at, err := r.Reader.Older(ctx, arg)
	if err == nil {
		r.note(e, at)
	}
	return e, at, err
}

func (r *watchedReader) note(e satel.LogEntry, at time.Time) {
	if !e.Record.Present() {
		return
	}
	r.noted(e)
	if e.Record.Restore() {
		return
	}
	info, known := satel.LookupEvent(e.Record.Code(), false)
	if known && info.Priority > satel.PriorityTechnical {
		return
	}
	for i := range r.seen {
		if r.seen[i].index == e.Index && r.seen[i].record == e.Record.Masked() {
			return
		}
	}
	decoded := e.Record.Decode(r.model())
	s := seenRecord{index: e.Index, record: e.Record.Masked(), at: at, partition: decoded.Partition}
	if decoded.Source.Kind == satel.SourceZone {
		s.zone = decoded.Source.Index
	}
	if len(r.seen) == seenRecords {
		r.seen = append(r.seen[:0], r.seen[1:]...)
	}
	r.seen = append(r.seen, s)
}

// explains takes the record that explains an alarm of a zone, or, with zone 0, of a
// partition as a whole.
func (r *watchedReader) explains(zone, partition int, now time.Time) bool {
	for i := range r.seen {
		s := &r.seen[i]
		if s.used || now.Sub(s.at) > explainWithin {
			continue
		}
		if zone != 0 && s.zone == zone || zone == 0 && s.partition == partition {
			s.used = true
			return true
		}
	}
	return false
}
