package command

import "dozor/satel"

// Kind is what a command orders.
type Kind string

// The kinds.
const (
	Arm        Kind = "arm"
	Disarm     Kind = "disarm"
	ClearAlarm Kind = "clear_alarm"
)

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
	Accepted      Result = "accepted" // the panel will do it; its state shows when
	WrongCode     Result = "wrong_code"
	NoRight       Result = "no_right"
	CannotArm     Result = "cannot_arm"
	ForcePossible Result = "force_possible" // cannot arm; forced arming would work
	OtherError    Result = "other_error"
	LinkDown      Result = "link_down" // not sent: the connection was gone
	NoCode        Result = "no_code"   // not sent: the panel's stored code cannot be used
	TooLate       Result = "expired"   // not sent: the deadline had passed
	Late          Result = "late"      // the write ended after the deadline; the connection was reset
	NoAnswer      Result = "no_answer" // sent, and nothing came back until the deadline
	Unknown       Result = "unknown"   // whoever had it is gone
)

// State is the end that a result means.
func (r Result) State() State {
	switch r {
	case OK, Accepted:
		return Done
	case WrongCode, NoRight, CannotArm, ForcePossible, OtherError, LinkDown, NoCode:
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
}

// FromPanel translates the panel's answer.
func FromPanel(code satel.Result) Outcome {
	n := int(code)
	o := Outcome{Code: &n}
	switch code {
	case satel.ResultOK:
		o.Result = OK
	case satel.ResultAccepted:
		o.Result = Accepted
	case satel.ResultCodeNotFound:
		o.Result = WrongCode
	case satel.ResultNoAccess:
		o.Result = NoRight
	case satel.ResultCannotArm:
		o.Result = CannotArm
	case satel.ResultCannotArmForce:
		o.Result = ForcePossible
	default:
		o.Result = OtherError
	}
	return o
}
