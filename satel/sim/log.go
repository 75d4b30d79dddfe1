package sim

import (
	"fmt"
	"time"

	"dozor/satel"
)

// Codes of the events that the panel raises by itself. Those of zones come from their reactions, those of troubles from
// the table of troubles.
const (
	codeClockSet       = 68
	codeMemoryCleared  = 69 // trouble memory
	codeThreeWrong     = 83
	codePanicKeypad    = 120
	codeDuress         = 121
	codeBurglary       = 130
	codeZoneTamper     = 144
	codeRestart        = 305
	codeArming         = 401 // R set: armed, clear: disarmed
	codeAlarmCleared   = 406
	codeStayArming     = 441
	codeArmingFailed   = 454
	codeZoneBypassed   = 570
	codeFireBypassed   = 571
	code24hBypassed    = 572
	codeBurgBypassed   = 573
	codeMemoryErased   = 621
	codeClockBeingSet  = 625
	codeServiceEntered = 627
	codeServiceLeft    = 628
	codeDoorByUser     = 72
	codeDoorByOutput   = 73
	codeDoorLong       = 89
	codePeriodicTest   = 602
	codeForcedArming   = 1001
	codeExitTimeByUser = 1008
)

// networkKeypad is the bus address under which the simulated network module sits.
const networkKeypad = 1

// LogMode says when records reach the event memory.
type LogMode int

// Modes of the event memory.
const (
	LogNormal  LogMode = iota // within the configured delay
	LogLate                   // a fixed time later
	LogMissing                // alarms never do, although the state bits show them; everything else as normal
)

// String returns the mode as one word.
func (m LogMode) String() string {
	switch m {
	case LogLate:
		return "late"
	case LogMissing:
		return "missing"
	default:
		return "normal"
	}
}

// happening is something that the panel puts on record.
type happening struct {
	code      int
	restore   bool
	partition int // 0 when it has none
	source    satel.Source
}

func byZone(n int) satel.Source { return satel.Source{Kind: satel.SourceZone, Index: n} }

func byUser(n int) satel.Source { return satel.Source{Kind: satel.SourceUser, Index: n} }

func byKeypad(address int) satel.Source {
	return satel.Source{Kind: satel.SourceKeypad, Index: address}
}

func byExpander(address int) satel.Source {
	return satel.Source{Kind: satel.SourceExpander, Index: address}
}

// event makes the record of a happening of this moment.
func (p *Panel) event(h happening) (Event, error) {
	info, known := satel.LookupEvent(h.code, h.restore)
	if !known {
		return Event{}, fmt.Errorf("event %d, restore %t, is not known", h.code, h.restore)
	}
	number, control, err := satel.SourceNumber(h.source, p.model)
	if err != nil {
		return Event{}, err
	}
	if h.source.Kind == satel.SourceUser {
		if u := p.userByNumber(h.source.Index); u != nil {
			control = u.Serial
		}
	}
	clock := p.clock()
	record, err := satel.NewRecord(satel.RecordFields{
		At: clock, Class: info.Class, Code: h.code, Restore: h.restore, Partition: h.partition, Source: number,
		UserControl: control,
	})
	return Event{Record: record, PanelClock: clock, HappenedAt: p.now}, err
}

// log puts a happening on its way into the event memory. Records arrive there in the order they happened.
func (p *Panel) log(h happening) {
	e, err := p.event(h)
	if err != nil {
		// Numbers are checked where they come in and codes stand in this package: only a mistake in it leads here.
		panic("sim: " + err.Error())
	}
	p.queue(e)
}

func (p *Panel) queue(e Event) {
	delay := p.randomTo(p.cfg.LogDelay)
	switch class := e.Record.Class(); {
	case p.logMode == LogMissing && (class == satel.ClassZoneAlarm || class == satel.ClassPartitionAlarm):
		return
	case p.logMode == LogLate:
		delay = p.logLate
	}
	e.RecordedAt = p.now.Add(delay)
	if n := len(p.waiting); n > 0 && p.waiting[n-1].RecordedAt.After(e.RecordedAt) {
		e.RecordedAt = p.waiting[n-1].RecordedAt
	}
	e.sentAt = e.RecordedAt.Add(p.cfg.ReportDelay*2/3 + p.randomTo(p.cfg.ReportDelay))
	e.Sequence = uint64(len(p.memory.journal)+len(p.waiting)) + 1
	e.Index = p.memory.next(len(p.waiting))
	p.waiting = append(p.waiting, e)
	if p.collecting {
		p.queued = append(p.queued, e)
	}
	if e.RecordedAt.After(p.now) {
		p.agenda.add(e.RecordedAt, p.writeDue)
		return
	}
	p.writeDue()
}

