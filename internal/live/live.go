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
	Link Link `json:"link" enum:"none,connecting,up,down"`
	// LinkReason says in a stable word why Link is not up: "busy_own", "busy_worker",
	// "busy_stranger", "key", "refused", "no_answer", "closed", "unreachable", "protocol",
	// "no_lease", "disabled". Empty when up.
	LinkReason string `json:"link_reason,omitempty"`
	// Trying says how the attempts to connect go; nil when up.
	Trying *Trying `json:"trying,omitempty"`
	// Holder is the instance of the worker that says all this.
	Holder string `json:"holder,omitempty"`
	// Reach numbers the edits of what it takes to talk to the panel; this is of the one it
	// was last tried under. Model and Version are what the panel said under it.
	Reach int64 `json:"reach,omitempty"`
	// AnsweredAt is when the panel last answered anything; zero when never.
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	// ChangedAt is when anything but AnsweredAt last changed.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	Model     string    `json:"model,omitempty"`
	Version   string    `json:"version,omitempty"`
	Module    string    `json:"module,omitempty"` // version of the network module, empty where it does not say
	News      News      `json:"news,omitempty" enum:"pushed,polled"`
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

	ZonesTamperMemory  []int `json:"zones_tamper_memory,omitempty"`
	ZonesIsolated      []int `json:"zones_isolated,omitempty"`       // bypassed for good
	ZonesNoViolation   []int `json:"zones_no_violation,omitempty"`   // not violated for too long
	ZonesLongViolation []int `json:"zones_long_violation,omitempty"` // violated for too long
	ZonesMasked        []int `json:"zones_masked,omitempty"`
	ZonesMaskedMemory  []int `json:"zones_masked_memory,omitempty"`
	FireMemory         []int `json:"fire_memory,omitempty"`
	PartitionsVerified []int `json:"partitions_verified,omitempty"` // with a verified alarm
	PartitionsWarning  []int `json:"partitions_warning,omitempty"`
	FirstCode          []int `json:"first_code,omitempty"` // the first of two codes was entered
	Blocked            []int `json:"blocked,omitempty"`    // for a time, or for a guard's round
	// Doors are those of expanders, by address from 0.
	DoorsOpen     []int    `json:"doors_open,omitempty"`
	DoorsLong     []int    `json:"doors_long,omitempty"` // open for too long
	TroubleMemory []string `json:"trouble_memory,omitempty"`
}

// Trying is how the attempts to connect to a panel go.
type Trying struct {
	Since    time.Time `json:"since"` // the first of the failures in a row
	Failures int       `json:"failures"`
	NextAt   time.Time `json:"next_at"` // about when it is tried next
	// Quarantine says that it failed so long that nobody is spared by trying often: the
	// panel stays with its worker and is tried seldom.
	Quarantine bool `json:"quarantine"`
}

// News says how a worker learns that something changed in a panel.
type News string

// The ways of learning it. Empty: the module was not asked yet to push.
const (
	NewsPushed News = "pushed" // the module says so by itself; it is asked now and then all the same
	NewsPolled News = "polled" // it does not say so, and is asked several times a second
)

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

// Version says how new a panel's state is, without the state.
type Version struct {
	Fence, Seq int64
	AnsweredAt time.Time
}

// Older says whether another version replaces this one.
func (v Version) Older(than Version) bool {
	return v.Fence < than.Fence || v.Fence == than.Fence && v.Seq < than.Seq
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
	// Join says that a worker is there, which counts for ttl, and returns who else is.
	Join(ctx context.Context, self Worker, ttl time.Duration) (Crew, error)
	// Leave ends what Join has said.
	Leave(ctx context.Context, instance string) error
}

// Worker is one of those that share the panels, as it says of itself.
type Worker struct {
	// Instance is unique among workers and their starts; it is the holder of its leases.
	Instance string
	// Held is how many panels it holds; Load how many count against its share of them.
	Held, Load int
	// Capacity is how many it would hold at most; 0 of one that is about to end.
	Capacity int
}

// Crew is who shares the panels.
type Crew struct {
	// Others are the workers but the one that asks, by instance.
	Others []Worker
	// Panels is how many enabled panels there are.
	Panels int
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
	// It returns once the subscription stands, so that whatever is published after its
	// return is seen, or with an error after a few seconds, however long ctx lasts.
	Subscribe(ctx context.Context, deliver func([]Frame)) error
	// Range returns the frames of (after, upTo] of an epoch, ascending, at most limit,
	// and whether the adapter holds every position of that interval up to the last
	// one returned. Not complete means: ask the next tier.
	Range(ctx context.Context, epoch, after, upTo int64, limit int) (frames []Frame, complete bool, err error)
}
