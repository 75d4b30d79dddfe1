package alarm

import (
	"dozor/internal/errs"
	"dozor/internal/ids"
)

// Act is what a person, or the station, does to an alarm. It names rows of the history.
type Act string

// Acts of people.
const (
	Claim    Act = "claim"
	Release  Act = "release"
	Takeover Act = "takeover"
	Ack      Act = "ack"
	Resolve  Act = "resolve"
	Reopen   Act = "reopen"
	Close    Act = "close"
	Note     Act = "note"
	Pause    Act = "pause"
	Resume   Act = "resume"
	Report   Act = "report" // by hand: opens an alarm or joins one
)

// Acts of the station, which change no state.
const (
	Opened    Act = "open"
	Rang      Act = "ring"
	Confirmed Act = "confirm"
	Raised    Act = "raise" // to a higher priority
	Restored  Act = "restore"
	Woke      Act = "wake" // from a pause
)

// Actor is who acts.
type Actor struct {
	ID         ids.UserID
	Supervisor bool // or above
}

// Standing is where an alarm stands between people.
type Standing struct {
	State  State
	Owner  ids.UserID // 0: nobody's
	Paused bool       // by the owner, for a while
}

// Refusals of an act, which change nothing. All are conflicts of the code that clients
// know, with the reason as message.
var (
	ErrState      = refusal("the alarm's state does not allow this")
	ErrNotOwner   = refusal("the alarm belongs to somebody else")
	ErrSupervisor = errs.New(errs.Forbidden, "not_supervisor", "only a supervisor may do this")
	ErrOwnAlready = refusal("the alarm is yours already")
	ErrNotPaused  = refusal("the alarm is not paused")
	ErrUnknownAct = errs.New(errs.Invalid, "unknown_act", "there is no such act")
)

// Refusal is a refusal because of how the alarm stands. Unlike the classified error in
// it, which all of them share, errors.Is tells one from another.
type Refusal struct{ conflict *errs.Error }

func refusal(message string) *Refusal {
	return &Refusal{errs.New(errs.Conflict, "alarm_conflict", message)}
}

func (r *Refusal) Error() string { return r.conflict.Error() }

// Unwrap gives the classified error, so that errs.KindOf finds it.
func (r *Refusal) Unwrap() error { return r.conflict }

// Next says how an alarm stands after an act, or why the act is refused. It judges
// neither versions nor what goes with the act (a resolve's outcome and text).
func Next(now Standing, act Act, by Actor) (Standing, error) {
	switch act {
	case Claim:
		return step(now, State.isNew, Standing{State: Claimed, Owner: by.ID})
	case Release:
		return now.release(by)
	case Takeover:
		return now.takeover(by)
	case Ack:
		return now.owned(by, Claimed, Acknowledged)
	case Resolve:
		return now.owned(by, Acknowledged, Resolved)
	case Reopen:
		return step(now, State.isResolved, Standing{State: Acknowledged, Owner: by.ID})
	case Close:
		return step(now, State.isResolved, Standing{State: Closed, Owner: now.Owner})
	case Note:
		return now, nil
	case Pause:
		return now.pause(by, true)
	case Resume:
		return now.pause(by, false)
	default:
		return now, ErrUnknownAct
	}
}

func (s State) isNew() bool      { return s == New }
func (s State) isResolved() bool { return s == Resolved }

// IsWorked reports whether somebody has the alarm.
func (s State) IsWorked() bool { return s == Claimed || s == Acknowledged }

func step(now Standing, allowed func(State) bool, next Standing) (Standing, error) {
	if !allowed(now.State) {
		return now, ErrState
	}
	return next, nil
}

func (now Standing) owned(by Actor, from, to State) (Standing, error) {
	if now.State != from {
		return now, ErrState
	}
	if now.Owner != by.ID {
		return now, ErrNotOwner
	}
	return Standing{State: to, Owner: by.ID}, nil
}

// pause begins a pause, again too, or ends it. It is the owner's, who goes on owing the
// alarm's work.
func (now Standing) pause(by Actor, paused bool) (Standing, error) {
	switch {
	case !now.State.IsWorked():
		return now, ErrState
	case now.Owner != by.ID:
		return now, ErrNotOwner
	case !paused && !now.Paused:
		return now, ErrNotPaused
	}
	return Standing{State: now.State, Owner: now.Owner, Paused: paused}, nil
}

// Wake is what the end of a pause does, by its time or by an event that rings; false when
// there is none.
func (now Standing) Wake() (Standing, bool) {
	woken := now
	woken.Paused = false
	return woken, now.Paused
}

func (now Standing) release(by Actor) (Standing, error) {
	switch {
	case !now.State.IsWorked():
		return now, ErrState
	case now.Owner != by.ID && !by.Supervisor:
		return now, ErrNotOwner
	}
	return Standing{State: New}, nil
}

func (now Standing) takeover(by Actor) (Standing, error) {
	switch {
	case !by.Supervisor:
		return now, ErrSupervisor
	case !now.State.IsWorked():
		return now, ErrState
	case now.Owner == by.ID:
		return now, ErrOwnAlready
	}
	return Standing{State: Claimed, Owner: by.ID}, nil
}
