// Package errs owns the kinds of errors that callers tell apart, and the stable code
// that clients see. An error is classified once, where it is understood; everybody
// above wraps it with %w and matches with errors.As or Is.
//
// It imports the standard library only.
package errs

import "errors"

// Kind says what a caller can do about an error.
type Kind int

// The kinds. Unknown is what was never classified: our own fault, shown as 500.
const (
	Unknown       Kind = iota
	NotFound           // nothing has that name
	Conflict           // somebody else was first; the current state goes with it
	Invalid            // the input can't be right, whatever the state
	Forbidden          // known who asks, and they may not
	Unauthorized       // not known who asks
	Unavailable        // a part that is needed is down; trying again may help
	TooLarge           // past a limit on what comes from outside
	TooMany            // past a rate limit
	Stale              // meant for a version that is no longer the current one, which goes with it
	Unconditional      // an edit that does not say for which version it is meant
)

// Error is an error with a kind, a stable code for programs and a sentence for people.
type Error struct {
	Kind Kind
	// Code is stable and lower case with underscores: "alarm_conflict".
	Code string
	// Message is an English sentence without values that could be secret.
	Message string
	// Detail is shown to the client as the extension member of that name: the
	// current alarm of a conflict, for example. May be nil.
	Detail any
	cause  error
}

// New makes a classified error.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// With returns a copy that carries detail for the client.
func (e *Error) With(detail any) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// Because returns a copy that wraps a cause, which is for the log alone.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// Is makes copies of one error equal to each other: they share kind and code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// KindOf finds the kind of an error, Unknown where nobody classified it.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Unknown
}

// VersionMismatch refuses an edit of a version that is no longer the current one; current
// goes to the client under its name ("user").
func VersionMismatch(name string, current any) *Error {
	return New(Stale, "version_mismatch", "Somebody else has changed it since you saw it.").With(map[string]any{name: current})
}
