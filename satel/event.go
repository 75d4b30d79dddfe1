package satel

import "fmt"

// LongKind says how the partition field, the restore bit and the source number of an event's record are to be read.
type LongKind uint8

// Ways to read a record.
const (
	KindPlain         LongKind = 0  // no partition, no source
	KindDevice        LongKind = 1  // partition; zone, expander or keypad
	KindUser          LongKind = 2  // partition; user
	KindUserAtPartKpd LongKind = 3  // partition keypad, of whose address R is a part; user
	KindSystemDevice  LongKind = 4  // zone, expander or keypad, or the panel itself
	KindPartition     LongKind = 5  // partition
	KindUserAtKeypad  LongKind = 6  // keypad address; user
	KindUserOnly      LongKind = 7  // user
	KindReader        LongKind = 8  // reader of an expander
	KindTelephone     LongKind = 9  // telephone number
	KindRelay         LongKind = 10 // telephone relay
	KindBus           LongKind = 11 // partition; bus or expander
	KindSupply        LongKind = 12 // partition; output or the supply of an expander
	KindOutput        LongKind = 13 // partition; output or expander
	KindUserByPhone   LongKind = 14 // telephone number; user
	KindTimer         LongKind = 15 // partition; timer
	KindAddressFirst  LongKind = 30 // keypad address; first half of an IP address
	KindAddressSecond LongKind = 31 // second half of an IP address, in the record read just before
	KindRadioDevice   LongKind = 32 // partition; radio zone or output
	kindUnknown       LongKind = 255
)

// Where the ranges of source numbers begin and end.
const (
	lastZoneSource      = 128
	firstExpanderSource = 129
	lastExpanderSource  = 192
	firstKeypadSource   = 193
)

// SourceKind says what a source is.
type SourceKind string

// Kinds of sources. Zones, outputs, users, timers, telephones and relays count from 1, expanders and keypads are bus
// addresses from 0.
const (
	SourceNone      SourceKind = ""
	SourcePanel     SourceKind = "panel"
	SourceZone      SourceKind = "zone"
	SourceOutput    SourceKind = "output"
	SourceExpander  SourceKind = "expander"
	SourceKeypad    SourceKind = "keypad"
	SourceGuardX    SourceKind = "guardx" // program or browser, by the keypad through which it came
	SourceDloadX    SourceKind = "dloadx" // the installer's program on the cable
	SourceModem     SourceKind = "modem"
	SourceUser      SourceKind = "user"
	SourceReader    SourceKind = "reader" // by the expander it belongs to
	SourceTelephone SourceKind = "telephone"
	SourceRelay     SourceKind = "relay"
	SourceBus       SourceKind = "bus" // 0 keypad bus DTM, 1 and 2 expander buses DT1, DT2
	SourceTimer     SourceKind = "timer"
	SourceIP        SourceKind = "ip"    // Index is two bytes of an address, the first one high
	SourceOther     SourceKind = "other" // Index is the raw number
)

// Source is what an event came from.
type Source struct {
	Kind  SourceKind
	Index int
}

// Event is a record read by the rules of its code.
type Event struct {
	// Known tells whether the table has the code with this restore bit; Info is empty when not.
	Known bool
	Info  EventInfo
	// Readable tells whether it is known how to read partition and source. False leaves them empty: Record has the
	// raw fields.
	Readable bool

	Class    Class
	Code     int
	FullCode int  // with the restore bit, as it stands in the record
	Restore  bool // false when the bit is part of an address
	LongKind LongKind

	Partition       int // from 1, 0 when the event has none
	PartitionKeypad int // from 1, 0 when the event has none
	KeypadAddress   int // from 0, -1 when the event has none
	Telephone       int // from 1, 0 when unknown or the event has none
	Source          Source
	Object          int
	UserControl     int
}

// Decode reads the record of a panel of the given model. The record must have an event (HasEvent).
func (r Record) Decode(m Model) Event {
	info, known := LookupEvent(r.Code(), r.Restore())
	e := Event{
		Known: known, Info: info, Class: r.Class(), Code: r.Code(), FullCode: r.FullCode(), Restore: r.Restore(),
		Object: r.Object(), UserControl: r.UserControl(), KeypadAddress: -1, LongKind: kindUnknown,
	}
	if !known {
		// Both directions of a code are read alike, so a restore that is missing from the table can still say where.
		if info, e.Readable = LookupEvent(r.Code(), !r.Restore()); !e.Readable {
			return e
		}
	}
	e.Readable = true
	e.LongKind = info.LongKind
	r.decodePartition(&e)
	e.Source = r.decodeSource(e.LongKind, m)
	return e
}

