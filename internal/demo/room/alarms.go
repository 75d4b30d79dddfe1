package room

import (
	"sync"
	"time"

	"dozor/internal/wire"
)

// minute is how long an alarm counts as new.
const minute = time.Minute

// Alarms is what the room's own subscriptions have seen.
type Alarms struct {
	// LastMinute counts what rang within a minute.
	LastMinute int `json:"last_minute"`
	// Last is the alarm that rang last, nil before the first one.
	Last *wire.Alarm `json:"last"`
	// LastAt is when it was here.
	LastAt time.Time `json:"last_at,omitzero"`
	HoldUp *HoldUp   `json:"hold_up"`
}

// HoldUp is the last hold-up that was made here.
type HoldUp struct {
	At time.Time `json:"at"`
	// Took is how many milliseconds its alarm took to the room, by the API through which
	// it came; one by which it has not come yet is missing.
	Took map[string]int64 `json:"took"`
}

// alarms keeps what the subscriptions see. Safe for concurrent use.
type alarms struct {
	mu     sync.Mutex
	rang   map[wire.StreamPosition]time.Time // each counts once, through however many APIs it comes
	last   *wire.Alarm
	lastAt time.Time
	holdUp *HoldUp
}

func newAlarms() *alarms { return &alarms{rang: map[wire.StreamPosition]time.Time{}} }

// pressed says that a hold-up is about to be made. While nothing has come of the one before,
// the time counts from that: which of the two comes first nobody can tell.
func (a *alarms) pressed(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.holdUp == nil || len(a.holdUp.Took) > 0 {
		a.holdUp = &HoldUp{At: at, Took: map[string]int64{}}
	}
}

// notPressed takes that back: the panel did not take the order.
func (a *alarms) notPressed(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.holdUp != nil && a.holdUp.At.Equal(at) {
		a.holdUp = nil
	}
}

// seen takes an alarm that rang, and returns how long the hold-up took when it is the
// first news of it through that API. read is when a worker had read the hold-up, zero when
// the alarm is none: one that was read before the button was pressed is another.
func (a *alarms) seen(via string, at time.Time, position wire.StreamPosition, alarm wire.Alarm, read time.Time) (took time.Duration, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.rang[position]; !known {
		a.forget(at)
		a.rang[position] = at
		a.last, a.lastAt = &alarm, at.UTC()
	}
	if a.holdUp == nil || read.Before(a.holdUp.At) {
		return 0, false
	}
	if _, known := a.holdUp.Took[via]; known {
		return 0, false
	}
	took = at.Sub(a.holdUp.At)
	a.holdUp.Took[via] = took.Milliseconds()
	return took, true
}

// forget drops what is older than a minute. The caller holds the lock.
func (a *alarms) forget(now time.Time) {
	for position, at := range a.rang {
		if now.Sub(at) > minute {
			delete(a.rang, position)
		}
	}
}

func (a *alarms) read(now time.Time) Alarms {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	view := Alarms{LastMinute: len(a.rang), Last: a.last, LastAt: a.lastAt}
	if a.holdUp != nil {
		copied := HoldUp{At: a.holdUp.At.UTC(), Took: map[string]int64{}}
		for via, took := range a.holdUp.Took {
			copied.Took[via] = took
		}
		view.HoldUp = &copied
	}
	return view
}
