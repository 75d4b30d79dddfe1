package wire

import (
	"time"

	"dozor/internal/ids"
)

// Types of frames.
const (
	AlarmNew      = "alarm.new"
	AlarmUpdated  = "alarm.updated"
	EventRecorded = "event.recorded"
	PanelArmed    = "panel.armed"
	PanelDisarmed = "panel.disarmed"
	PanelLink     = "panel.link"
	CommandResult = "command.result"
	AccessChanged = "access.changed"
	PanelState    = "panel.state" // ephemeral: no position
	DeskList      = "desks"       // ephemeral
	StationState  = "station"     // ephemeral
)

// Audiences of frames.
const (
	Operators = "operators" // whoever may see alarms
)

// AlarmData is the data of alarm.new and alarm.updated: the whole alarm, and the events
// that joined it with this notification. A reader keeps the alarm of the higher version;
// the events count whatever the version.
type AlarmData struct {
	Alarm  Alarm   `json:"alarm"`
	Events []Event `json:"events,omitempty"`
}

// EventsData is the data of event.recorded, panel.armed and panel.disarmed: events of one
// site that raised no alarm.
type EventsData struct {
	SiteID  ids.SiteID  `json:"site_id"`
	PanelID ids.PanelID `json:"panel_id,omitempty"`
	Events  []Event     `json:"events"`
}

// Alarm is an alarm as clients see it.
type Alarm struct {
	ID       ids.AlarmID `json:"id"`
	Version  int64       `json:"version"`
	Site     SiteRef     `json:"site"`
	PanelID  ids.PanelID `json:"panel_id,omitempty"`
	Kind     string      `json:"kind"`
	Priority int         `json:"priority"`
	State    string      `json:"state" enum:"new,claimed,acknowledged,resolved,closed"`
	Ring     int         `json:"ring"`
	Historic bool        `json:"historic"`

	Code          int    `json:"code,omitempty"`
	Zone          int    `json:"zone,omitempty"`
	ZoneName      string `json:"zone_name,omitempty"`
	Partition     int    `json:"partition,omitempty"`
	PartitionName string `json:"partition_name,omitempty"`
	UserNumber    int    `json:"user_number,omitempty"`
	TextPL        string `json:"text_pl"`
	TextEN        string `json:"text_en"`
	EventCount    int    `json:"event_count"`
	Zones         []int  `json:"zones,omitempty"`

	FirstAt     time.Time  `json:"first_at"`
	LastAt      time.Time  `json:"last_at"`
	OpenedAt    time.Time  `json:"opened_at"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	RestoredAt  *time.Time `json:"restored_at,omitempty"`

	Owner       *UserRef    `json:"owner,omitempty"`
	ClaimedAt   *time.Time  `json:"claimed_at,omitempty"`
	PausedUntil *time.Time  `json:"paused_until,omitempty"`
	Outcome     string      `json:"outcome,omitempty" enum:"real,false_user,false_technical,test,unknown"`
	OutcomeText string      `json:"outcome_text,omitempty"`
	PreviousID  ids.AlarmID `json:"previous_id,omitempty"`
	ResolvedAt  *time.Time  `json:"resolved_at,omitempty"`
	ClosedAt    *time.Time  `json:"closed_at,omitempty"`
}

// SiteRef is what an alarm says of its site.
type SiteRef struct {
	ID      ids.SiteID `json:"id"`
	Name    string     `json:"name"`
	Address string     `json:"address"`
	City    string     `json:"city"`
}

// UserRef is what others see of a person.
type UserRef struct {
	ID   ids.UserID `json:"id"`
	Name string     `json:"name"`
}

// Event is an event as clients see it.
type Event struct {
	ID         ids.EventID `json:"id"`
	SiteID     ids.SiteID  `json:"site_id"`
	SiteName   string      `json:"site_name,omitempty"` // in lists; who has a frame knows the site
	PanelID    ids.PanelID `json:"panel_id,omitempty"`
	AlarmID    ids.AlarmID `json:"alarm_id,omitempty"`
	Source     string      `json:"source"`
	Kind       string      `json:"kind"`
	Priority   int         `json:"priority"`
	Code       int         `json:"code,omitempty"`
	Restore    bool        `json:"restore,omitempty"`
	Zone       int         `json:"zone,omitempty"`
	ZoneName   string      `json:"zone_name,omitempty"`
	Partition  int         `json:"partition,omitempty"`
	UserNumber int         `json:"user_number,omitempty"`
	UserName   string      `json:"user_name,omitempty"`
	TextPL     string      `json:"text_pl"`
	TextEN     string      `json:"text_en"`
	// At is the effective instant; PanelTime the panel's own minute, as it says it.
	At           time.Time `json:"at"`
	PanelTime    string    `json:"panel_time,omitempty"` // 2026-11-23T02:17
	ReceivedAt   time.Time `json:"received_at"`
	Historic     bool      `json:"historic,omitempty"`
	Provisional  bool      `json:"provisional,omitempty"`
	Unclassified bool      `json:"unclassified,omitempty"`
}

// Command is an order to a panel as clients see it; the data of command.result.
type Command struct {
	ID          ids.CommandID `json:"id"`
	PanelID     ids.PanelID   `json:"panel_id"`
	SiteID      ids.SiteID    `json:"site_id"`
	Kind        string        `json:"kind" enum:"arm,force_arm,disarm,clear_alarm,bypass,unbypass,isolate,outputs_on,outputs_off,outputs_switch,open_door,clear_troubles,set_clock"`
	ArmMode     int           `json:"arm_mode"`
	Partitions  []int         `json:"partitions"`
	Zones       []int         `json:"zones"`
	Outputs     []int         `json:"outputs"`
	Expanders   []int         `json:"expanders" doc:"Addresses from 0"`
	State       string        `json:"state" enum:"queued,executing,done,refused,expired,unknown"`
	Result      string        `json:"result,omitempty"`
	ResultCode  *int          `json:"result_code,omitempty"`
	Late        bool          `json:"late,omitempty"`
	InTheWay    []Obstacle    `json:"in_the_way" doc:"What stood against arming when the panel refused"`
	RequestedBy UserRef       `json:"requested_by"`
	RequestedAt time.Time     `json:"requested_at"`
	DeadlineAt  time.Time     `json:"deadline_at"`
	FinishedAt  *time.Time    `json:"finished_at,omitempty"`
}

// Obstacle is one thing that stood in the way of arming.
type Obstacle struct {
	What string `json:"what" enum:"violated,tampered,trouble"`
	Zone int    `json:"zone,omitempty" doc:"The zone; none for a trouble"`
	Name string `json:"name,omitempty" doc:"What the zone is called, as far as known, or the trouble's word"`
}

// StreamPosition says where the stream stood before a list was read.
type StreamPosition struct {
	Epoch    int64 `json:"epoch"`
	Position int64 `json:"position"`
}
