package wire

import (
	"time"

	"dozor/internal/ids"
)

// DesksData is the data of desks: everybody who sits before a window now.
type DesksData struct {
	Desks []Desk `json:"desks"`
}

// Desk is one window with somebody before it.
type Desk struct {
	User UserRef `json:"user"`
	// ID is the window's own, a UUID.
	ID string `json:"id"`
	// CanSound: the window may play a tone, and is not muted.
	CanSound bool        `json:"can_sound"`
	Visible  bool        `json:"visible"`
	AlarmID  ids.AlarmID `json:"alarm_id,omitempty"` // the one it looks at
	Since    time.Time   `json:"since"`              // when it came
}

// StationData is the data of station: what is wrong with the station itself now.
type StationData struct {
	Faults []StationFault `json:"faults"`
}

// StationFault is one thing that is wrong with the station itself.
type StationFault struct {
	Code  StationCode `json:"code"` // the Begin of a Fault
	Since time.Time   `json:"since"`
	// Detail is a figure of when it was found: how many panels or messages it is about.
	Detail string `json:"detail,omitempty"`
}

// What is wrong with the station itself, and the end of it; see Faults.
const (
	NobodyWatches   StationCode = "nobody_watches" // no desk can sound
	SomebodyWatches StationCode = "somebody_watches"
	IngestLate      StationCode = "ingest_late" // reports wait
	IngestOnTime    StationCode = "ingest_on_time"
	RelayLate       StationCode = "relay_late" // notifications wait
	RelayOnTime     StationCode = "relay_on_time"
	WorkerGone      StationCode = "worker_gone" // panels that nobody holds
	WorkerBack      StationCode = "worker_back"
	DatabaseSlow    StationCode = "database_slow" // or silent
	DatabaseOnTime  StationCode = "database_on_time"
)

// Fault is something wrong with the station itself, as reports tell of it: Begin is also
// its name towards clients.
type Fault struct{ Begin, End StationCode }

// Faults returns all of them.
func Faults() []Fault {
	return []Fault{
		{NobodyWatches, SomebodyWatches},
		{IngestLate, IngestOnTime},
		{RelayLate, RelayOnTime},
		{WorkerGone, WorkerBack},
		{DatabaseSlow, DatabaseOnTime},
	}
}

// FaultOf returns the fault that a code tells of, false where it is none of one.
func FaultOf(code StationCode) (f Fault, ok bool) {
	for _, f := range Faults() {
		if code == f.Begin || code == f.End {
			return f, true
		}
	}
	return Fault{}, false
}
