package satel

import (
	_ "embed" // the tables below are data files
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/events.csv
var eventsCSV string

//go:embed data/event_kinds.csv
var eventKindsCSV string

// Category is what an event is about.
type Category string

// Categories of events.
const (
	CategoryPanic     Category = "panic"
	CategoryFire      Category = "fire"
	CategoryMedical   Category = "medical"
	CategoryBurglary  Category = "burglary"
	CategoryTamper    Category = "tamper"
	CategoryDuress    Category = "duress"
	CategoryTechnical Category = "technical"
	CategoryTrouble   Category = "trouble"
	CategoryTest      Category = "test"
	CategoryArming    Category = "arming"
	CategoryAccess    Category = "access"
	CategoryBypass    Category = "bypass"
	CategorySystem    Category = "system"
)

// Priority is how pressing an event is, 1 the most.
type Priority uint8

// Priorities of events.
const (
	PriorityDanger      Priority = 1 // to people
	PriorityIntrusion   Priority = 2 // burglary and tamper
	PriorityTechnical   Priority = 3 // technical alarms, lost links, what may hide an attack
	PriorityTrouble     Priority = 4
	PriorityInformation Priority = 5 // also every end
)

// String returns P1 to P5.
func (p Priority) String() string { return "P" + strconv.Itoa(int(p)) }

// ObjectKind says what an event's source number counts.
type ObjectKind string

// Kinds of objects. A device is a zone, expander, keypad or the panel, by the number.
const (
	ObjectNone      ObjectKind = "none"
	ObjectZone      ObjectKind = "zone"
	ObjectUser      ObjectKind = "user"
	ObjectExpander  ObjectKind = "expander"
	ObjectKeypad    ObjectKind = "keypad"
	ObjectDevice    ObjectKind = "device"
	ObjectOutput    ObjectKind = "output"
	ObjectTimer     ObjectKind = "timer"
	ObjectPartition ObjectKind = "partition"
	ObjectTelephone ObjectKind = "telephone"
	ObjectRelay     ObjectKind = "relay"
	ObjectReader    ObjectKind = "reader"
	ObjectBus       ObjectKind = "bus"
	ObjectIP        ObjectKind = "ip"
)

// EventInfo is what the table knows about one event code with one value of the restore bit.
type EventInfo struct {
	Code        int // 0 to 1023
	Restore     bool
	Class       Class // as expected; the record's own class is to be trusted
	Category    Category
	Priority    Priority
	ZoneRelated bool
	Object      ObjectKind
	LongKind    LongKind
	ShortKind   int // as CmdEventText gives it, -1 when not known
	TextEN      string
	TextPL      string
}

// restoreBit lies above the ten bits of an event code.
const restoreBit = 0x400

// LookupEvent returns what is known about an event code, or false when the table does not have it.
func LookupEvent(code int, restore bool) (EventInfo, bool) {
	if code < 0 || code >= restoreBit {
		return EventInfo{}, false
	}
	if restore {
		code |= restoreBit
	}
	info := eventTable()[code]
	return info, info.TextEN != ""
}

// Events returns the whole table by rising code, for each code the event before its restore.
func Events() []EventInfo {
	table := eventTable()
	var out []EventInfo
	for code := range restoreBit {
		for _, full := range [...]int{code, code | restoreBit} {
			if table[full].TextEN != "" {
				out = append(out, table[full])
			}
		}
	}
	return out
}

var eventTable = sync.OnceValue(func() *[2 * restoreBit]EventInfo {
	table, err := buildEventTable(eventsCSV, eventKindsCSV)
	if err != nil {
		panic("satel: embedded event table: " + err.Error())
	}
	return table
})

func buildEventTable(events, kinds string) (*[2 * restoreBit]EventInfo, error) {
	table := new([2 * restoreBit]EventInfo)
	rows, err := readTable(events, 9)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		full, err := fullCode(row[0])
		if err != nil {
			return nil, err
		}
		class, ok := ParseClass(row[2])
		priority, err := strconv.Atoi(strings.TrimPrefix(row[4], "P"))
		if !ok || err != nil || priority < 1 || priority > 5 || row[7] == "" {
			return nil, fmt.Errorf("event %s: %w", row[0], ErrValue)
		}
		table[full] = EventInfo{
			Code: full &^ restoreBit, Restore: full&restoreBit != 0, Class: class, Category: Category(row[3]),
			Priority: Priority(priority), ZoneRelated: row[5] == "yes", Object: ObjectKind(row[6]),
			LongKind: kindUnknown, TextEN: row[7], TextPL: row[8],
		}
	}
	rows, err = readTable(kinds, 4)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		full, err := fullCode(row[0])
		if err != nil {
			return nil, err
		}
		long, errLong := strconv.ParseUint(row[2], 10, 8)
		short, errShort := int64(-1), error(nil)
		if row[3] != "" {
			short, errShort = strconv.ParseInt(row[3], 0, 32)
		}
		if errLong != nil || errShort != nil {
			return nil, fmt.Errorf("kind of event %s: %w", row[0], ErrValue)
		}
		table[full].LongKind, table[full].ShortKind = LongKind(long), int(short)
	}
	return table, nil
}

func fullCode(s string) (int, error) {
	n, err := strconv.ParseUint(s, 0, 16)
	if err != nil || n >= 2*restoreBit {
		return 0, fmt.Errorf("event code %q: %w", s, ErrValue)
	}
	return int(n), nil
}

// readTable returns the rows of a data file without its heading.
func readTable(text string, columns int) ([][]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = columns
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	return rows[1:], nil
}
