// Package ids owns the identifiers that cross package borders. Each is its own
// type, so that a panel can't be passed where a site is meant. Numbers that people
// say aloud (alarm 48213) are database identities; events, of which there are
// millions and which are made outside of the database, are UUIDv7.
//
// It imports the standard library and google/uuid, nothing of dozor.
package ids

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

// SiteID names a guarded site.
type SiteID int64

// PanelID names a panel at a site.
type PanelID int64

// AlarmID names an alarm: the number that operators say to each other.
type AlarmID int64

// ContactID names somebody to call about a site.
type ContactID int64

// UserID names a person who may sign in.
type UserID int64

// EventID names an event; a UUIDv7, so its order is roughly that of making, and the
// events table can be partitioned by it.
type EventID = uuid.UUID

// CommandID names an order to a panel.
type CommandID = uuid.UUID

// NewEventID makes an event's identifier.
func NewEventID() EventID { return newV7() }

// NewCommandID makes a command's identifier.
func NewCommandID() CommandID { return newV7() }

func newV7() uuid.UUID {
	id, err := uuid.NewV7()
	if err != nil {
		// Only a broken random source of the operating system ends here; nothing
		// that follows could be trusted.
		panic(fmt.Sprintf("make a UUIDv7: %v", err))
	}
	return id
}

// Parse reads a decimal identifier as it stands in a path or a flag.
func Parse[T ~int64](s string) (T, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("identifier %q: not a positive number", s)
	}
	return T(n), nil
}
