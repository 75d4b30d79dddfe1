package command

import (
	"dozor/internal/wire"
	"dozor/satel"
)

// Kind is what a command orders.
type Kind string

// The kinds.
const (
	Arm           Kind = "arm"
	ForceArm      Kind = "force_arm" // although zones are violated
	Disarm        Kind = "disarm"
	ClearAlarm    Kind = "clear_alarm"
	Bypass        Kind = "bypass" // zones, until unbypassed
	Unbypass      Kind = "unbypass"
	Isolate       Kind = "isolate" // zones, for good
	OutputsOn     Kind = "outputs_on"
	OutputsOff    Kind = "outputs_off"
	OutputsSwitch Kind = "outputs_switch"
	OpenDoor      Kind = "open_door"
	ClearTroubles Kind = "clear_troubles" // the memory of those that are over
	SetClock      Kind = "set_clock"      // to the station's time
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{
		Arm, ForceArm, Disarm, ClearAlarm, Bypass, Unbypass, Isolate, OutputsOn, OutputsOff, OutputsSwitch, OpenDoor,
		ClearTroubles, SetClock,
	}
}

// arms tells whether a kind has an arming mode.
func (k Kind) arms() bool { return k == Arm || k == ForceArm }

// State is where a command stands.
type State string

// The states. The last four are ends.
const (
	Queued    State = "queued"
	Executing State = "executing"
	Done      State = "done"    // the panel did it, or will
	Refused   State = "refused" // it was not done: the panel refused, or was not asked
	Expired   State = "expired" // its deadline passed before anybody sent it
	Uncertain State = "unknown" // it may have been done
)

// Result says in a stable word how a command ended.
type Result string

// The results. The panel's own answers come from FromPanel.
const (
	OK            Result = "ok"
	Accepted      Result = "accepted"  // the panel will do it; nothing was seen of it
	Confirmed     Result = "confirmed" // accepted, and the panel's state shows it
	NoEffect      Result = "no_effect" // accepted, and the panel's state does not show it
	WrongCode     Result = "wrong_code"
	NoRight       Result = "no_right"
	CannotArm     Result = "cannot_arm"
	ForcePossible Result = "force_possible" // cannot arm; forced arming would work
	OtherError    Result = "other_error"
	NoSuchUser    Result = "no_such_user"
	UserExists    Result = "user_exists"
	CodeTaken     Result = "code_taken" // wrong code, or one that is taken
	PhoneTaken    Result = "phone_code_taken"
	CodeUnchanged Result = "code_unchanged"
	LinkDown      Result = "link_down" // not sent: the connection was gone
	NoSuchObject  Result = "no_object" // not sent: a panel of this model has no such number
	NoCode        Result = "no_code"   // not sent: the panel's stored code cannot be used
	TooLate       Result = "expired"   // not sent: the deadline had passed
	Late          Result = "late"      // the write ended after the deadline; the connection was reset
	NoAnswer      Result = "no_answer" // sent, and nothing came back until the deadline
	Unknown       Result = "unknown"   // whoever had it is gone
)

// State is the end that a result means.
func (r Result) State() State {
	switch r {
	case OK, Accepted, Confirmed:
		return Done
	case WrongCode, NoRight, CannotArm, ForcePossible, OtherError, NoSuchUser, UserExists, CodeTaken, PhoneTaken,
		CodeUnchanged, LinkDown, NoSuchObject, NoCode:
		return Refused
	case TooLate:
		return Expired
	default:
		return Uncertain
	}
}

// Outcome is how a command ended, as its executor saw it.
type Outcome struct {
	Result Result
	// Code is the panel's own result code; nil where it did not answer.
	Code *int
	// Late is set when a byte of the command went out after its deadline.
	Late bool
	// InTheWay is what the panel showed to stand against arming. Finish keeps of it what
	// concerns the command's partitions, with names.
	InTheWay []Obstacle
}

// Obstacle is one thing that stood in the way of arming.
type Obstacle = wire.Obstacle

// What stands in the way of arming.
const (
	Violated = "violated"
	Tampered = "tampered"
	Trouble  = "trouble" // of the panel as a whole
)

// fromPanel are the panel's answers that have a name of their own.
var fromPanel = map[satel.Result]Result{
	satel.ResultOK:               OK,
	satel.ResultAccepted:         Accepted,
	satel.ResultCodeNotFound:     WrongCode,
	satel.ResultNoAccess:         NoRight,
	satel.ResultUserMissing:      NoSuchUser,
	satel.ResultUserExists:       UserExists,
	satel.ResultCodeWrongOrTaken: CodeTaken,
	satel.ResultPhoneCodeTaken:   PhoneTaken,
	satel.ResultCodeUnchanged:    CodeUnchanged,
	satel.ResultCannotArm:        CannotArm,
	satel.ResultCannotArmForce:   ForcePossible,
}

// FromPanel translates the panel's answer.
func FromPanel(code satel.Result) Outcome {
	n := int(code)
	result, known := fromPanel[code]
	if !known {
		result = OtherError
	}
	return Outcome{Code: &n, Result: result}
}
