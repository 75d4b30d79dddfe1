package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/wire"
	"dozor/test/station"
)

func TestMain(m *testing.M) { station.Main(m) }

// quick are settings of simulated panels that answer fast: the station's own share of the time is what counts.
var quick = []string{"--answer-delay=2ms", "--min-gap=1ms", "--log-delay=100ms"}

// open begins a station with all roles in one process and the panels that are asked for, connected.
func open(t *testing.T, o station.Options) (*station.Station, *station.Instance, *station.Screen) {
	t.Helper()
	if o.Sim == nil {
		o.Sim = quick
	}
	s := station.New(t, o)
	i := s.Instance("dozor", station.AllRoles)
	i.Start("")
	i.Ready(30 * time.Second)
	screen := s.Desk(i).Screen()
	s.AddPanels(max(o.Panels, 1))
	s.Connected(30 * time.Second)
	return s, i, screen
}

// alarmBy returns a wish for a frame with an alarm that an event of a zone has opened or joined.
func alarmBy(zone int) func(station.Frame) bool {
	return func(f station.Frame) bool {
		_, found := station.EventOf(f, func(e wire.Event) bool { return e.Zone == zone && !e.Restore })
		return found && f.Data.Alarm != nil
	}
}

// onTime asserts that a frame was on the screen within a second of what the panel noticed at an instant.
func onTime(t *testing.T, f station.Frame, at time.Time, allowed time.Duration) {
	t.Helper()
	require.Less(t, f.SeenAt.Sub(at), time.Second+allowed, "from the panel to the screen")
}
