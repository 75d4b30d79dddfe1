package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

// Scenario 1 of the station: a jeweller at night.
func TestBurglaryIsConfirmedByASecondZone(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) VALUES (3, 'ola', 'Ola', 'operator', '')")
	at := s.now.Add(-2 * time.Minute)

	s.send(t, signal{code: codeBurglary, source: 5, at: at})
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.Equal(t, alarmRow{ID: a[0].ID, Kind: "burglary", Priority: 2, State: "new", Ring: 1, Joinable: true, Count: 1, Zones: []int{5}, Version: 1}, a[0])

	s.Exec(t, "UPDATE alarms SET state = 'claimed', owner_id = 3, claimed_at = dozor_now(), version = version + 1")
	s.send(t, signal{code: codeBurglary, source: 7, at: at.Add(22 * time.Second)})
	second := s.alarms(t)[0]
	require.True(t, second.Confirmed, "a second zone confirms")
	require.Equal(t, 2, second.Ring, "and rings again although claimed")
	require.Equal(t, "claimed", second.State)

	s.send(t, signal{code: codeBurglary, source: 7, at: at.Add(25 * time.Second)})
	third := s.alarms(t)[0]
	require.Equal(t, 2, third.Ring, "the same zone only counts")
	require.Equal(t, 3, third.Count)

	s.send(t, signal{code: codeZoneTamper, source: 60, at: at.Add(70 * time.Second)})
	all := s.alarms(t)
	require.Len(t, all, 1, "tamper nearby is evidence")
	require.Equal(t, 4, all[0].Count)
	require.Equal(t, 3, all[0].Ring, "a new kind rings")
	require.Equal(t, int64(5), all[0].Version)

	frames := s.frames(t)
	require.Len(t, frames, 4)
	require.Equal(t, []string{wire.AlarmNew, wire.AlarmUpdated, wire.AlarmUpdated, wire.AlarmUpdated}, []string{frames[0].Type, frames[1].Type, frames[2].Type, frames[3].Type})
	first := frames[0]
	require.Equal(t, "rear door", first.Alarm.ZoneName)
	require.Equal(t, "shop", first.Alarm.PartitionName)
	require.Equal(t, "Alarm włamaniowy", first.Alarm.TextPL)
	require.Equal(t, wire.SiteRef{ID: 1, Name: "Site 1", Address: "ul. Prosta 1", City: "Łódź"}, first.Alarm.Site)
	require.Equal(t, "rear door", first.Events[0].ZoneName)
	require.Equal(t, at, first.Answered.UTC(), "the answer's time goes with the frame")
	require.Equal(t, "Ola", frames[1].Alarm.Owner.Name, "the frame says who has it")
	require.Equal(t, 2, frames[1].Ring)
	acts := testkit.One[[]string](t, s.Database, "SELECT array_agg(act || ' ' || to_state || ' ' || version ORDER BY id) FROM alarm_actions")
	require.Equal(t, []string{"open new 1", "confirm claimed 3", "ring claimed 3", "ring claimed 5"}, acts, "counting leaves no trace in the history")
	s.check(t)
}

func TestEachDangerRingsAgainAndJoinsItsOwnKindOnly(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	at := s.now.Add(-time.Minute)
	s.send(t,
		signal{code: codeFire, source: 30, at: at},
		signal{code: codeFire, source: 30, at: at.Add(time.Second)},
		signal{code: codeFire, source: 31, at: at.Add(2 * time.Second)},
		signal{code: codePanic, source: 2, at: at.Add(3 * time.Second)},
		signal{code: codeBurglary, source: 31, at: at.Add(4 * time.Second)},
	)
	s.process(t, s.message(t, signal{code: codeFire, source: 30, at: at.Add(5 * time.Second)}), s.message(t, signal{code: codeFire, source: 30, at: at.Add(6 * time.Second)}))
	a := s.alarms(t)
	require.Len(t, a, 3)
	require.Equal(t, []string{"fire", "panic", "burglary"}, []string{a[0].Kind, a[1].Kind, a[2].Kind})
	require.Equal(t, 5, a[0].Ring, "each of five fires rang")
	require.Equal(t, []int{30, 31}, a[0].Zones)
	require.Equal(t, 1, a[1].Ring)
	s.check(t)
}

func TestTheSameBatchTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStation(t, 2)
	var msgs []bus.Message
	for i := range 40 {
		msgs = append(msgs, s.message(t, signal{panel: 1 + i%2, code: codeFire, source: 1 + i, at: s.now.Add(time.Duration(i) * time.Second)}))
	}
	msgs = append(msgs, msgs[3]) // and one twice in the batch
	s.process(t, msgs...)
	before, frames := s.alarms(t), s.frames(t)
	require.Equal(t, int64(1), s.stored.Load())
	s.process(t, msgs...)
	require.Equal(t, before, s.alarms(t))
	require.Equal(t, frames, s.frames(t))
	require.Equal(t, int64(1), s.stored.Load(), "nothing new, nobody woken")
	require.Equal(t, 20, before[0].Ring)
	s.check(t)
}

func TestAPassedWindowOpensALinkedAlarm(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	at := s.now.Add(-time.Hour)
	s.send(t,
		signal{code: codeBurglary, source: 5, at: at},
		signal{code: codeBurglary, source: 5, at: at.Add(29 * time.Minute)},
		signal{code: codeBurglary, source: 5, at: at.Add(29*time.Minute + ingestWindow)},
		signal{code: codeBurglary, source: 5, at: at.Add(29*time.Minute + 2*ingestWindow + time.Second)},
	)
	a := s.alarms(t)
	require.Len(t, a, 2, "the window runs from the last event")
	require.False(t, a[0].Joinable)
	require.Equal(t, 3, a[0].Count)
	require.True(t, a[1].Joinable)
	require.Equal(t, a[0].ID, a[1].Previous)
	s.check(t)

	// Resolved by somebody: takes no more, and the next is linked to it.
	s.Exec(t, "UPDATE alarms SET state = 'closed', outcome = 'unknown', joinable = false")
	s.send(t, signal{code: codeBurglary, source: 5, at: at.Add(29*time.Minute + 2*ingestWindow + 2*time.Second)})
	a = s.alarms(t)
	require.Len(t, a, 3)
	require.Equal(t, a[1].ID, a[2].Previous)
}

const ingestWindow = 30 * time.Minute

func TestAnEventFarBeforeAnAlarmLeavesItAlone(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.send(t,
		signal{code: codeBurglary, source: 5, at: s.now},
		signal{code: codeBurglary, source: 7, at: s.now.Add(-31 * time.Minute)},
		signal{code: codeBurglary, source: 7, at: s.now.Add(time.Second)},
	)
	a := s.alarms(t)
	require.Len(t, a, 2)
	require.True(t, a[0].Joinable)
	require.Equal(t, []int{5, 7}, a[0].Zones)
	require.False(t, a[1].Joinable)
	require.False(t, a[1].Historic)
	s.check(t)
}

