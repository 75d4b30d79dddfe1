package event

import (
	"encoding/hex"
	"strconv"
	"time"

	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/satel"
)

// Event is one thing that a source reported. It is immutable once stored.
type Event struct {
	ID      ids.EventID
	Key     Key
	SiteID  ids.SiteID
	PanelID ids.PanelID // 0: of the site as a whole
	AlarmID ids.AlarmID // 0: it belongs to none
	Source  Source
	Trace   string

	Kind     Kind
	Priority Priority
	Code     int // of a panel's record; 0: none
	Restore  bool
	Raises   bool // opens an alarm or joins one
	Ends     bool // ends what another event of its kind raised
	Arming   ArmingChange
	// Unclassified: no rule knows the code.
	Unclassified bool
	// Provisional: inferred from state bits, no record of it yet.
	Provisional  bool
	RulesVersion int

	Zone, Partition, User int    // 0: none
	SourceKind            string // what SourceNumber counts; empty: nothing
	SourceNumber          int
	// Text is what no table has, in a form that Describe reads.
	Text string

	Raw      []byte // of a record
	LogIndex []byte
	Epoch    int
	Segment  int64
	Offset   int
	// FirstContact: history from when the panel was added; it never raises.
	FirstContact bool

	PanelTime   time.Time // the panel's wall clock as if in UTC; zero: it said none
	ResolvedAt  time.Time
	ReceivedAt  time.Time
	EffectiveAt time.Time
	Historic    bool
}

// noModel stands for a panel whose model is not known: satel falls back to a large one.
const noModel = 0xFF

// FromReport makes an event of a report that wire.DecodeReport accepts: all but its ID,
// the site of a panel, and the alarm.
func FromReport(r wire.Report, rules *Rules, zone *time.Location) Event {
	e := Event{
		Key: ReportKey(r), SiteID: r.SiteID, PanelID: r.PanelID, RulesVersion: rules.Version,
		ReceivedAt: r.ReceivedAt.UTC(), EffectiveAt: r.ReceivedAt.UTC(),
	}
	switch {
	case r.Record != nil:
		e.Source = FromPanel
		e.fromRecord(r, rules, zone)
	case r.Inferred != nil:
		e.Source = FromPanel
		e.fromInference(*r.Inferred, rules)
	default:
		e.Source = FromStation
		e.fromStation(*r.Station)
	}
	return e
}

func (e *Event) fromRecord(r wire.Report, rules *Rules, zone *time.Location) {
	record := satel.Record(r.Record.Raw)
	e.Raw, e.LogIndex = r.Record.Raw, r.Record.Index
	e.Epoch, e.Segment, e.Offset = r.Record.Epoch, r.Record.Number, r.Record.Offset

	at := instantsOf(record, time.Duration(r.ClockOffsetMS)*time.Millisecond, bounds{r.NotBefore, r.ReceivedAt}, zone)
	e.PanelTime, e.ResolvedAt, e.EffectiveAt = at.wall, at.resolved, at.effective.UTC()

	code := byte(noModel)
	if r.Model >= 0 && r.Model < noModel {
		code = byte(r.Model)
	}
	model, _ := satel.ModelByCode(code)
	decoded := record.Decode(model)
	e.Code, e.Restore = decoded.Code, decoded.Restore
	e.Partition = decoded.Partition
	e.SourceKind, e.SourceNumber = string(decoded.Source.Kind), decoded.Source.Index
	switch decoded.Source.Kind {
	case satel.SourceZone:
		e.Zone = decoded.Source.Index
	case satel.SourceUser:
		e.User = decoded.Source.Index
	}
	if rule, ok := rules.Lookup(record.Code(), record.Restore()); ok && record.HasEvent() {
		e.judge(rule)
	} else {
		e.unclassified()
		e.Text = hex.EncodeToString(e.Raw)
	}
	e.age(r.Record.FirstContact)
}

// age says whether the event is history, and whether it comes from a first contact, in
// which case it is nobody's task.
func (e *Event) age(firstContact bool) {
	e.FirstContact = firstContact
	e.Historic = firstContact || e.ReceivedAt.Sub(e.EffectiveAt) > HistoricAfter
	if firstContact {
		e.Raises, e.Ends = false, false
	}
}

