package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// takeover is how long the panels of a worker that died may be without one.
const takeover = 15 * time.Second

// Two processes with all roles: whichever dies, the other has its panels in time, and its screens go on there, without a
// gap.
func TestOneOfTwoProcessesDies(t *testing.T) {
	t.Parallel()
	s := station.New(t, station.Options{Sim: quick})
	first, second := s.Instance("first", station.AllRoles), s.Instance("second", station.AllRoles)
	first.Start("")
	second.Start("")
	first.Ready(30 * time.Second)
	second.Ready(30 * time.Second)
	screen := s.Desk(first, second).Screen()
	s.AddPanels(1)
	s.Connected(30 * time.Second)

	dies, stays := first, second
	for range 2 {
		// The one that has the panel is the one to die.
		if holder := station.One[string](s, "SELECT holder FROM leases"); holder[:5] != dies.Name()[:5] {
			dies, stays = stays, dies
		}
		mark := screen.Mark()
		killed := time.Now()
		dies.Kill()
		s.Sim.Act(1, "partitions/1/panic")
		f := screen.Wait(mark, time.Minute, "the hold-up that nobody watched", panicAlarm)
		require.Less(t, f.SeenAt.Sub(killed), takeover, "another worker has the panel")
		dies.Start("")
		dies.Ready(30 * time.Second)
		dies, stays = stays, dies
	}
	_, resets := screen.Connections()
	require.Zero(t, resets, "a client goes on where it was")
	s.Compare(screen, 30*time.Second)
}

// Of two API instances one dies: its client goes on at the other.
func TestClientResumesAtTheOtherInstance(t *testing.T) {
	t.Parallel()
	s := station.New(t, station.Options{Sim: quick})
	back := s.Instance("back", "worker,relay")
	first, second := s.Instance("first", "api"), s.Instance("second", "api")
	for _, i := range []*station.Instance{back, first, second} {
		i.Start("")
	}
	for _, i := range []*station.Instance{back, first, second} {
		i.Ready(30 * time.Second)
	}
	screen := s.Desk(first, second).Screen()
	s.AddPanels(1)
	s.Connected(30 * time.Second)
	for n, dies := range []*station.Instance{first, second} {
		require.Eventually(t, func() bool { dials, _ := screen.Connections(); return dials == n+1 }, 30*time.Second, 20*time.Millisecond)
		s.Sim.Act(1, "burst?events=60")
		mark := screen.Mark()
		dies.Kill()
		killed := time.Now()
		s.Sim.Act(1, "partitions/2/panic")
		f := screen.Wait(mark, 30*time.Second, "a hold-up, at the other instance", panicAlarm)
		require.Less(t, f.SeenAt.Sub(killed), 5*time.Second)
		dies.Start("")
		dies.Ready(30 * time.Second)
	}
	_, resets := screen.Connections()
	require.Zero(t, resets)
	s.Compare(screen, 30*time.Second)
}

// A process that is asked to stop says good-bye to its clients, gives its panels away and ends, all in a few seconds.
func TestStopsWhenAsked(t *testing.T) {
	t.Parallel()
	s, i, screen := open(t, station.Options{})
	s.Sim.Act(1, "burst?events=60")
	asked := time.Now()
	i.Signal(syscall.SIGTERM)
	code, sig := i.WaitEnd(10 * time.Second)
	require.Zero(t, sig)
	require.Zero(t, code, i.Log())
	require.Less(t, time.Since(asked), 6*time.Second)
	require.True(t, station.One[bool](s, "SELECT NOT EXISTS (SELECT FROM leases WHERE expires_at > dozor_now())"), "panels were given back")
	require.True(t, screen.WasToldToReconnect(), "clients were told")

	// What came to be while nobody was there is there afterwards; the panel is taken without any waiting for a lease.
	s.Sim.Act(1, "partitions/1/panic")
	mark, again := screen.Mark(), time.Now()
	i.Start("")
	f := screen.Wait(mark, 30*time.Second, "the hold-up", panicAlarm)
	require.Less(t, f.SeenAt.Sub(again), 10*time.Second)
	s.Compare(screen, 30*time.Second)
}
