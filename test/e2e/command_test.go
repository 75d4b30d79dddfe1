package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/test/station"
)

// resultOf waits for the frame that says how a command ended.
func resultOf(screen *station.Screen, id ids.CommandID, within time.Duration) wire.Command {
	f := screen.Wait(0, within, "the result of a command", func(f station.Frame) bool {
		return f.Type == wire.CommandResult && f.Data.Command.ID == id
	})
	return *f.Data.Command
}

func TestArmingIsDoneAndSeen(t *testing.T) {
	t.Parallel()
	s, i, screen := open(t, station.Options{})
	desk, mark := s.Desk(i), screen.Mark()
	panel := s.Panels[0]

	ordered, err := desk.Command(t.Context(), panel.ID, station.Order{Kind: "arm", Partitions: []int{2}, DeadlineS: 10})
	require.NoError(t, err)
	result := resultOf(screen, ordered.ID, 10*time.Second)
	require.Equal(t, "done", result.State)
	screen.Wait(mark, 30*time.Second, "the partition is armed when its exit time is over", func(f station.Frame) bool {
		_, found := station.EventOf(f, func(e wire.Event) bool { return e.Partition == 2 && e.PanelID == panel.ID })
		return f.Type == wire.PanelArmed && found
	})

	ordered, err = desk.Command(t.Context(), panel.ID, station.Order{Kind: "disarm", Partitions: []int{2}, DeadlineS: 10})
	require.NoError(t, err)
	require.Equal(t, "done", resultOf(screen, ordered.ID, 10*time.Second).State)
	screen.Wait(mark, 5*time.Second, "the partition is disarmed", func(f station.Frame) bool { return f.Type == wire.PanelDisarmed })
	s.Compare(screen, 30*time.Second)
}

func TestWrongCodeIsRefused(t *testing.T) {
	t.Parallel()
	s := station.New(t, station.Options{Sim: quick})
	i := s.Instance("dozor", station.AllRoles)
	i.Start("")
	i.Ready(30 * time.Second)
	desk := s.Desk(i)
	screen := desk.Screen()
	panel := s.AddPanel(1, "9876")
	s.Connected(30 * time.Second)

	ordered, err := desk.Command(t.Context(), panel.ID, station.Order{Kind: "arm", Partitions: []int{1}})
	require.NoError(t, err)
	result := resultOf(screen, ordered.ID, 15*time.Second)
	require.Equal(t, "refused", result.State)
	require.Equal(t, "wrong_code", result.Result)
	require.Equal(t, "disarmed", s.Sim.Panel(1).Partitions[0].Phase)
	s.Compare(screen, 30*time.Second)
}

// An order whose time runs out while the panel does not answer is never carried out later: neither when the panel answers
// again, nor over the next connection.
func TestCommandNeverActsLate(t *testing.T) {
	t.Parallel()
	s, i, screen := open(t, station.Options{})
	desk, panel := s.Desk(i), s.Panels[0]
	s.Sim.Act(1, "link/hang")
	sent, err := desk.Command(t.Context(), panel.ID, station.Order{Kind: "arm", Partitions: []int{1}, DeadlineS: 5})
	require.NoError(t, err, "the link was up a moment ago")
	result := resultOf(screen, sent.ID, 30*time.Second)
	require.Contains(t, []string{"unknown", "expired", "refused"}, result.State, "%+v", result)
	require.Greater(t, time.Until(result.DeadlineAt), -8*time.Second, "said soon after the deadline")
	// The rest of the deadline, if it was said before.
	s.Eventually(10*time.Second, "the deadline has passed", "SELECT deadline_at < dozor_now() FROM commands WHERE id = $1", sent.ID)

	mark := screen.Mark()
	s.Sim.Act(1, "link/restore")
	s.Connected(60 * time.Second)
	s.Sim.Act(1, "zones/8/violate")
	screen.Wait(mark, 10*time.Second, "the panel is watched again", alarmBy(8))
	told, _ := s.Sim.Commands(1)
	require.Empty(t, told, "the panel was never told")
	require.Equal(t, "disarmed", s.Sim.Panel(1).Partitions[0].Phase)
	s.Compare(screen, 30*time.Second)
}
