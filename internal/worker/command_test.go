package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/command"
	"dozor/internal/ids"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
)

// give orders something as a supervisor and waits for its end.
func (s *station) give(kind command.Kind, t command.Targets) wire.Command {
	s.t.Helper()
	by := s.user
	by.Role = access.Supervisor
	view, err := s.commands.Request(context.Background(), by, command.Order{PanelID: s.id, Kind: kind, Targets: t})
	require.NoError(s.t, err)
	s.ended(view.ID)
	ended, err := s.commands.Get(context.Background(), view.ID)
	require.NoError(s.t, err)
	return ended
}

const priorityZone = 5

func TestEachKindIsConfirmedByWhatThePanelShows(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	ok := func(kind command.Kind, targets command.Targets, shows string, met func(s *station) bool) {
		t.Helper()
		ended := s.give(kind, targets)
		require.Equal(t, []string{"done", "confirmed"}, []string{ended.State, ended.Result}, "%s: %+v", kind, ended)
		require.Equal(t, int(satel.ResultAccepted), *ended.ResultCode)
		if met != nil {
			s.eventually(shows, func() bool { return met(s) })
		}
	}
	bypassed := func(zones ...int) func(*station) bool {
		return func(s *station) bool { return slices.Equal(s.state().ZonesBypassed, zones) }
	}
	ok(command.Bypass, command.Targets{Zones: []int{3, 11}}, "bypassed", bypassed(3, 11))
	ok(command.Unbypass, command.Targets{Zones: []int{3}}, "one is left", bypassed(11))
	ok(command.Isolate, command.Targets{Zones: []int{4}}, "isolated", bypassed(4, 11))
	on := func(wanted bool) func(*station) bool {
		return func(s *station) bool { return slices.Contains(s.state().OutputsOn, 5) == wanted }
	}
	ok(command.OutputsOn, command.Targets{Outputs: []int{5}}, "on", on(true))
	ok(command.OutputsSwitch, command.Targets{Outputs: []int{5}}, "off again", on(false))
	ok(command.OutputsSwitch, command.Targets{Outputs: []int{5}}, "and on", on(true))
	ok(command.OutputsOff, command.Targets{Outputs: []int{5}}, "off", on(false))
	ok(command.ClearTroubles, command.Targets{}, "", nil)

	_, err := s.panel.Violate(smokeZone)
	require.NoError(t, err)
	_, err = s.panel.RestoreZone(smokeZone)
	require.NoError(t, err)
	s.eventually("there is an alarm", func() bool { return slices.Contains(s.state().PartitionsAlarm, 1) })
	ok(command.ClearAlarm, command.Targets{Partitions: []int{1}}, "no alarm", func(s *station) bool { return len(s.state().PartitionsAlarm) == 0 })

	ended := s.give(command.Arm, command.Targets{Partitions: []int{2}})
	require.Equal(t, "ok", ended.Result, "the panel's answer to arming is final")
	ok(command.Disarm, command.Targets{Partitions: []int{2}}, "disarmed", func(s *station) bool { return len(s.state().ExitTime)+len(s.state().Armed) == 0 })

	ended = s.give(command.OutputsOn, command.Targets{Outputs: []int{20}})
	require.Equal(t, []string{"unknown", "no_effect"}, []string{ended.State, ended.Result}, "there is no such output, and the panel says nothing of it")
	ended = s.give(command.Bypass, command.Targets{Zones: []int{200}})
	require.Equal(t, []string{"refused", "no_object"}, []string{ended.State, ended.Result})
}

