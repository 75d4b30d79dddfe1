package event_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/event"
	"dozor/internal/wire"
	"dozor/satel"
)

func recordReport(t require.TestingT, f satel.RecordFields, received time.Time) wire.Report {
	record, err := satel.NewRecord(f)
	require.NoError(t, err)
	return wire.Report{
		PanelID: 7, Model: 3, ReceivedAt: received,
		Record: &wire.Record{Raw: record[:], Index: []byte{1, 2, 3}, Epoch: 1, Number: 1000},
	}
}

func read(r wire.Report) event.Event {
	return event.FromReport(r, event.Shipped(), event.PanelZone())
}

func warsaw(year int, month time.Month, day, hour, minute int) time.Time {
	return time.Date(year, month, day, hour, minute, 0, 0, event.PanelZone())
}

func TestARecordIsRead(t *testing.T) {
	t.Parallel()
	at := warsaw(2026, 11, 23, 2, 17)
	r := recordReport(t, satel.RecordFields{At: at, Code: 130, Partition: 2, Source: 5}, at.Add(20*time.Second))
	r.Record.Offset = -4
	e := read(r)
	require.Equal(t, event.Burglary, e.Kind)
	require.Equal(t, event.P2, e.Priority)
	require.True(t, e.Raises)
	require.Equal(t, []int{5, 2, 0}, []int{e.Zone, e.Partition, e.User})
	require.Equal(t, []int{1, 1000, -4}, []int{e.Epoch, int(e.Segment), e.Offset})
	require.Equal(t, "7/burglary/zone/5", e.Origin())
	v := e.View(event.Names{Zone: "rear door"})
	require.Equal(t, "2026-11-23T02:17", v.PanelTime)
	require.Equal(t, "Alarm włamaniowy", v.TextPL)
	require.Equal(t, "rear door", v.ZoneName)
}

func TestEffectiveTimeIsHeldByWhatWasSeen(t *testing.T) {
	t.Parallel()
	at := warsaw(2026, 11, 23, 2, 17)
	received := at.Add(40 * time.Second)
	for _, c := range []struct {
		name      string
		panel     time.Time // its clock
		offset    time.Duration
		notBefore time.Duration // before received; 0: no look
		want      time.Time
		historic  bool
	}{
		{"live: between look and receipt", at, 0, time.Second, received.Add(-time.Second), false},
		{"live, panel an hour behind", at.Add(-time.Hour), 0, time.Second, received.Add(-time.Second), false},
		{"live, panel an hour ahead", at.Add(time.Hour), 0, time.Second, received, false},
		{"read back: the panel's minute", at.Add(-20 * time.Minute), 0, 0, at.Add(-20 * time.Minute), false},
		{"read back: corrected", at.Add(-20 * time.Minute), -5 * time.Minute, 0, at.Add(-15 * time.Minute), false},
		{"read back: never after receipt", at.Add(time.Hour), 0, 0, received, false},
		{"read back: history", at.Add(-31 * time.Minute), 0, 0, at.Add(-31 * time.Minute), true},
		{"read back, corrected to history", at.Add(-20 * time.Minute), 15 * time.Minute, 0, at.Add(-35 * time.Minute), true},
	} {
		r := recordReport(t, satel.RecordFields{At: c.panel, Code: 130, Source: 5}, received)
		r.ClockOffsetMS = c.offset.Milliseconds()
		if c.notBefore != 0 {
			r.NotBefore = received.Add(-c.notBefore)
		}
		e := read(r)
		require.Equal(t, c.want.UTC(), e.EffectiveAt, c.name)
		require.Equal(t, c.historic, e.Historic, c.name)
	}
}

