package bench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/satel"
	"dozor/satel/sim"
)

// kindOfRecord is something that panels record, and how often in a hundred draws.
type kindOfRecord struct {
	share   int
	code    int
	restore bool
	byZone  bool // by a zone; else by a user or nobody
	end     bool // its end follows, with the same source
}

// mix is an ordinary day of a whole station: people come and go, a few alarms. The ends
// of what has one come in addition.
var mix = []kindOfRecord{
	{share: 42, code: 0x1A6},                         // access granted
	{share: 15, code: 0x191, restore: true},          // armed
	{share: 15, code: 0x191},                         // disarmed
	{share: 10, code: 0x015},                         // test of reporting
	{share: 8, code: 0x005},                          // detectors reset
	{share: 6, code: 0x23A, byZone: true},            // zone bypassed
	{share: 1, code: 0x12D, end: true},               // mains lost
	{share: 1, code: 0x082, byZone: true, end: true}, // burglary
	{share: 1, code: 0x090, byZone: true, end: true}, // tamper
	{share: 1, code: 0x07B, byZone: true, end: true}, // panic
}

const (
	zonesOfPanel      = 16
	partitionsOfPanel = 2
	usersOfPanel      = 20
	// perSegment is how many records a look at a panel's memory finds.
	perSegment = 8
	// lookBefore is how long before its reading a record was not yet there.
	lookBefore = 250 * time.Millisecond
)

// workload makes reports as workers would publish them, the same ones for the same seed
// but for their time.
type workload struct {
	random  *rand.Rand
	draw    []kindOfRecord // one for each of a hundred
	model   satel.Model
	panels  []panelMemory
	made    uint64
	traceID uint64
}

// panelMemory is how far one panel's log has come.
type panelMemory struct {
	id      ids.PanelID
	count   int
	pending []satel.RecordFields // ends that will come
}

func newWorkload(seed uint64, panels []ids.PanelID) (*workload, error) {
	w := &workload{random: rand.New(rand.NewPCG(seed, seed)), traceID: seed}
	for _, k := range mix {
		for range k.share {
			w.draw = append(w.draw, k)
		}
	}
	model, ok := satel.ModelByName(sim.DefaultModel)
	if !ok {
		return nil, fmt.Errorf("no model %s", sim.DefaultModel)
	}
	w.model = model
	for _, id := range panels {
		w.panels = append(w.panels, panelMemory{id: id})
	}
	return w, nil
}

// reports makes the next n reports, as of now.
func (w *workload) reports(n int, now time.Time) ([]wire.Report, error) {
	out := make([]wire.Report, 0, n)
	for range n {
		p := &w.panels[w.random.IntN(len(w.panels))]
		fields := w.next(p)
		fields.At = now.In(event.PanelZone())
		record, err := satel.NewRecord(fields)
		if err != nil {
			return nil, fmt.Errorf("make a record: %w", err)
		}
		index := p.count + 1
		out = append(out, wire.Report{
			Version: wire.ReportVersion, PanelID: p.id, Model: int(w.model.Code), ReceivedAt: now.UTC(), NotBefore: now.Add(-lookBefore).UTC(),
			Record: &wire.Record{
				Raw: record[:], Index: []byte{byte(index >> 16), byte(index >> 8), byte(index)}, Epoch: 1,
				Number: segmentOf(p.count), Offset: p.count%perSegment - (perSegment - 1),
			},
		})
		p.count++
	}
	return out, nil
}

// segmentOf is the segment of a panel's log in which its record of that number lies.
func segmentOf(record int) int64 { return int64(record/perSegment) + 1 }

func (w *workload) next(p *panelMemory) satel.RecordFields {
	if len(p.pending) > 0 && w.random.IntN(2) == 0 {
		end := p.pending[0]
		p.pending = p.pending[1:]
		return end
	}
	k := w.draw[w.random.IntN(len(w.draw))]
	info, _ := satel.LookupEvent(k.code, k.restore)
	fields := satel.RecordFields{
		Class: info.Class, Code: k.code, Restore: k.restore, Partition: 1 + w.random.IntN(partitionsOfPanel),
	}
	switch {
	case k.byZone:
		fields.Source = 1 + w.random.IntN(zonesOfPanel)
	case !k.end:
		fields.Source = 1 + w.random.IntN(usersOfPanel)
	}
	if k.end {
		end := fields
		end.Restore = true
		p.pending = append(p.pending, end)
	}
	return fields
}

// message makes of a report what goes on the bus.
func (w *workload) message(r wire.Report, rules *event.Rules) (bus.Message, error) {
	body, err := r.Encode()
	if err != nil {
		return bus.Message{}, err
	}
	record := satel.Record(r.Record.Raw)
	about := "event"
	if rule, ok := rules.Lookup(record.Code(), record.Restore()); ok && rule.Raises {
		about = "alarm"
	}
	w.made++
	return bus.Message{
		Key: event.ReportKey(r), Lane: bus.Live, Topic: fmt.Sprintf("satel.%s.%d", about, r.PanelID), Body: body,
		Trace: traceOf(w.traceID, w.made),
	}, nil
}

// traceOf is a W3C traceparent.
func traceOf(run, n uint64) string { return fmt.Sprintf("00-%016x%016x-%016x-01", run, n, n) }

func (w *workload) messages(reports []wire.Report, rules *event.Rules) ([]bus.Message, error) {
	out := make([]bus.Message, 0, len(reports))
	for _, r := range reports {
		m, err := w.message(r, rules)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
