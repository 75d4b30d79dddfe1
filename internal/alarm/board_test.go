package alarm_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/alarm"
	"dozor/internal/event"
	"dozor/internal/ids"
)

// site plays the store between batches: alarms get numbers, boards come and go.
type site struct {
	now     time.Time
	alarms  []*alarm.Alarm
	matches []*alarm.Match
}

// batch places events and returns the alarm of each.
func (s *site) batch(events ...*event.Event) []*alarm.Alarm {
	b := alarm.NewBoard(1, s.now, s.alarms, s.matches)
	placed := make([]*alarm.Alarm, len(events))
	for i, e := range events {
		placed[i] = b.Place(e)
	}
	for _, t := range b.Touched() {
		if t.IsNew {
			s.alarms = append(s.alarms, t.Alarm)
			t.Alarm.ID = ids.AlarmID(len(s.alarms))
		}
	}
	s.matches = nil
	for _, m := range b.Matches() {
		if m.Provisional == (ids.EventID{}) || m.Record == (ids.EventID{}) {
			s.matches = append(s.matches, &alarm.Match{
				PanelID: m.PanelID, Kind: m.Kind, Zone: m.Zone, Partition: m.Partition, Provisional: m.Provisional, Record: m.Record, At: m.At,
				AlarmID: max(m.AlarmID, idOf(m.Alarm)),
			})
		}
	}
	return placed
}

func idOf(a *alarm.Alarm) ids.AlarmID {
	if a == nil {
		return 0
	}
	return a.ID
}

var priorities = map[event.Kind]event.Priority{
	event.Panic: event.P1, event.Fire: event.P1, event.Gas: event.P1, event.Burglary: event.P2, event.Tamper: event.P2,
	event.Unknown: event.P2, event.Link: event.P3, event.Mains: event.P4,
}

func drawEvent(t *rapid.T, now time.Time) *event.Event {
	kind := rapid.SampledFrom([]event.Kind{
		event.Panic, event.Fire, event.Gas, event.Burglary, event.Burglary, event.Tamper, event.Unknown, event.Link, event.Mains,
	}).Draw(t, "kind")
	zone := rapid.IntRange(1, 4).Draw(t, "zone")
	age := time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 20, 29, 45, 3000}).Draw(t, "minutes old")) * time.Minute
	e := &event.Event{
		ID: uuid.New(), SiteID: 1, PanelID: ids.PanelID(rapid.IntRange(1, 2).Draw(t, "panel")), Source: event.FromPanel,
		Kind: kind, Priority: priorities[kind], Raises: true, Zone: zone, SourceKind: "zone", SourceNumber: zone,
		ReceivedAt: now, EffectiveAt: now.Add(-age), Historic: age > event.HistoricAfter,
	}
	switch rapid.IntRange(0, 9).Draw(t, "sort") {
	case 0:
		e.Raises, e.Ends, e.Priority = false, true, event.P5
	case 1:
		e.Provisional, e.EffectiveAt, e.Historic = true, now, false
	}
	return e
}