func TestTheHourThatOctoberRepeats(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 02:30 in summer time
	second := first.Add(time.Hour)                          // 02:30 again
	fields := satel.RecordFields{At: first.In(event.PanelZone()), Code: 130, Source: 5}
	for _, c := range []struct {
		name      string
		received  time.Time
		notBefore time.Time
		want      time.Time
		resolved  time.Time
	}{
		{"live in the first", first.Add(20 * time.Second), first.Add(-time.Minute), first, first},
		{"live in the second", second.Add(20 * time.Second), second.Add(-time.Minute), second, second},
		{"read back in between: only the first fits", first.Add(10 * time.Minute), time.Time{}, first, first},
		{"read back after both: doubt does not make history", second.Add(10 * time.Minute), time.Time{}, second, second},
	} {
		r := recordReport(t, fields, c.received)
		r.NotBefore = c.notBefore
		e := read(r)
		require.Equal(t, c.want, e.EffectiveAt, c.name)
		require.Equal(t, c.resolved, e.ResolvedAt, c.name)
		require.False(t, e.Historic, c.name)
		require.Equal(t, "2026-10-25T02:30", e.View(event.Names{}).PanelTime)
	}
}

func TestYears(t *testing.T) {
	t.Parallel()
	ahead := recordReport(t, satel.RecordFields{At: warsaw(2027, 1, 1, 0, 1), Code: 130, Source: 5}, warsaw(2026, 12, 31, 23, 58))
	next := read(ahead)
	require.Equal(t, "2027-01-01T00:01", next.View(event.Names{}).PanelTime, "a clock that is minutes ahead at New Year")
	old := recordReport(t, satel.RecordFields{At: warsaw(2023, 12, 1, 10, 0), Code: 130, Source: 5}, warsaw(2026, 11, 23, 2, 0))
	require.Equal(t, warsaw(2023, 12, 1, 10, 0).UTC(), read(old).EffectiveAt)
	impossible := recordReport(t, satel.RecordFields{At: warsaw(2026, 11, 23, 2, 0), Code: 130, Source: 5}, warsaw(2026, 11, 23, 2, 0))
	impossible.Record.Raw[2] = 0 // month 0
	e := read(impossible)
	require.Equal(t, impossible.ReceivedAt.UTC(), e.EffectiveAt)
	require.Empty(t, e.View(event.Names{}).PanelTime)
	require.True(t, e.Raises)
}

// Whatever a panel says: an event happened between the last look and its receipt.
func TestAClockThatJumpsMakesNothingLiveHistoric(t *testing.T) {
	t.Parallel()
	now := warsaw(2026, 11, 23, 2, 17).Add(20 * time.Second)
	reset := time.Date(2000, 1, 1, 0, 3, 0, 0, event.PanelZone())
	for _, c := range []struct {
		name   string
		panel  time.Time // the clock by which the record was written
		offset time.Duration
	}{
		{"restarted to 2000, not measured since", reset, 0},
		{"restarted to 2000, measured", reset, reset.Sub(now)},
		{"set right, the old offset still held", now, reset.Sub(now)},
		{"set back by a day in service", now.Add(-24 * time.Hour), 0},
		{"set on by a year in service", now.AddDate(1, 0, 0), 0},
		{"written before it jumped, read after", now.Add(-time.Minute), reset.Sub(now)},
	} {
		r := recordReport(t, satel.RecordFields{At: c.panel, Code: 130, Source: 5}, now)
		r.ClockOffsetMS, r.NotBefore = c.offset.Milliseconds(), now.Add(-10*time.Second)
		e := read(r)
		require.False(t, e.Historic, c.name)
		require.False(t, e.EffectiveAt.Before(r.NotBefore) || e.EffectiveAt.After(now), c.name)
		r.Record.Offset = -1
		require.Equal(t, -1, read(r).Offset, "its place is the memory's, not the clock's")
	}
}

func TestEffectiveTimeStaysInItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "record")
		received := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "received"), 0)
		r := wire.Report{
			PanelID: 1, Model: rapid.IntRange(-1, 300).Draw(t, "model"), ReceivedAt: received,
			ClockOffsetMS: rapid.Int64Range(-1e10, 1e10).Draw(t, "offset"),
			Record:        &wire.Record{Raw: raw, Index: []byte{0, 0, 0}, Epoch: 1, Number: 1},
		}
		if rapid.Bool().Draw(t, "looked") {
			r.NotBefore = received.Add(-time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ago")) * time.Second)
		}
		e := read(r)
		require.False(t, e.EffectiveAt.After(received))
		require.False(t, e.EffectiveAt.Before(r.NotBefore))
		require.NotEmpty(t, e.Kind)
		require.Contains(t, []event.Priority{1, 2, 3, 4, 5}, e.Priority)
		pl, en := event.Describe(e.Code, e.Restore, e.Text, "")
		require.NotEmpty(t, pl)
		require.NotEmpty(t, en)
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	rules := event.Shipped()
	require.Len(t, rules.List(), len(satel.Events()))
	for _, r := range rules.List() {
		require.False(t, r.Priority == event.P5 && r.Raises, "code %d: information raises nothing", r.Code)
		require.False(t, r.Raises && r.Ends, "code %d", r.Code)
		if r.Priority <= event.P3 {
			require.True(t, r.Raises, "code %d: nothing pressing is only recorded", r.Code)
		}
		if r.Priority == event.P1 {
			require.Contains(t, []event.Kind{event.Panic, event.Duress, event.Fire, event.Medical, event.Gas, event.CarbonMonoxide}, r.Kind, "code %d", r.Code)
		}
		require.NotEqual(t, event.Unknown, r.Kind, "code %d has a kind of its own", r.Code)
	}
	for _, c := range []struct {
		code    int
		restore bool
		kind    event.Kind
		raises  bool
		ends    bool
	}{
		{0x097, false, event.Gas, true, false},
		{0x0A2, false, event.CarbonMonoxide, true, false},
		{0x0A2, true, event.CarbonMonoxide, false, true},
		{0x12D, false, event.Mains, true, false},
		{0x12D, true, event.Mains, false, true},
		{0x12E, false, event.Battery, true, false},
		{0x191, true, event.Arming, false, false},         // armed is no end of disarmed
		{0x671 & 0x3FF, true, event.Trouble, true, false}, // a trouble with the bit set
		{0x194, false, event.Arming, false, false},        // late disarming asks for nothing
		{0x273, false, event.System, true, false},         // service mode entered
	} {
		r, ok := rules.Lookup(c.code, c.restore)
		require.True(t, ok)
		require.Equal(t, []any{c.kind, c.raises, c.ends}, []any{r.Kind, r.Raises, r.Ends}, "code %d restore %t", c.code, c.restore)
	}
	_, ok := rules.Lookup(0x0A0, false)
	require.False(t, ok)
	require.Equal(t, rules.Digest(), rules.Installed(4).Digest())
	armed, _ := rules.Lookup(0x191, true)
	disarmed, _ := rules.Lookup(0x191, false)
	require.Equal(t, []event.ArmingChange{event.Armed, event.Disarmed}, []event.ArmingChange{armed.Arming, disarmed.Arming})
}

func TestAnUnknownCodeRaisesAndSaysWhatItIs(t *testing.T) {
	t.Parallel()
	at := warsaw(2026, 11, 23, 2, 17)
	e := read(recordReport(t, satel.RecordFields{At: at, Code: 0x0A0, Source: 5, Restore: true}, at))
	require.Equal(t, event.Unknown, e.Kind)
	require.Equal(t, event.P2, e.Priority)
	require.True(t, e.Raises && e.Unclassified)
	_, en := event.Describe(e.Code, e.Restore, e.Text, "")
	require.Regexp(t, `^Unknown event 160 \(record [0-9a-f]{16}\)$`, en)
	_, en = event.Describe(e.Code, e.Restore, e.Text, "Czujka zalana")
	require.Equal(t, "Czujka zalana (event 160 of no table, in the panel's words)", en)
}