// writeDue writes the waiting records whose time has come.
func (p *Panel) writeDue() {
	for len(p.waiting) > 0 && !p.waiting[0].RecordedAt.After(p.now) {
		p.memory.append(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// writeAll writes the waiting records at once, so that what comes next keeps its place behind them.
func (p *Panel) writeAll() {
	for i := range p.waiting {
		p.waiting[i].RecordedAt = p.now
	}
	p.writeDue()
}

// collect runs an act and returns what it puts on record, written or still waiting.
func (p *Panel) collect(act func()) []Event {
	p.queued, p.collecting = nil, true
	act()
	p.collecting = false
	return p.queued
}

// randomTo returns a time between 0 and limit, the same ones in the same order for the same seed.
func (p *Panel) randomTo(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return time.Duration(p.random.Int64N(int64(limit) + 1))
}

// ReadLog answers like the panel's event memory to one request: the newest record for satel.NewestIndex, else the record
// next older than the one that the index names. An entry whose record is not Present means that there is none.
func (p *Panel) ReadLog(index satel.Index) satel.LogEntry {
	p.enter()
	defer p.unlock()
	return p.readLog(index)
}

func (p *Panel) readLog(index satel.Index) satel.LogEntry {
	var e *Event
	if index == satel.NewestIndex {
		e = p.memory.newest()
	} else {
		e = p.memory.before(index)
	}
	if e == nil {
		return satel.LogEntry{Called: index}
	}
	return satel.LogEntry{Record: e.record(p.now), Index: e.Index, Called: index}
}

// Record writes a record straight into the event memory, behind everything that waits for its log delay, and changes no
// state. Times of the event are now, whatever the record says.
func (p *Panel) Record(record satel.Record) Event {
	p.enter()
	defer p.leave()
	p.writeAll()
	return p.write(Event{Record: record, PanelClock: p.clock(), HappenedAt: p.now})
}

// write puts a record into the memory without any delay.
func (p *Panel) write(e Event) Event {
	e.RecordedAt = p.now
	e.sentAt = p.now.Add(p.cfg.ReportDelay*2/3 + p.randomTo(p.cfg.ReportDelay))
	return p.memory.append(e)
}

// EraseMemory empties the event memory, as an installer can. The first record of the new one says that it was erased,
// and places are counted from the beginning again, so indexes of the old one name other records now.
func (p *Panel) EraseMemory() Event {
	p.enter()
	defer p.leave()
	p.writeAll()
	p.memory.erase()
	e, err := p.event(happening{code: codeMemoryErased})
	if err != nil {
		panic("sim: " + err.Error())
	}
	return p.write(e)
}

// SetLogMode changes when records reach the memory; late is used by LogLate alone. Records under way keep their time.
func (p *Panel) SetLogMode(mode LogMode, late time.Duration) {
	p.enter()
	defer p.leave()
	p.logMode, p.logLate = mode, max(late, 0)
}

// Events returns the events after the given sequence number that the memory was ever given, oldest first, whether it
// still holds them or not; at most limit of them when limit is above 0. Records still waiting for their log delay are
// not among them.
func (p *Panel) Events(after uint64, limit int) []Event {
	p.enter()
	defer p.unlock()
	from := min(after, uint64(len(p.memory.journal)))
	events := p.memory.journal[from:]
	if limit > 0 && len(events) > limit {
		events = events[:limit]
	}
	return append([]Event(nil), events...)
}

// Newest returns the event written last, or false when the memory is empty.
func (p *Panel) Newest() (Event, bool) {
	p.enter()
	defer p.unlock()
	if e := p.memory.newest(); e != nil {
		return *e, true
	}
	return Event{}, false
}

// Held returns how many records the memory holds.
func (p *Panel) Held() int {
	p.enter()
	defer p.unlock()
	return len(p.memory.journal) - p.memory.oldest()
}
