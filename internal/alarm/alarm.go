package alarm

import (
	"strconv"
	"time"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

// State is where an alarm stands in its life.
type State string

// The states.
const (
	New          State = "new"
	Claimed      State = "claimed"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
	Closed       State = "closed"
)

// WakeTimer is the kind of the timer that ends a pause; its subject is TimerSubject.
const WakeTimer = "alarm.wake"

// TimerSubject is what timers call an alarm.
func TimerSubject(id ids.AlarmID) string { return strconv.FormatInt(int64(id), 10) }

// Alarm is one alarm as it is stored, in the types of the program.
type Alarm struct {
	ID       ids.AlarmID // 0 until it is stored
	Version  int64
	SiteID   ids.SiteID
	PanelID  ids.PanelID // of the event that opened it; 0: of the site as a whole
	Kind     event.Kind
	Priority event.Priority
	State    State
	Ring     int  // how often it has called for attention
	Joinable bool // later events of the kind may join
	Historic bool

	// What the event that opened it says; see event.Describe for Text.
	Code, Zone, Partition, User int
	Restore                     bool
	Text                        string

	EventCount int
	Zones      []int // distinct zones of events that raised, in order of their coming
	// Origins are the distinct origins of events that raised (event.Event.Origin), Active
	// those of them whose end has not come yet.
	Origins, Active []string

	FirstAt, LastAt         time.Time // effective time of the events of its kind that raised
	OpenedAt                time.Time
	ConfirmedAt, RestoredAt time.Time // zero: not
	Owner                   wire.UserRef
	ClaimedAt, PausedUntil  time.Time
	Outcome, OutcomeText    string
	PreviousID              ids.AlarmID
	ResolvedAt, ClosedAt    time.Time
	ZoneName, PartitionName string
	Words                   string // the panel's own for a code that no table has
	Previous                *Alarm // of a new alarm, until PreviousID can be known
}

// View is the alarm as clients see it.
func (a *Alarm) View(site wire.SiteRef) wire.Alarm {
	pl, en := event.Describe(a.Code, a.Restore, a.Text, a.Words)
	v := wire.Alarm{
		ID: a.ID, Version: a.Version, Site: site, PanelID: a.PanelID, Kind: string(a.Kind), Priority: int(a.Priority),
		State: string(a.State), Ring: a.Ring, Historic: a.Historic,
		Code: a.Code, Zone: a.Zone, ZoneName: a.ZoneName, Partition: a.Partition, PartitionName: a.PartitionName,
		UserNumber: a.User, TextPL: pl, TextEN: en, EventCount: a.EventCount, Zones: a.Zones,
		FirstAt: a.FirstAt.UTC(), LastAt: a.LastAt.UTC(), OpenedAt: a.OpenedAt.UTC(),
		ConfirmedAt: optional(a.ConfirmedAt), RestoredAt: optional(a.RestoredAt),
		ClaimedAt: optional(a.ClaimedAt), PausedUntil: optional(a.PausedUntil),
		Outcome: a.Outcome, OutcomeText: a.OutcomeText, PreviousID: a.PreviousID,
		ResolvedAt: optional(a.ResolvedAt), ClosedAt: optional(a.ClosedAt),
	}
	if a.Owner.ID != 0 {
		owner := a.Owner
		v.Owner = &owner
	}
	return v
}

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