func TestFirstContactRaisesNothing(t *testing.T) {
	t.Parallel()
	at := warsaw(2026, 11, 23, 2, 17)
	r := recordReport(t, satel.RecordFields{At: at, Code: 0x07B, Source: 5}, at)
	r.Record.FirstContact = true
	e := read(r)
	require.True(t, e.Historic)
	require.False(t, e.Raises)
}

func TestAnInferenceWithoutACodeRaisesAllTheSame(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, code := range []int{0, 0x191, 0x0A0} {
		e := read(wire.Report{PanelID: 7, ReceivedAt: now, Inferred: &wire.Inferred{Code: code, Zone: 5, Fence: 1, Seq: 1}})
		require.True(t, e.Raises && e.Provisional, "code %d", code)
		require.Equal(t, event.P2, e.Priority)
	}
	fire := read(wire.Report{PanelID: 7, ReceivedAt: now, Inferred: &wire.Inferred{Code: 0x06E, Zone: 5, Fence: 1, Seq: 1}})
	require.Equal(t, event.Fire, fire.Kind)
}

func TestWhatTheStationSays(t *testing.T) {
	t.Parallel()
	say := func(s wire.Station) (event.Event, string) {
		e := read(wire.Report{PanelID: 7, ReceivedAt: time.Now(), Station: &s})
		_, en := event.Describe(e.Code, e.Restore, e.Text, "")
		return e, en
	}
	lost, text := say(wire.Station{Code: wire.LinkLost, Subject: "1"})
	require.Equal(t, "Link to the panel lost", text)
	back, _ := say(wire.Station{Code: wire.LinkRestored, Subject: "1"})
	require.True(t, lost.Raises && back.Ends && !back.Raises)
	require.Equal(t, lost.Origin(), back.Origin())
	_, text = say(wire.Station{Code: wire.LinkLost, Subject: "2", Args: map[string]string{"since": "2026-07-01T10:00:00Z"}})
	require.Equal(t, "Link to the panel lost since 2026-07-01 12:00:00", text, "by the clock on the wall")
	gap, text := say(wire.Station{Code: wire.MemoryGap, Subject: "1", Args: map[string]string{"from": "A", "to": "B", "what": "ever"}})
	require.Equal(t, "Gap in the event memory: records may be missing from A to B", text)
	require.Equal(t, event.P3, gap.Priority)
	_, text = say(wire.Station{Code: wire.MemoryGap, Subject: "2", Args: map[string]string{"reason": "lost", "count": "42"}})
	require.Equal(t, "Unread records were overwritten while there was no link; up to 42 events may be missing", text)
	wrong, text := say(wire.Station{Code: wire.ClockWrong, Subject: "1", Args: map[string]string{"offset_s": "-3605"}})
	require.Equal(t, "The panel's clock is wrong: behind by 1 h 5 s (the change between summer and winter time was missed); the command “Set clock” sets it", text)
	right, _ := say(wire.Station{Code: wire.ClockRight, Subject: "1"})
	require.True(t, wrong.Raises && right.Ends && wrong.Origin() == right.Origin())
	require.Equal(t, event.P4, wrong.Priority)
	gone, text := say(wire.Station{Code: wire.SettingsChanged, Subject: "1", Args: map[string]string{"zones_gone": "5, 7", "reactions": "3"}})
	require.Equal(t, "The panel's settings changed: zones gone: 5, 7; other reaction of zones: 3", text)
	require.True(t, gone.Raises)
	require.Equal(t, event.P3, gone.Priority)
	empty, _ := say(wire.Station{Code: wire.MemoryWasEmpty})
	require.False(t, empty.Raises)
	other, text := say(wire.Station{Code: "something"})
	require.Equal(t, "Unknown event of the station: something", text)
	require.True(t, other.Raises && other.Unclassified)
}