func TestHistoryOpensAlarmsOfItsOwnAndFirstContactNone(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	old := s.now.Add(-48 * time.Hour).Truncate(time.Minute)
	live := s.message(t, signal{code: codeBurglary, source: 5, at: s.now})
	s.process(t, live)
	s.process(t,
		s.message(t, signal{code: codeBurglary, source: 7, at: old, received: 48 * time.Hour, readBack: true, lane: bus.Backfill}),
		s.message(t, signal{code: codeArming, restore: true, source: 9, at: old, received: 48 * time.Hour, readBack: true, lane: bus.Backfill}),
		s.message(t, signal{code: codePanic, source: 2, at: old, received: 48 * time.Hour, readBack: true, contact: true, lane: bus.Backfill}),
	)
	a := s.alarms(t)
	require.Len(t, a, 2)
	require.Equal(t, 1, a[0].Count)
	require.True(t, a[1].Historic)
	require.False(t, a[1].Joinable)
	require.Equal(t, 3, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events WHERE historic"))
	require.Equal(t, old, testkit.One[time.Time](t, s.Database, "SELECT effective_at FROM events WHERE historic AND kind = 'burglary'").UTC())

	frames := s.frames(t)
	require.Len(t, frames, 3)
	require.Equal(t, wire.AlarmNew, frames[1].Type)
	require.Equal(t, 1, frames[1].Lane, "history does not overtake")
	require.Nil(t, frames[1].Answered)
	require.True(t, frames[1].Alarm.Historic)
	require.Equal(t, wire.EventRecorded, frames[2].Type, "an arming of days ago is not news")
	require.Len(t, frames[2].Events, 2)
	s.check(t)
}

func TestASegmentsRowSaysFirstContactToo(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.Exec(t, "INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record, first_contact) VALUES (1, 2000, 1, '', '', true)")
	s.send(t, signal{code: codePanic, source: 2, at: s.now, segment: 2000})
	require.Empty(t, s.alarms(t), "the top, sent again from the row, is history as well")
	s.check(t)
}

func TestRecordsOfAnUnknownSegmentAreNotStored(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	unknown := s.message(t, signal{code: codePanic, source: 2, at: s.now, segment: segment + 1})
	s.process(t, unknown, s.message(t, signal{code: codePanic, source: 3, at: s.now, segment: segment}))
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events"))
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM event_keys"), "the worker must not take it for settled")

	s.Exec(t, "UPDATE panel_logs SET cursor_segment = $1", segment+1)
	s.process(t, unknown)
	require.Equal(t, 2, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events"), "at the cursor it is stored")
}

// A failover takes back the row of a segment and a raised epoch with it; what the segment
// held is read again under another epoch, while the first message still travels.
func TestWhatWasReadAgainUnderAnotherEpochIsOneEvent(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	first := s.message(t, signal{code: codePanic, source: 2, at: s.now, segment: segment + 1})
	alone := s.message(t, signal{code: codePanic, source: 3, at: s.now, segment: segment + 1, offset: -1})
	again, err := wire.DecodeReport(first.Body)
	require.NoError(t, err)
	again.Record.Epoch, again.Record.Number = 2, segment+2
	s.Exec(t, "INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record) VALUES (1, $1, 2, '', '')", segment+2)
	s.process(t, s.encode(t, bus.Live, again))
	s.Exec(t, "UPDATE panel_logs SET epoch = 2, cursor_segment = $1", segment+2)

	for range 2 {
		s.process(t, first, alone)
		require.Equal(t, []int32{2, 3}, testkit.One[[]int32](t, s.Database, "SELECT array_agg(source_number ORDER BY source_number) FROM events"), "what nobody read again is stored")
		require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM event_keys WHERE dedup_key = $1", first.Key[:]), "the worker finds the key it asks for")
	}
	s.check(t)
}

func TestRestoresAndArmingAreHistory(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	at := s.now.Add(-time.Minute)
	s.send(t,
		signal{code: codeFire, restore: true, source: 30, at: at}, // of an alarm that was never seen
		signal{code: codeFire, source: 30, at: at.Add(time.Second)},
		signal{code: codeFire, source: 31, at: at.Add(2 * time.Second)},
		signal{code: codeFire, restore: true, source: 30, at: at.Add(3 * time.Second)},
	)
	require.False(t, s.alarms(t)[0].Restored, "one of two detectors still burns")
	s.send(t,
		signal{code: codeFire, restore: true, source: 31, at: at.Add(4 * time.Second)},
		signal{code: codeArming, source: 9, at: at.Add(5 * time.Second)},
		signal{code: codeArming, restore: true, source: 9, at: at.Add(6 * time.Second)},
		signal{code: codePlainAccess, source: 9, at: at.Add(7 * time.Second)},
	)
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.True(t, a[0].Restored)
	require.Equal(t, "new", a[0].State, "a restore closes nothing")
	require.Equal(t, 2, a[0].Ring, "and does not ring")
	require.Equal(t, 4, a[0].Count)
	var types []string
	for _, f := range s.frames(t) {
		types = append(types, f.Type)
	}
	require.Equal(t, []string{
		wire.EventRecorded, wire.AlarmNew, wire.AlarmUpdated, wire.AlarmUpdated, wire.AlarmUpdated,
		wire.PanelDisarmed, wire.PanelArmed, wire.EventRecorded,
	}, types)
	require.Equal(t, "Ewa", s.frames(t)[5].Events[0].UserName)
	s.send(t, signal{code: codeFire, source: 31, at: at.Add(8 * time.Second)})
	require.False(t, s.alarms(t)[0].Restored, "it burns again")
	s.check(t)
}

func TestAnUnknownCodeIsAnAlarm(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.send(t, signal{code: codeNobodyKnows, source: 5, at: s.now})
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.Equal(t, "unknown", a[0].Kind)
	require.Equal(t, 2, a[0].Priority)
	f := s.frames(t)[0]
	require.True(t, f.Events[0].Unclassified)
	require.Contains(t, f.Alarm.TextEN, "Unknown event 160 (record ")
	require.Equal(t, f.Alarm.TextEN, f.Events[0].TextEN)
}

func TestAStationsOwnEventsGoTheSameWay(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	report := func(code wire.StationCode, subject string, at time.Time) bus.Message {
		m, err := ingest.StationReport(1, 0, wire.Station{Code: code, Subject: subject}, at, "")
		require.NoError(t, err)
		return m
	}
	s.process(t, report(wire.LinkLost, "outage 1", s.now))
	s.process(t, report(wire.LinkRestored, "outage 1", s.now.Add(time.Second)))
	s.process(t, report(wire.LinkLost, "outage 2", s.now.Add(2*time.Second)), report(wire.LinkLost, "outage 2", s.now.Add(2*time.Second)))
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.Equal(t, 3, a[0].Count)
	require.Equal(t, 1, a[0].Ring, "a link that flaps only counts")
	require.Equal(t, 3, a[0].Priority)
	s.process(t, report(wire.MemoryGap, "segment 4", s.now.Add(3*time.Second)))
	s.process(t, s.message(t, signal{code: codeBurglary, source: 5, at: s.now.Add(4 * time.Second)}))
	a = s.alarms(t)
	require.Len(t, a, 3)
	require.True(t, a[2].Confirmed, "a lost link before the alarm confirms it")
	require.Contains(t, s.frames(t)[3].Alarm.TextPL, "może brakować zapisów")

	site, err := ingest.StationReport(0, ids.SiteID(1), wire.Station{Code: wire.LinkLost, Subject: "x"}, s.now, "")
	require.NoError(t, err)
	s.process(t, site)
	s.check(t)
}

func TestAStormOfTwoHundred(t *testing.T) {
	t.Parallel()
	s := newStation(t, 50)
	var msgs []bus.Message
	for i := range 200 {
		msgs = append(msgs, s.message(t, signal{panel: 1 + i%50, code: codeMains, at: s.now.Add(time.Duration(i) * time.Second)}))
	}
	msgs = append(msgs, s.message(t, signal{panel: 17, code: codePanic, source: 2, at: s.now.Add(100 * time.Second)}))
	s.process(t, msgs...)
	a := s.alarms(t)
	require.Len(t, a, 51, "one for each site without mains, one hold-up")
	for _, one := range a {
		require.Equal(t, 1, one.Ring)
	}
	require.Len(t, s.frames(t), 51)
	s.check(t)
}

func TestRulesAreInstalledOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t, 0)
	again, err := ingest.InstallRules(context.Background(), s.Pool)
	require.NoError(t, err)
	require.Equal(t, 1, again.Version)
	require.Equal(t, len(event.Shipped().List()), testkit.One[int](t, s.Database, "SELECT count(*)::int FROM event_rules"))
	s.Exec(t, "UPDATE event_rule_versions SET digest = '\\x00'")
	third, err := ingest.InstallRules(context.Background(), s.Pool)
	require.NoError(t, err)
	require.Equal(t, 2, third.Version, "other rules are another version")
}
