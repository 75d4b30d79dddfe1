package httpapi

import (
	"strconv"
	"time"

	"dozor/internal/access"
	"dozor/internal/errs"
	"dozor/internal/ids"
)

// Span bounds the instants that a list is about.
type Span struct {
	From time.Time `query:"from" doc:"Not before this instant"`
	To   time.Time `query:"to" doc:"Before this instant"`
}

var errSpan = errs.New(errs.Invalid, "invalid_span", "The end of the span lies before its beginning.")

func (s Span) check() error {
	if !s.From.IsZero() && !s.To.IsZero() && s.To.Before(s.From) {
		return errSpan
	}
	return nil
}

// Priorities is a choice of priorities.
type Priorities struct {
	Priority []int `query:"priority" maxItems:"5" minimum:"1" maximum:"5" doc:"Of 1 to 5, divided by commas"`
}

var errPriority = errs.New(errs.Invalid, "invalid_priority", "Priorities are numbers of 1 to 5.")

func (p Priorities) check() error {
	for _, n := range p.Priority {
		if n < 1 || n > 5 {
			return errPriority
		}
	}
	return nil
}

var errOwner = errs.New(errs.Invalid, "invalid_owner", "The owner is me, none, or the number of a user.")

// owner reads whose alarms are asked for.
func owner(word string, by access.Principal) (id ids.UserID, nobody bool, err error) {
	switch word {
	case "":
		return 0, false, nil
	case "me":
		return by.UserID, false, nil
	case "none":
		return 0, true, nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 1 {
		return 0, false, errOwner
	}
	return ids.UserID(n), false, nil
}
