package alarm

import (
	"slices"
	"time"

	"dozor/internal/event"
	"dozor/internal/ids"
)

// Spans of bundling.
const (
	// Window is how long after its last event an alarm takes more, and how long before
	// its first an event may have happened to belong to it.
	Window = 30 * time.Minute
	// Nearby is within what tamper or a lost link confirms a burglary, in either order.
	Nearby = 10 * time.Minute
)

// maxOrigins bounds what an alarm remembers; past it everything is new and rings.
const maxOrigins = 512

// Board is the alarms of one site while events are placed in them. The site is locked
// meanwhile. It belongs to one goroutine.
type Board struct {
	site    ids.SiteID
	now     time.Time
	alarms  []*Alarm // newest last; all that events may concern
	byID    map[ids.AlarmID]*Alarm
	matches []*Match
	halves  halves
	touched []*Touched
	byAlarm map[*Alarm]*Touched
}

// Touched is an alarm that events changed, with those events and what they meant.
type Touched struct {
	Alarm  *Alarm
	IsNew  bool
	Events []*event.Event
	Acts   []Act // each once, in order
	// Before is how the alarm stood; an act of the station leaves it there.
	Before State
	// Retired alone: it takes no more events, and nobody needs to be told.
	Retired bool
	// Woken from a pause: its timer is not meant any more.
	Woken bool
}

// NewBoard begins with what is stored of the site: the joinable alarm of every kind, the
// newest ones of the kinds that events concern (closed ones too, for the link to them),
// and what inferences and records still wait for each other.
func NewBoard(site ids.SiteID, now time.Time, alarms []*Alarm, matches []*Match) *Board {
	b := &Board{
		site: site, now: now, alarms: slices.Clone(alarms), matches: matches,
		byID: make(map[ids.AlarmID]*Alarm, len(alarms)), byAlarm: map[*Alarm]*Touched{},
	}
	slices.SortFunc(b.alarms, func(x, y *Alarm) int { return int(x.ID - y.ID) })
	for _, a := range b.alarms {
		b.byID[a.ID] = a
	}
	for _, m := range matches {
		b.halves.add(m)
	}
	return b
}

// Touched returns the alarms that changed, in the order of their first change.
func (b *Board) Touched() []*Touched { return b.touched }

// Matches returns the pairs of inference and record, open and taken; changed ones say so.
func (b *Board) Matches() []*Match { return b.matches }

// Place finds the alarm of an event, opening one if need be. It returns nil for an event
// that concerns no alarm: it is recorded and nothing else. Events come in the order in
// which they happened.
func (b *Board) Place(e *event.Event) *Alarm {
	switch {
	case e.Raises:
		return b.raise(e)
	case e.Ends && !e.Historic:
		return b.end(e)
	default:
		return nil
	}
}

// Apart opens an alarm for this event alone, which no other joins.
func (b *Board) Apart(e *event.Event) *Alarm { return b.open(e, false, nil) }

func (b *Board) raise(e *event.Event) *Alarm {
	if e.Historic {
		return b.Apart(e)
	}
	m := b.match(e)
	if m == nil {
		a := b.bundle(e)
		b.await(e, a)
		return a
	}
	if first := b.alarmOf(m); first != nil && m.quiets(e, first) {
		b.count(first, e)
		first.remember(e)
		m.take(e, first)
		return first
	}
	a := b.bundle(e)
	m.take(e, a)
	return a
}

func (b *Board) bundle(e *event.Event) *Alarm {
	current := b.joinable(e.Kind)
	if a := b.evidenceFor(e, current); a != nil {
		b.join(a, e)
		return a
	}
	switch {
	case current == nil:
		return b.open(e, true, b.newest(e.Kind))
	case e.EffectiveAt.After(current.LastAt.Add(Window)):
		b.retire(current)
		return b.open(e, true, current)
	case e.EffectiveAt.Before(current.FirstAt.Add(-Window)):
		return b.Apart(e)
	default:
		b.join(current, e)
		return current
	}
}

// evidenceFor finds the burglary that tamper or a lost link speaks for. What repeats in
// an alarm of its own stays there.
func (b *Board) evidenceFor(e *event.Event, own *Alarm) *Alarm {
	if !isEvidence(e.Kind) || own != nil && slices.Contains(own.Origins, e.Origin()) {
		return nil
	}
	if a := b.joinable(event.Burglary); a != nil && isNear(a, e.EffectiveAt) {
		return a
	}
	return nil
}

func isEvidence(k event.Kind) bool { return k == event.Tamper || k == event.Link }

func isNear(a *Alarm, at time.Time) bool {
	return !at.Before(a.FirstAt.Add(-Nearby)) && !at.After(a.LastAt.Add(Nearby))
}

func (b *Board) joinable(k event.Kind) *Alarm {
	for _, a := range b.alarms {
		if a.Joinable && a.Kind == k {
			return a
		}
	}
	return nil
}

// newest finds the last alarm of a kind that was live; a new one is linked to it.
func (b *Board) newest(k event.Kind) *Alarm {
	for _, a := range slices.Backward(b.alarms) {
		if a.Kind == k && !a.Historic {
			return a
		}
	}
	return nil
}

func (b *Board) alarmOf(m *Match) *Alarm {
	if m.Alarm == nil {
		m.Alarm = b.byID[m.AlarmID]
	}
	return m.Alarm
}

