package event

import (
	"sync"
	"time"
	_ "time/tzdata" // a minimal host has no time zones, and a panel has no other clock

	"dozor/satel"
)

// HistoricAfter is the age at receipt from which an event is history: it was read from a
// memory long after it happened.
const HistoricAfter = 30 * time.Minute

// PanelZone is the time zone of the panels' clocks.
var PanelZone = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		panic("event: embedded time zones: " + err.Error())
	}
	return loc
})

// bounds hold an event between the last look that did not show it, zero when there was
// none, and its receipt.
type bounds struct{ notBefore, receivedAt time.Time }

// hold moves an instant between the bounds.
func (b bounds) hold(at time.Time) time.Time {
	if at.Before(b.notBefore) {
		at = b.notBefore
	}
	if at.After(b.receivedAt) {
		at = b.receivedAt
	}
	return at
}

// miss says how far outside of the bounds the minute that begins at an instant lies.
func (b bounds) miss(at time.Time) time.Duration {
	switch end := at.Add(time.Minute); {
	case at.After(b.receivedAt):
		return at.Sub(b.receivedAt)
	case end.Before(b.notBefore):
		return b.notBefore.Sub(end)
	default:
		return 0
	}
}

// instants is what can be said about when a record's event happened.
type instants struct {
	wall      time.Time // the panel's minute as it says it, as if in UTC; zero: no possible date
	resolved  time.Time // the same as an instant, by the panel's clock; zero with wall
	effective time.Time // by ours
}

// instantsOf resolves a record's minute. offset is the panel's clock minus ours. The hour
// that October repeats gives two instants: that which fits the bounds is taken, of two
// that fit the later, so that doubt rings rather than makes history.
func instantsOf(r satel.Record, offset time.Duration, b bounds, loc *time.Location) instants {
	at := r.Resolve(b.receivedAt, loc)
	if at.IsZero() {
		return instants{effective: b.receivedAt}
	}
	year, month, day := at.In(loc).Date()
	wall := time.Date(year, month, day, 0, r.Minute(), 0, 0, time.UTC)
	for _, other := range [...]time.Time{at.Add(-time.Hour), at.Add(time.Hour)} {
		if !sameWall(at, other, loc) {
			continue
		}
		now, then := b.miss(at.Add(-offset)), b.miss(other.Add(-offset))
		if then < now || then == now && other.After(at) {
			at = other
		}
		break
	}
	return instants{wall: wall, resolved: at.UTC(), effective: b.hold(at.Add(-offset)).UTC()}
}

func sameWall(a, b time.Time, loc *time.Location) bool {
	const minute = "2006-01-02T15:04"
	return a.In(loc).Format(minute) == b.In(loc).Format(minute)
}