// AsFirstContact marks an event as history from when its panel was added.
func (e *Event) AsFirstContact() { e.age(true) }

// AsLate judges an event by when it is stored rather than received, since it was set aside
// in between: an old one is history, however quickly the panel was read then.
func (e *Event) AsLate(now time.Time) {
	e.Historic = e.Historic || now.Sub(e.EffectiveAt) > HistoricAfter
}

func (e *Event) fromInference(i wire.Inferred, rules *Rules) {
	e.Provisional = true
	e.Code, e.Zone, e.Partition = i.Code, i.Zone, i.Partition
	if i.Zone > 0 {
		e.SourceKind, e.SourceNumber = string(satel.SourceZone), i.Zone
	}
	if rule, ok := rules.Lookup(i.Code, false); ok && rule.Raises {
		e.judge(rule)
		return
	}
	// Whatever it is, the panel shows an alarm.
	e.unclassified()
}

func (e *Event) fromStation(s wire.Station) {
	e.Text = StationText(s)
	switch s.Code {
	case wire.LinkLost:
		e.Kind, e.Priority, e.Raises = Link, P3, true
	case wire.LinkRestored:
		e.Kind, e.Priority, e.Restore, e.Ends = Link, P5, true, true
	case wire.MemoryGap:
		e.Kind, e.Priority, e.Raises = MemoryGap, P3, true
	case wire.MemoryWasEmpty:
		e.Kind, e.Priority = MemoryGap, P5
	case wire.Unreadable:
		e.Kind, e.Priority, e.Raises = Unreadable, P2, true
	case wire.ClockWrong:
		e.Kind, e.Priority, e.Raises, e.SourceKind = Trouble, P4, true, sourceClock
	case wire.ClockRight:
		e.Kind, e.Priority, e.Restore, e.Ends, e.SourceKind = Trouble, P5, true, true, sourceClock
	case wire.SettingsChanged:
		e.Kind, e.Priority, e.Raises, e.SourceKind = System, P4, true, sourceSettings
		if s.Args["model"] != "" || s.Args["zones_gone"] != "" {
			e.Priority = P3 // it may hide an attack
		}
	default:
		if f, ok := wire.FaultOf(s.Code); ok {
			e.fromFault(f, s.Code == f.End)
			return
		}
		e.unclassified()
	}
}

// What the station's events about a panel come from.
const (
	sourceClock    = "clock"
	sourceSettings = "settings"
)

// fromFault judges what is wrong with the station itself. The fault is the source, so
// that another one at the same time is something new, and rings.
func (e *Event) fromFault(f wire.Fault, over bool) {
	e.Kind, e.SourceKind = Station, string(f.Begin)
	switch {
	case over:
		e.Priority, e.Restore, e.Ends = P5, true, true
	case f.Begin == wire.NobodyWatches:
		e.Priority, e.Raises = P1, true // whatever happens to people now, nobody hears of it
	default:
		e.Priority, e.Raises = P2, true
	}
}

func (e *Event) judge(rule Rule) {
	e.Kind, e.Priority, e.Raises, e.Ends, e.Arming = rule.Kind, rule.Priority, rule.Raises, rule.Ends, rule.Arming
}

func (e *Event) unclassified() {
	e.Kind, e.Priority, e.Raises, e.Unclassified = Unknown, P2, true, true
}

// Origin names what the event came from, so that a repetition can be told from something
// new: the same detector of the same panel with the same kind of event is the same origin.
func (e *Event) Origin() string {
	b := make([]byte, 0, 48)
	b = strconv.AppendInt(b, int64(e.PanelID), 10)
	b = append(append(b, '/'), e.Kind...)
	if e.Unclassified {
		b = strconv.AppendInt(append(b, '/'), int64(e.Code), 10)
	}
	switch {
	case e.SourceKind != "":
		b = append(append(b, '/'), e.SourceKind...)
		b = strconv.AppendInt(append(b, '/'), int64(e.SourceNumber), 10)
	case e.Partition != 0:
		b = strconv.AppendInt(append(b, "/partition/"...), int64(e.Partition), 10)
	}
	return string(b)
}
