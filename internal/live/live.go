package live

import (
	"context"
	"encoding/json"
	"time"

	"dozor/internal/ids"
)

// PanelState is what a worker knows of a panel right now. Values of a higher
// (Fence, Seq) replace lower ones; a late write of an old holder changes nothing.
type PanelState struct {
	PanelID ids.PanelID `json:"panel_id"`
	Fence   int64       `json:"-"`
	Seq     int64       `json:"-"`
	// Link is what the worker sees of the connection.
	Link Link `json:"link"`
	// LinkReason says in a stable word why Link is not up: "busy", "refused",
	// "no_answer", "closed", "unreachable", "protocol", "no_lease", "disabled". Empty when up.
	LinkReason string `json:"link_reason,omitempty"`
	// AnsweredAt is when the panel last answered anything; zero when never.
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	// ChangedAt is when anything but AnsweredAt last changed.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	Model     string    `json:"model,omitempty"`
	Version   string    `json:"version,omitempty"`
	// Panel's clock minus ours, in milliseconds, as last measured.
	ClockOffsetMS int64 `json:"clock_offset_ms"`
	ServiceMode   bool  `json:"service_mode"`
	// Numbers from 1, ascending.
	ZonesViolated    []int    `json:"zones_violated,omitempty"`
	ZonesTampered    []int    `json:"zones_tampered,omitempty"`
	ZonesAlarm       []int    `json:"zones_alarm,omitempty"`
	ZonesTamperAlarm []int    `json:"zones_tamper_alarm,omitempty"`
	ZonesAlarmMemory []int    `json:"zones_alarm_memory,omitempty"`
	ZonesBypassed    []int    `json:"zones_bypassed,omitempty"`
	Armed            []int    `json:"armed,omitempty"`
	ArmedMode1       []int    `json:"armed_mode1,omitempty"`
	ArmedMode2       []int    `json:"armed_mode2,omitempty"`
	ArmedMode3       []int    `json:"armed_mode3,omitempty"`
	EntryTime        []int    `json:"entry_time,omitempty"`
	ExitTime         []int    `json:"exit_time,omitempty"`
	PartitionsAlarm  []int    `json:"partitions_alarm,omitempty"`
	PartitionsFire   []int    `json:"partitions_fire,omitempty"`
	AlarmMemory      []int    `json:"alarm_memory,omitempty"`
	OutputsOn        []int    `json:"outputs_on,omitempty"`
	Troubles         []string `json:"troubles,omitempty"`
}

// Link is the state of the connection to a panel.
type Link string

// The link states. None is what a panel has that no worker has tried yet.
const (
	LinkNone       Link = "none"
	LinkConnecting Link = "connecting"
	LinkUp         Link = "up"
	LinkDown       Link = "down"
)

// States keeps the live state of panels.
type States interface {
	// PutStates stores what is newer than what is there, in one statement.
	PutStates(ctx context.Context, states []PanelState) error
	// Touch says that these panels answered at these instants, nothing else changed.
	// Cheaper than PutStates, by the same (fence, seq) rule.
	Touch(ctx context.Context, answered []Answered) error
	// States returns the state of the panels given, of all when none is given. A
	// panel without one is left out.
	States(ctx context.Context, panels ...ids.PanelID) ([]PanelState, error)
}

// Answered is a panel's sign of life.
type Answered struct {
	PanelID    ids.PanelID
	Fence      int64
	AnsweredAt time.Time
}

// Lease is the right of one holder to keep the connection to one panel.
type Lease struct {
	PanelID ids.PanelID
	// Fence is never used twice for a panel and only grows.
	Fence int64
	// Timeline names the life of the database under which the lease was granted.
	Timeline string
	// Until is an instant on the caller's monotonic clock, counted from before the
	// request was sent: the holder may trust the lease that long and no longer.
	Until time.Time
}

// Leases grants panels to workers. They are for efficiency: safety lies in the event
// keys, in the module's one connection and in the command's own row.
type Leases interface {
	// Acquire takes at most max panels that nobody holds (enabled ones, longest free
	// first), leaving out those in except. It grants with a fence of
	// max(last + 1, milliseconds of the database's clock).
	Acquire(ctx context.Context, holder string, max int, except []ids.PanelID, ttl time.Duration) ([]Lease, error)
	// Renew prolongs what this holder still holds under the same fence; the result
	// has only those, with Until and Timeline as they are now. A panel that was disabled
	// is not held any more.
	Renew(ctx context.Context, holder string, held []Lease, ttl time.Duration) ([]Lease, error)
	// Release gives leases back at once; it never touches a later holder's.
	Release(ctx context.Context, holder string, held []Lease) error
	// Fences returns the highest fence ever granted for each panel given.
	Fences(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]int64, error)
}

// Frame is one notification of the stream, at its position.
type Frame struct {
	Epoch    int64           `json:"epoch"`
	Position int64           `json:"position"`
	Type     string          `json:"type"`
	At       time.Time       `json:"at"`
	Ring     int             `json:"ring,omitempty"`
	Data     json.RawMessage `json:"data"`

	// For those who deliver, not for those who read: never in the frame's JSON.
	SiteID   ids.SiteID `json:"-"` // 0: not bound to a site
	Audience string     `json:"-"`
	Trace    string     `json:"-"`
	// AnsweredAt is when the last byte of the panel's answer behind this frame came;
	// zero when none was. It is what dozor's own share of the latency counts from.
	AnsweredAt time.Time `json:"-"`
}

// Fanout carries stamped frames from the relay to every API instance.
type Fanout interface {
	// Publish hands on frames that are committed with their positions, in order. An
	// error means: publish again; receivers drop what they have seen.
	Publish(ctx context.Context, frames []Frame) error
	// Subscribe calls deliver with frames as they are published, from one goroutine,
	// in order of each publication, until ctx ends. What was published before or is
	// lost on the way is not its business: the subscriber finds holes by position.
	// It returns once the subscription stands; ready is part of the contract, so that
	// whatever is published after its return is seen.
	Subscribe(ctx context.Context, deliver func([]Frame)) error
	// Range returns the frames of (after, upTo] of an epoch, ascending, at most limit,
	// and whether the adapter holds every position of that interval up to the last
	// one returned. Not complete means: ask the next tier.
	Range(ctx context.Context, epoch, after, upTo int64, limit int) (frames []Frame, complete bool, err error)
}