// No event is lost or in two alarms, and no danger is silent, whatever comes.
func TestBundlingLosesAndHidesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &site{now: time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)}
		counted := map[*alarm.Alarm]int{}
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			s.now = s.now.Add(time.Duration(rapid.IntRange(0, 40*60).Draw(t, "seconds")) * time.Second)
			if n := len(s.alarms); n > 0 && rapid.IntRange(0, 5).Draw(t, "desk") == 0 {
				a := s.alarms[rapid.IntRange(0, n-1).Draw(t, "resolved")]
				a.State, a.Joinable = alarm.Resolved, false
			}
			rings, paused := map[*alarm.Alarm]int{}, map[*alarm.Alarm]time.Time{}
			for _, a := range s.alarms {
				if a.State == alarm.New && rapid.IntRange(0, 3).Draw(t, "pause") == 0 {
					a.State, a.PausedUntil = alarm.Claimed, s.now.Add(time.Hour)
				}
				rings[a], paused[a] = a.Ring, a.PausedUntil
			}
			var events []*event.Event
			for range rapid.IntRange(1, 6).Draw(t, "events") {
				events = append(events, drawEvent(t, s.now))
			}
			waiting := len(s.matches)
			for i, a := range s.batch(events...) {
				e := events[i]
				if a == nil {
					require.False(t, e.Raises, "an alarm was lost")
					continue
				}
				counted[a]++
				if e.Raises {
					require.Equal(t, e.Historic, a.Historic, "history and the present don't mix")
				}
			}
			for a, until := range paused {
				if a.Ring > rings[a] {
					until = time.Time{}
				}
				require.Equal(t, until, a.PausedUntil, "what rings ends a pause, and nothing else does")
			}
			for a, old := range ringsWanted(events, s, waiting) {
				require.GreaterOrEqual(t, a.Ring-rings[a], old, "a danger came without a ring")
			}
			s.requireSound(t, counted)
		}
	})
}

// ringsWanted counts the P1 events that must have rung: all but those that may be the
// second half of a pair.
func ringsWanted(events []*event.Event, s *site, waiting int) map[*alarm.Alarm]int {
	wanted := map[*alarm.Alarm]int{}
	hasInference := waiting > 0
	for _, e := range events {
		hasInference = hasInference || e.Provisional
	}
	if hasInference {
		return wanted
	}
	for _, e := range events {
		if e.Priority != event.P1 || !e.Raises || e.Historic {
			continue
		}
		for _, a := range s.alarms {
			if a.Joinable && a.Kind == e.Kind && !e.EffectiveAt.Before(a.FirstAt) && !e.EffectiveAt.After(a.LastAt) {
				wanted[a]++
			}
		}
	}
	return wanted
}

func (s *site) requireSound(t *rapid.T, counted map[*alarm.Alarm]int) {
	joinable := map[event.Kind]bool{}
	for _, a := range s.alarms {
		require.Equal(t, counted[a], a.EventCount, "every event is in the alarm that it was given to, once")
		require.GreaterOrEqual(t, a.Ring, 1)
		require.False(t, a.LastAt.Before(a.FirstAt))
		if a.Joinable {
			require.False(t, joinable[a.Kind], "two joinable alarms of kind %s", a.Kind)
			require.False(t, a.Historic)
			joinable[a.Kind] = true
		}
	}
}

func raising(kind event.Kind, zone int, at time.Time) *event.Event {
	return &event.Event{
		ID: uuid.New(), SiteID: 1, PanelID: 1, Source: event.FromPanel, Kind: kind, Priority: priorities[kind], Raises: true,
		Zone: zone, SourceKind: "zone", SourceNumber: zone, ReceivedAt: at, EffectiveAt: at,
	}
}

// Exact where the property test is generous: so many rings for so many dangers.
func TestEveryDangerRings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
		s := &site{now: at}
		want := map[event.Kind]int{}
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			var events []*event.Event
			for range rapid.IntRange(1, 5).Draw(t, "events") {
				kind := rapid.SampledFrom([]event.Kind{event.Panic, event.Fire, event.Gas}).Draw(t, "kind")
				at = at.Add(time.Duration(rapid.IntRange(0, 45*60).Draw(t, "seconds")) * time.Second)
				events = append(events, raising(kind, rapid.IntRange(1, 2).Draw(t, "zone"), at))
				want[kind]++
			}
			s.batch(events...)
		}
		got := map[event.Kind]int{}
		for _, a := range s.alarms {
			got[a.Kind] += a.Ring
		}
		require.Equal(t, want, got)
	})
}

