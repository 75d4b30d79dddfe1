package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/wire"
	"dozor/test/station"
)

// smoke is a zone that raises a fire alarm whether anything is armed or not.
const smoke = 8

// knowing begins a station that has read what the panel calls its parts, and so knows what its zones raise.
func knowing(t *testing.T) (*station.Station, *station.Screen) {
	t.Helper()
	s, _, screen := open(t, station.Options{})
	knows(s)
	return s, screen
}

func knows(s *station.Station) {
	s.T.Helper()
	s.Eventually(time.Minute, "names are read", "SELECT EXISTS (SELECT FROM panel_objects WHERE kind = 'zone' AND number = $1)", smoke)
}

// soundly checks an alarm that only the panel's state bits have told of so far.
func soundly(t *testing.T, s *station.Station, screen *station.Screen) wire.Alarm {
	t.Helper()
	mark := screen.Mark()
	acted := s.Sim.Act(1, "zones/8/violate")
	f := screen.Wait(mark, 10*time.Second, "the alarm without a record", alarmBy(smoke))
	onTime(t, f, acted.At, 0)
	require.Equal(t, wire.AlarmNew, f.Type)
	require.Equal(t, "fire", f.Data.Alarm.Kind)
	require.Equal(t, 1, f.Data.Alarm.Priority)
	require.Equal(t, 1, f.Ring)
	require.True(t, f.Data.Events[0].Provisional)
	return *f.Data.Alarm
}

// one checks that there was one alarm, rung once, whatever came after.
func one(t *testing.T, s *station.Station, screen *station.Screen, alarm wire.Alarm) {
	t.Helper()
	require.Equal(t, 1, station.One[int](s, "SELECT count(*) FROM alarms WHERE kind NOT IN ('memory_gap')"))
	last, ok := screen.Alarm(alarm.ID)
	require.True(t, ok)
	require.Equal(t, 1, last.Ring)
}

func TestLateRecordJoinsItsAlarmSilently(t *testing.T) {
	t.Parallel()
	s, screen := knowing(t)
	s.Sim.Act(1, "log/late?ms=5000")
	alarm := soundly(t, s, screen)
	f := screen.Wait(0, 15*time.Second, "the record", func(f station.Frame) bool {
		_, found := station.EventOf(f, func(e wire.Event) bool { return e.Zone == smoke && !e.Provisional })
		return found
	})
	require.Equal(t, wire.AlarmUpdated, f.Type)
	require.Equal(t, alarm.ID, f.Data.Alarm.ID)
	require.Equal(t, 1, f.Ring, "it rang already")
	s.Compare(screen, 30*time.Second)
	one(t, s, screen, alarm)
}

func TestAlarmWithoutARecordIsSeen(t *testing.T) {
	t.Parallel()
	s, screen := knowing(t)
	s.Sim.Act(1, "log/missing")
	alarm := soundly(t, s, screen)
	// The next record is of something else: it neither explains the alarm nor rings it.
	mark := screen.Mark()
	s.Sim.Act(1, "trouble/mains")
	screen.Wait(mark, 20*time.Second, "something else", func(f station.Frame) bool {
		_, found := station.EventOf(f, func(e wire.Event) bool { return e.Code == 301 })
		return found
	})
	s.Compare(screen, 30*time.Second)
	last, ok := screen.Alarm(alarm.ID)
	require.True(t, ok)
	require.Equal(t, 1, last.Ring)
	require.Equal(t, 1, last.EventCount)
}

// A second hold-up where the first one still sounds changes no bit of the panel's state: only the event memory knows of it.
// It is seen as soon as the first, and rings again.
func TestAlarmThatChangesNoBitIsSeenInTime(t *testing.T) {
	t.Parallel()
	s, screen := knowing(t)
	for n := range 3 {
		mark := screen.Mark()
		acted := s.Sim.Act(1, "partitions/1/panic")
		f := screen.Wait(mark, 20*time.Second, "a hold-up", panicAlarm)
		onTime(t, f, acted.At, 0)
		require.Equal(t, n+1, f.Ring)
		s.Eventually(10*time.Second, "the walk is over", walked)
		// Polls without news, until the worker is no longer on the alert.
		calm := polls(s) + 12
		require.Eventually(t, func() bool { return polls(s) >= calm }, 30*time.Second, 100*time.Millisecond)
	}
}

// An alarm that no record tells of is not forgotten because there was no database at that moment.
func TestAlarmWithoutARecordOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	s, i, screen := open(t, station.Options{OwnPostgres: true})
	knows(s)
	s.Sim.Act(1, "log/missing")
	mark := screen.Mark()
	require.NoError(t, s.Postgres.Kill(t.Context()))
	s.Sim.Act(1, "zones/8/violate")
	require.Eventually(t, func() bool {
		return strings.Contains(i.Log(), "no record explains") && strings.Contains(i.Log(), "the bus does not confirm")
	}, 30*time.Second, 50*time.Millisecond, "it was tried in vain")
	require.NoError(t, s.Postgres.Restart(t.Context()))
	f := screen.Wait(mark, time.Minute, "the alarm", alarmBy(smoke))
	require.Equal(t, "fire", f.Data.Alarm.Kind)
	s.Compare(screen, 30*time.Second)
	require.Equal(t, 1, station.One[int](s, "SELECT count(*) FROM alarms WHERE kind = 'fire'"))
}

// polls is how often the panel was asked for news.
func polls(s *station.Station) int {
	_, connections := s.Sim.Commands(1)
	n := 0
	for _, c := range connections {
		n += c.Requests["new data (0x7F)"]
	}
	return n
}
