package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// settle is how long the station may take to catch up after the last kill: the lease of the dead worker, and messages that
// wait for their second sending.
const settle = 2 * time.Minute

// The whole station in one process dies seven times.
func TestWholeStationIsKilled(t *testing.T) {
	t.Parallel()
	r := station.Dice(t)
	s := station.New(t, station.Options{Panels: panels, Sim: quick})
	i := s.Instance("dozor", station.AllRoles)
	i.Start("")
	i.Ready(time.Minute)
	desk := s.Desk(i)
	screen := desk.Screen()
	s.AddPanels(panels)
	s.Connected(time.Minute)
	town := s.Live(desk, r)

	i.Kill()
	for _, point := range append(station.Moments(r, "worker")[:4], station.Moments(r, "")[:3]...) {
		order := station.AtMoment(r, point, "kill")
		t.Logf("%s kill at %s", time.Now().UTC().Format(time.TimeOnly), order)
		i.Start(order)
		i.Expect()
		_, signal := i.WaitEnd(killTime)
		require.Equal(t, syscall.SIGKILL, signal, "%s ends the process", order)
	}
	i.Start("")
	i.Ready(time.Minute)
	s.Connected(time.Minute)
	town.Rest()
	s.Compare(screen, settle)
}

// Each role in a process of its own; each dies a few times while the others go on.
func TestEachRoleIsKilled(t *testing.T) {
	t.Parallel()
	r := station.Dice(t)
	s := station.New(t, station.Options{Panels: panels, Sim: quick})
	type part struct {
		*station.Instance
		plan []string // orders that are to come
		now  string
		till time.Time
	}
	var parts []*part
	for _, role := range []struct {
		name  string
		kills int
	}{{"worker", 3}, {"api", 3}, {"relay", 2}} {
		p := &part{Instance: s.Instance(role.name, role.name)}
		points := station.Moments(r, role.name)
		for n := range role.kills {
			p.plan = append(p.plan, station.AtMoment(r, points[n%len(points)], "kill"))
		}
		p.Start("")
		parts = append(parts, p)
	}
	for _, p := range parts {
		p.Ready(time.Minute)
	}
	desk := s.Desk(parts[1].Instance)
	screen := desk.Screen()
	s.AddPanels(panels)
	s.Connected(time.Minute)
	town := s.Live(desk, r)

	for _, p := range parts {
		p.Kill()
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for alive := 0; alive < len(parts); <-tick.C {
		alive = 0
		for _, p := range parts {
			switch {
			case p.Running() && p.now == "":
				alive++
			case p.Running():
				require.True(t, time.Now().Before(p.till), "%s does not come to %s", p.Name(), p.now)
			default:
				_, signal := p.WaitEnd(time.Second)
				require.Equal(t, syscall.SIGKILL, signal, "%s ends %s", p.now, p.Name())
				p.now, p.till = "", time.Now().Add(killTime)
				if len(p.plan) > 0 {
					p.now, p.plan = p.plan[0], p.plan[1:]
					t.Logf("%s kill at %s", time.Now().UTC().Format(time.TimeOnly), p.now)
				}
				p.Start(p.now)
				if p.now != "" {
					p.Expect()
				}
			}
		}
	}
	for _, p := range parts {
		p.Ready(time.Minute)
	}
	s.Connected(time.Minute)
	town.Rest()
	s.Compare(screen, settle)
}

// PostgreSQL loses its power five times, each time at a moment when dozor has something to lose. dozor lives through it.
func TestDatabaseIsKilled(t *testing.T) {
	t.Parallel()
	r := station.Dice(t)
	s := station.New(t, station.Options{Panels: panels, Sim: quick, OwnPostgres: true})
	powerCut := writePowerCut(t, s)
	i := s.Instance("dozor", station.AllRoles)
	i.Start("")
	i.Ready(time.Minute)
	desk := s.Desk(i)
	screen := desk.Screen()
	s.AddPanels(panels)
	s.Connected(time.Minute)
	town := s.Live(desk, r)

	for _, point := range station.Moments(r, "")[:5] {
		stop(t, i)
		order := station.AtMoment(r, point, "run:"+powerCut)
		t.Logf("%s power cut at %s", time.Now().UTC().Format(time.TimeOnly), order)
		i.Start(order)
		require.Eventually(t, func() bool { return s.Postgres.PID() == 0 || !i.Running() }, killTime, 10*time.Millisecond, order)
		require.True(t, i.Running(), "dozor lives")
		// What is left of its processes may hold its memory for a moment.
		require.Eventually(t, func() bool { return s.Postgres.Restart(context.Background()) == nil }, time.Minute, 50*time.Millisecond)
		s.Connected(time.Minute)
		passes(t, s, screen, r)
	}
	town.Rest()
	s.Compare(screen, settle)
}

// stop asks the process to end, and it does.
func stop(t *testing.T, i *station.Instance) {
	t.Helper()
	i.Signal(syscall.SIGTERM)
	code, signal := i.WaitEnd(20 * time.Second)
	require.Zero(t, signal)
	require.Zero(t, code)
}

// passes waits until an alarm of now is on the screen.
func passes(t *testing.T, s *station.Station, screen *station.Screen, r *rand.Rand) {
	t.Helper()
	p := s.Panels[r.IntN(len(s.Panels))]
	mark := screen.Mark()
	s.Sim.Act(p.Number, fmt.Sprintf("partitions/%d/panic", 1+r.IntN(2)))
	screen.Wait(mark, time.Minute, "an alarm comes through", func(f station.Frame) bool {
		return f.Data.Alarm != nil && f.Data.Alarm.PanelID == p.ID && f.Data.Alarm.Kind == "panic"
	})
}

// writePowerCut writes a program that ends PostgreSQL as a power cut does: all of its processes, none of which has time for
// anything. Its processes are not one group, so the one that starts others is stopped first.
func writePowerCut(t *testing.T, s *station.Station) string {
	t.Helper()
	path := filepath.Join(s.Dir, "powercut")
	pid := filepath.Join(s.Postgres.Dir(), "postmaster.pid")
	script := fmt.Sprintf("#!/bin/sh\nset -e\nread -r postmaster < '%s'\nkill -STOP \"$postmaster\"\nkill -KILL $(pgrep -P \"$postmaster\") \"$postmaster\"\n", pid)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o700)) //nolint:gosec // it is a program
	return path
}