func TestWhatStandsInTheWayOfArmingIsNamedAndForcedArmingDoesIt(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.eventually("the names are known", func() bool {
		var n int
		require.NoError(t, s.db.Owner.QueryRow(context.Background(), "SELECT count(*) FROM panel_objects WHERE kind = 'zone' AND name <> ''").Scan(&n))
		return n == 16
	})
	for _, zone := range []int{3, priorityZone, 11} { // 11 is of the other partition
		_, err := s.panel.Violate(zone)
		require.NoError(t, err)
	}
	ended := s.give(command.Arm, command.Targets{Partitions: []int{1}})
	require.Equal(t, []string{"refused", "force_possible"}, []string{ended.State, ended.Result})
	require.Equal(t, []wire.Obstacle{
		{What: "violated", Zone: 3, Name: "Okno wystawowe"}, {What: "violated", Zone: priorityZone, Name: "Drzwi tylne"},
	}, ended.InTheWay)
	ended = s.give(command.ForceArm, command.Targets{Partitions: []int{1}})
	require.Equal(t, []string{"done", "ok"}, []string{ended.State, ended.Result})
	s.eventually("the zones are left out", func() bool { return slices.Equal(s.state().ZonesBypassed, []int{3, priorityZone}) })
	var told []satel.Command
	for _, c := range s.panel.Commands() {
		told = append(told, c.Command)
	}
	require.Equal(t, []satel.Command{satel.CmdArm0, satel.CmdForceArm0}, told, "nothing is tried again by itself")
}

func TestAWrongClockIsSetToTheStations(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.panel.SetClock(time.Now().Add(-90 * time.Minute))
	s.startWorker("w1")
	s.followed()
	s.eventually("the clock is known to be wrong", func() bool { return s.state().ClockOffsetMS < -time.Hour.Milliseconds() })
	ended := s.give(command.SetClock, command.Targets{})
	require.Equal(t, []string{"done", "confirmed"}, []string{ended.State, ended.Result})
	s.eventually("the live state shows it", func() bool { return max(s.state().ClockOffsetMS, -s.state().ClockOffsetMS) <= 2000 })
}

// Twenty orders, one after the other and as many in the queue as may be, and alarms that
// come while they are sent and looked after.
func TestNoAlarmWaitsForOrders(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	const orders, limit = 20, time.Second
	by := s.user
	by.Role = access.Supervisor
	var given []ids.CommandID
	var worst time.Duration
	pressed := 0
	press := func() {
		at := time.Now()
		_, err := s.panel.Violate(panicZone)
		require.NoError(t, err)
		pressed++
		s.eventually("the hold-up is stored", func() bool { return s.count("raw IS NOT NULL AND NOT restore AND zone = $1", panicZone) == pressed })
		worst = max(worst, time.Since(at))
		_, err = s.panel.RestoreZone(panicZone)
		require.NoError(t, err)
		s.eventually("and its end", func() bool { return s.count("raw IS NOT NULL AND restore AND zone = $1", panicZone) == pressed })
	}
	open := func() bool {
		return testkit.One[bool](t, s.db, "SELECT EXISTS (SELECT FROM commands WHERE state IN ('queued', 'executing'))")
	}
	for len(given) < orders || open() {
		for len(given) < orders {
			kind := []command.Kind{command.OutputsOn, command.OutputsOff}[len(given)%2]
			view, err := s.commands.Request(context.Background(), by, command.Order{
				PanelID: s.id, Kind: kind, Targets: command.Targets{Outputs: []int{5}}, Within: command.MaxWithin,
			})
			if errors.Is(err, command.ErrTooMany) {
				break // the queue is full
			}
			require.NoError(t, err)
			given = append(given, view.ID)
		}
		press()
	}
	require.Greater(t, pressed, 3, "alarms and orders at the same time")
	require.Less(t, worst, limit, "the slowest of %d hold-ups", pressed)
	t.Logf("%d hold-ups during %d orders, the slowest stored after %v", pressed, orders, worst)
	told := s.panel.Commands()
	require.Len(t, told, orders)
	for i, id := range given {
		view, err := s.commands.Get(context.Background(), id)
		require.NoError(t, err)
		require.Equal(t, "confirmed", view.Result)
		require.Equal(t, []satel.Command{satel.CmdOutputsOn, satel.CmdOutputsOff}[i%2], told[i].Command, "in the order in which they were given")
	}
}
