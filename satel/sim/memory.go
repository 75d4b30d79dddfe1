package sim

import (
	"time"

	"dozor/satel"
)

// Event is one record that a panel's event memory has, or had, and the truth about it that the panel does not tell.
type Event struct {
	// Sequence counts the records that the memory was ever given, from 1. It survives erasing and wrapping.
	Sequence uint64
	// Index names the record's place in the memory. After a wrap it names another record.
	Index satel.Index
	// Record as it was first written. Later only its reporting bits change.
	Record satel.Record
	// PanelClock is what the panel's own clock showed when it happened, in the panel's time zone.
	PanelClock time.Time
	// HappenedAt and RecordedAt are the true times of the happening and of the record's writing. While an event waits
	// for its log delay, RecordedAt lies ahead.
	HappenedAt time.Time
	RecordedAt time.Time

	sentAt time.Time
}

// record returns the record as it reads at the given time: once it was reported, both stations are marked as told.
func (e *Event) record(now time.Time) satel.Record {
	r := e.Record
	if !now.Before(e.sentAt) {
		r[0] |= bothSent
	}
	return r
}

// bothSent are the reporting bits of a record that both stations were told of.
const bothSent = 0x05

// memory is a panel's event memory: a ring of places of which one, behind the newest record, is always empty, so that
// whoever walks back from the newest record comes to an end there. What was overwritten or erased stays in the journal.
//
// The ring is a view of the journal: record i since the last erase lies at place i mod places.
type memory struct {
	capacity int
	low      byte         // constant part of every index
	journal  []Event      // everything ever recorded; grows for as long as the panel lives
	start    int          // first entry of the journal since the last erase
	file     *journalFile // what outlives the process, nil for nothing
}

const (
	recordSize = 8
	bankSize   = 1 << 16 // bytes that the upper two bytes of an index can address
)

// index names a place: its address in the upper two bytes, with the bank added to the panel's own low byte.
func (m *memory) index(place int) satel.Index {
	address := place * recordSize
	offset := address % bankSize
	return satel.Index{byte(offset >> 8), byte(offset), m.low + byte(address/bankSize)}
}

// next is the index that the n-th record from now will get, counted from 0.
func (m *memory) next(n int) satel.Index {
	return m.index((len(m.journal) + n - m.start) % (m.capacity + 1))
}

// append writes a record behind the newest one.
func (m *memory) append(e Event) Event {
	if m.file != nil {
		m.file.record(&e)
	}
	m.place(&e)
	return e
}

// place gives a record its place and its number.
func (m *memory) place(e *Event) {
	e.Sequence = uint64(len(m.journal)) + 1
	e.Index = m.next(0)
	m.journal = append(m.journal, *e)
}

func (m *memory) erase() {
	if m.file != nil {
		m.file.erased()
	}
	m.start = len(m.journal)
}

// oldest is the journal's entry behind which the memory holds nothing.
func (m *memory) oldest() int { return max(m.start, len(m.journal)-m.capacity) }

// newest returns the record written last, or nil when the memory is empty.
func (m *memory) newest() *Event {
	if len(m.journal) == m.start {
		return nil
	}
	return &m.journal[len(m.journal)-1]
}

// previous is the index of the record before the newest one, that of the empty place when there is none.
func (m *memory) previous() satel.Index {
	places := m.capacity + 1
	return m.index((len(m.journal) - m.start + places - 2) % places)
}

// before returns the record next older than the one that lies at the given index now, or nil when there is none or the
// index names no record.
func (m *memory) before(index satel.Index) *Event {
	bank := int(index[2]) - int(m.low)
	address := bank*bankSize + int(index[0])<<8 + int(index[1])
	places := m.capacity + 1
	if bank < 0 || address%recordSize != 0 || address/recordSize >= places {
		return nil
	}
	head := (len(m.journal) - m.start) % places
	age := (head - address/recordSize + places) % places // 1 for the newest record, 0 for the empty place
	at := len(m.journal) - age
	if age == 0 || at <= m.oldest() {
		return nil
	}
	return &m.journal[at-1]
}
