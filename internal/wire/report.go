package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"dozor/internal/ids"
)

// ReportVersion is the version of Report's form.
const ReportVersion = 1

// Report is what a source puts on the bus: one record of a panel's memory, one inference
// from its state bits, or one thing that the station itself noticed. Exactly one of
// Record, Inferred, Station is set. Ingest makes an event of it.
type Report struct {
	Version int         `json:"v"`
	PanelID ids.PanelID `json:"panel_id,omitempty"`
	SiteID  ids.SiteID  `json:"site_id,omitempty"` // only where there is no panel

	Record   *Record   `json:"record,omitempty"`
	Inferred *Inferred `json:"inferred,omitempty"`
	Station  *Station  `json:"station,omitempty"`

	// ReceivedAt is when the last byte of the answer came, by the worker's clock.
	ReceivedAt time.Time `json:"received_at"`
	// NotBefore is the last look that did not show it yet; zero when there was none on
	// this connection. The event can't have happened before, whatever the panel's clock says.
	NotBefore time.Time `json:"not_before,omitzero"`
	// ClockOffsetMS is the panel's clock minus ours as last measured.
	ClockOffsetMS int64 `json:"clock_offset_ms,omitempty"`
	// Model is the panel's type code of 0x7E, -1 when not known.
	Model int `json:"model"`
}

// Record is a record of a panel's event memory, and its place in the log.
type Record struct {
	Raw    []byte `json:"raw"`   // 8 bytes, as read
	Index  []byte `json:"index"` // 3 bytes
	Epoch  int    `json:"epoch"`
	Number int64  `json:"segment"`
	Offset int    `json:"offset"` // 0 the segment's top, older ones count down
	// FirstContact marks history read when a panel was added: kept, never an alarm.
	FirstContact bool `json:"first_contact,omitempty"`
}

// Inferred is an alarm seen in the state bits that no record has explained in time.
type Inferred struct {
	// Code is the event that a record would most likely carry, by the zone's reaction;
	// 0 when nothing is known.
	Code      int `json:"code"`
	Zone      int `json:"zone,omitempty"`
	Partition int `json:"partition,omitempty"`
	// Seq counts the inferences of a panel under one fence, so that each has a key.
	Fence int64 `json:"fence"`
	Seq   int64 `json:"seq"`
}

// Station is an event of the station itself.
type Station struct {
	Code StationCode `json:"code"`
	// Subject tells two of one code apart; it is part of the key.
	Subject string `json:"subject"`
	// Args fill the sentence, by name.
	Args map[string]string `json:"args,omitempty"`
}

// StationCode names what the station noticed.
type StationCode string

// The station's own events.
const (
	LinkLost       StationCode = "link_lost"        // silence past the panel's grace
	LinkRestored   StationCode = "link_restored"    //
	MemoryGap      StationCode = "memory_gap"       // records that can't be read back any more
	MemoryWasEmpty StationCode = "memory_was_empty" // first contact, nothing known of before
	Unreadable     StationCode = "unreadable"       // a dead letter
	Reported       StationCode = "reported"         // by a person; never on the bus

	ClockWrong      StationCode = "clock_wrong"      // a panel's clock is off by more than the limit
	ClockRight      StationCode = "clock_right"      //
	SettingsChanged StationCode = "settings_changed" // of a panel, so that it may keep an alarm from being raised
)

// Encode gives the report's body for the bus.
func (r Report) Encode() ([]byte, error) {
	r.Version = ReportVersion
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode a report: %w", err)
	}
	return body, nil
}

// DecodeReport reads a report and refuses one that can't be right.
func DecodeReport(body []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return Report{}, fmt.Errorf("decode a report: %w", err)
	}
	if err := r.check(); err != nil {
		return Report{}, fmt.Errorf("decode a report: %w", err)
	}
	return r, nil
}

func (r Report) check() error {
	set := 0
	for _, is := range []bool{r.Record != nil, r.Inferred != nil, r.Station != nil} {
		if is {
			set++
		}
	}
	switch {
	case r.Version != ReportVersion:
		return fmt.Errorf("version %d is not known", r.Version)
	case set != 1:
		return fmt.Errorf("want exactly one of record, inferred, station; %d are set", set)
	case r.PanelID <= 0 && r.SiteID <= 0:
		return fmt.Errorf("neither panel nor site")
	case r.PanelID <= 0 && r.Station == nil:
		return fmt.Errorf("a panel's report without a panel")
	case r.ReceivedAt.IsZero():
		return fmt.Errorf("no receive time")
	case r.Record != nil && (len(r.Record.Raw) != 8 || len(r.Record.Index) != 3):
		return fmt.Errorf("a record of %d bytes with an index of %d", len(r.Record.Raw), len(r.Record.Index))
	case r.Record != nil && (r.Record.Epoch < 1 || r.Record.Number < 1 || r.Record.Offset > 0):
		return fmt.Errorf("no place in the log: epoch %d, segment %d, offset %d", r.Record.Epoch, r.Record.Number, r.Record.Offset)
	case r.Station != nil && r.Station.Code == "":
		return fmt.Errorf("a station event without a code")
	}
	return nil
}