func TestEvidenceConfirmsInEitherOrderAndKeepsNoWindowOpen(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	for _, kind := range []event.Kind{event.Tamper, event.Link} {
		after := &site{now: at}
		after.batch(raising(event.Burglary, 5, at), raising(kind, 60, at.Add(9*time.Minute)))
		require.Len(t, after.alarms, 1)
		require.False(t, after.alarms[0].ConfirmedAt.IsZero())
		require.Equal(t, 2, after.alarms[0].Ring)
		require.Equal(t, at, after.alarms[0].LastAt)

		late := &site{now: at}
		late.batch(raising(event.Burglary, 5, at), raising(kind, 60, at.Add(11*time.Minute)))
		require.Len(t, late.alarms, 2)
		require.True(t, late.alarms[0].ConfirmedAt.IsZero())

		before := &site{now: at}
		before.batch(raising(kind, 60, at), raising(event.Burglary, 5, at.Add(9*time.Minute)), raising(kind, 60, at.Add(10*time.Minute)))
		require.Len(t, before.alarms, 2, "each stands in its own alarm")
		require.False(t, before.alarms[1].ConfirmedAt.IsZero())
		require.Equal(t, 2, before.alarms[0].EventCount, "a repetition stays where it is")

		flapping := &site{now: at}
		flapping.batch(raising(event.Burglary, 5, at))
		for n := range 40 {
			flapping.batch(raising(kind, 60, at.Add(time.Duration(n)*time.Minute)))
		}
		flapping.batch(raising(event.Burglary, 5, at.Add(40*time.Minute)))
		require.Equal(t, event.Burglary, flapping.alarms[len(flapping.alarms)-1].Kind, "an old alarm swallows no new burglary")
	}
}

func TestAHigherPriorityRings(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	s := &site{now: at}
	low := raising(event.Mains, 1, at)
	high := raising(event.Mains, 1, at.Add(time.Second))
	high.Priority = event.P3
	s.batch(low, raising(event.Mains, 2, at), high)
	require.Len(t, s.alarms, 1)
	require.Equal(t, event.P3, s.alarms[0].Priority)
	require.Equal(t, 2, s.alarms[0].Ring)
}

func TestWhatAnAlarmRemembersIsBounded(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	s := &site{now: at}
	for n := range 600 {
		e := raising(event.Burglary, 1, at)
		e.SourceKind, e.SourceNumber, e.Zone = "thing", n, 0
		s.batch(e)
	}
	require.Len(t, s.alarms[0].Origins, 512)
	require.Equal(t, 600, s.alarms[0].Ring, "what it can't remember rings")
}

func TestWhatRingsEndsAPauseAndRepetitionsDont(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	s := &site{now: at}
	s.batch(raising(event.Burglary, 5, at))
	a := s.alarms[0]
	a.State, a.PausedUntil = alarm.Acknowledged, at.Add(time.Hour)

	touched := func(e *event.Event) *alarm.Touched {
		b := alarm.NewBoard(1, s.now, s.alarms, nil)
		b.Place(e)
		require.Len(t, b.Touched(), 1)
		return b.Touched()[0]
	}
	again := touched(raising(event.Burglary, 5, at.Add(time.Minute)))
	require.False(t, again.Woken)
	require.False(t, a.PausedUntil.IsZero(), "the same zone only counts")
	news := touched(raising(event.Burglary, 6, at.Add(2*time.Minute)))
	require.True(t, news.Woken)
	require.Contains(t, news.Acts, alarm.Woke)
	require.Equal(t, 2, a.Ring, "once: the event's own ring")
	require.True(t, a.PausedUntil.IsZero())
}

func TestWhatAPersonReportsRingsInTheAlarmThatItJoins(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 2, 14, 0, 0, time.UTC)
	s := &site{now: at}
	first := event.Reported(1, event.Technical, "water", "", at)
	second := event.Reported(1, event.Technical, "more water", "a neighbour", at.Add(time.Minute))
	require.Same(t, s.batch(&first)[0], s.batch(&second)[0])
	require.Equal(t, 2, s.alarms[0].Ring)
	require.Equal(t, event.P3, s.alarms[0].Priority)
}