func (b *Board) open(e *event.Event, joinable bool, previous *Alarm) *Alarm {
	a := &Alarm{
		Version: 1, SiteID: b.site, PanelID: e.PanelID, Kind: e.Kind, Priority: e.Priority,
		State: New, Ring: 1, Joinable: joinable, Historic: e.Historic,
		Code: e.Code, Zone: e.Zone, Partition: e.Partition, User: e.User, Restore: e.Restore, Text: e.Text,
		FirstAt: e.EffectiveAt, LastAt: e.EffectiveAt, OpenedAt: b.now, Previous: previous,
	}
	if previous != nil {
		a.PreviousID = previous.ID
	}
	b.alarms = append(b.alarms, a)
	t := &Touched{Alarm: a, IsNew: true, Before: New}
	b.touched = append(b.touched, t)
	b.byAlarm[a] = t
	t.act(Opened)
	t.add(e)
	a.remember(e)
	if joinable && e.Kind == event.Burglary && b.hasEvidence(e.EffectiveAt) {
		a.ConfirmedAt = b.now
		t.act(Confirmed)
	}
	return a
}

func (b *Board) hasEvidence(at time.Time) bool {
	return slices.ContainsFunc(b.alarms, func(a *Alarm) bool {
		return a.Joinable && isEvidence(a.Kind) && isNear(a, at)
	})
}

// join adds an event that is a happening of its own, and rings where somebody must look
// again: any P1 event, what a person reports, a higher priority, what is new up to P3,
// what no rule knows and has another code. Repetitions only count. What rings ends a pause.
func (b *Board) join(a *Alarm, e *event.Event) {
	t := b.count(a, e)
	isNew := a.remember(e)
	ring := e.Priority == event.P1 || e.Source == event.ByHand || isNew && e.Priority <= event.P3
	if e.Priority < a.Priority {
		a.Priority, ring = e.Priority, true
		t.act(Raised)
	}
	if isNew && a.Kind == event.Burglary && a.ConfirmedAt.IsZero() {
		a.ConfirmedAt, ring = b.now, true
		t.act(Confirmed)
	}
	if ring {
		a.Ring++
		t.act(Rang)
		a.wake(t)
	}
}

// wake ends a pause, if there is one: the alarm rings for another reason already.
func (a *Alarm) wake(t *Touched) {
	now := Standing{State: a.State, Owner: a.Owner.ID, Paused: !a.PausedUntil.IsZero()}
	if _, was := now.Wake(); was {
		a.PausedUntil, t.Woken = time.Time{}, true
		t.act(Woke)
	}
}

// count adds an event without a ring. What was restored is active again. Evidence does
// not prolong the window: a link that flaps for hours must not keep an old burglary open
// for the next one.
func (b *Board) count(a *Alarm, e *event.Event) *Touched {
	t := b.touch(a)
	t.add(e)
	if e.Kind == a.Kind && e.EffectiveAt.Before(a.FirstAt) {
		a.FirstAt = e.EffectiveAt
	}
	if e.Kind == a.Kind && e.EffectiveAt.After(a.LastAt) {
		a.LastAt = e.EffectiveAt
	}
	if origin := e.Origin(); slices.Contains(a.Origins, origin) && !slices.Contains(a.Active, origin) {
		a.Active = append(a.Active, origin)
	}
	a.RestoredAt = time.Time{}
	return t
}

// end records the end of something in the open alarm that it is in. When all that was
// active has ended the alarm says so; it closes nothing.
func (b *Board) end(e *event.Event) *Alarm {
	origin := e.Origin()
	for _, a := range slices.Backward(b.alarms) {
		if a.State == Closed || a.Historic || !slices.Contains(a.Origins, origin) {
			continue
		}
		t := b.touch(a)
		t.add(e)
		if i := slices.Index(a.Active, origin); i >= 0 {
			a.Active = slices.Delete(a.Active, i, i+1)
			if len(a.Active) == 0 {
				a.RestoredAt = e.EffectiveAt
				t.act(Restored)
			}
		}
		return a
	}
	return nil
}

func (b *Board) retire(a *Alarm) {
	a.Joinable = false
	if b.byAlarm[a] == nil {
		t := &Touched{Alarm: a, Before: a.State, Retired: true}
		b.touched = append(b.touched, t)
		b.byAlarm[a] = t
	}
}

// touch raises the alarm's version, once however many events it takes now.
func (b *Board) touch(a *Alarm) *Touched {
	t := b.byAlarm[a]
	if t == nil {
		t = &Touched{Alarm: a, Before: a.State, Retired: true}
		b.touched = append(b.touched, t)
		b.byAlarm[a] = t
	}
	if t.Retired {
		t.Retired = false
		a.Version++
	}
	return t
}

func (t *Touched) act(a Act) {
	if !slices.Contains(t.Acts, a) {
		t.Acts = append(t.Acts, a)
	}
}

func (t *Touched) add(e *event.Event) {
	t.Events = append(t.Events, e)
	t.Alarm.EventCount++
}

// remember notes where an event came from and reports whether that is new.
func (a *Alarm) remember(e *event.Event) bool {
	origin := e.Origin()
	if slices.Contains(a.Origins, origin) {
		return false
	}
	if len(a.Origins) < maxOrigins {
		a.Origins = append(a.Origins, origin)
		a.Active = append(a.Active, origin)
	}
	if e.Zone != 0 && !slices.Contains(a.Zones, e.Zone) {
		a.Zones = append(a.Zones, e.Zone)
	}
	return true
}