func (r Record) decodePartition(e *Event) {
	switch e.LongKind {
	case KindDevice, KindUser, KindPartition, KindBus, KindSupply, KindOutput, KindTimer, KindRadioDevice:
		e.Partition = r.Partition()
	case KindUserAtPartKpd:
		e.PartitionKeypad = r.PField()<<1 + 1
		if r.Restore() {
			e.PartitionKeypad++
		}
		e.Restore = false
	case KindUserAtKeypad, KindAddressFirst:
		e.KeypadAddress = r.PField()
	case KindUserByPhone:
		e.Telephone = r.PField()
	}
}

func (r Record) decodeSource(kind LongKind, m Model) Source {
	n := r.Source()
	switch kind {
	case KindDevice, KindSystemDevice:
		return r.device(m)
	case KindUser, KindUserAtPartKpd, KindUserAtKeypad, KindUserOnly, KindUserByPhone:
		return Source{SourceUser, n}
	case KindReader:
		if n >= firstExpanderSource && n <= lastExpanderSource {
			return Source{SourceReader, n - firstExpanderSource}
		}
		return Source{SourceOther, n}
	case KindTelephone:
		return Source{SourceTelephone, n}
	case KindRelay:
		return Source{SourceRelay, n}
	case KindBus:
		if n < firstExpanderSource {
			return Source{SourceBus, n}
		}
		return r.device(m)
	case KindSupply, KindOutput:
		if n >= 1 && n <= lastZoneSource {
			return Source{SourceOutput, r.high(m)}
		}
		return r.device(m)
	case KindTimer:
		return Source{SourceTimer, n}
	case KindAddressFirst, KindAddressSecond:
		return Source{SourceIP, n<<8 | int(r[7])}
	case KindRadioDevice:
		return r.device(m)
	default:
		return Source{}
	}
}

// high returns a zone's or output's number: on panels with more than 128 of them the user control number holds the rest.
func (r Record) high(m Model) int {
	n := r.Source()
	if m.Wide() && r.UserControl() == 1 {
		n += 128
	}
	return n
}

func (r Record) device(m Model) Source {
	n := r.Source()
	guardX, dloadX, modem := m.keypadRanges()
	switch {
	case n == 0:
		return Source{SourcePanel, 0}
	case n <= lastZoneSource:
		return Source{SourceZone, r.high(m)}
	case n <= lastExpanderSource:
		return Source{SourceExpander, n - firstExpanderSource}
	case n < guardX:
		return Source{SourceKeypad, n - firstKeypadSource}
	case n < dloadX:
		return Source{SourceGuardX, n - guardX}
	case n < modem:
		return Source{SourceDloadX, 0}
	case n == modem:
		return Source{SourceModem, 0}
	default:
		return Source{SourceOther, n}
	}
}

// SourceNumber returns the source number and user control number by which a panel of the given model names a source.
// For users, timers, telephones, relays and buses the user control number is 0 and free for the caller. It wraps
// ErrValue when the panel cannot have that source.
func SourceNumber(s Source, m Model) (number, userControl int, err error) {
	guardX, dloadX, modem := m.keypadRanges()
	first, count := 0, 1
	switch s.Kind {
	case SourceZone:
		first, count = 1, m.Zones
	case SourceOutput:
		first, count = 1, m.Outputs
	case SourceUser, SourceTimer, SourceTelephone, SourceRelay, SourceOther, SourceBus:
		count = 256
	case SourceExpander, SourceReader:
		count = m.Expanders
		number = firstExpanderSource
	case SourceKeypad:
		count = m.Keypads
		number = firstKeypadSource
	case SourceGuardX:
		count = dloadX - guardX
		number = guardX
	case SourceDloadX:
		number = dloadX
	case SourceModem:
		number = modem
	case SourceNone, SourcePanel:
	default:
		return 0, 0, fmt.Errorf("source kind %q: %w", s.Kind, ErrValue)
	}
	if s.Index < first || s.Index >= first+count {
		return 0, 0, fmt.Errorf("source %s %d: %w", s.Kind, s.Index, ErrValue)
	}
	number += s.Index
	if (s.Kind == SourceZone || s.Kind == SourceOutput) && number > lastZoneSource {
		return number - 128, 1, nil
	}
	return number, 0, nil
}
