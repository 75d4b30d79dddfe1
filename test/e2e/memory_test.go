package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// small is a panel with a small memory.
var small = append([]string{"--model=INTEGRA 24"}, quick...)

// gap is a wish for the frame that says that records of a memory can't be read any more.
func gap(f station.Frame) bool { return f.Data.Alarm != nil && f.Data.Alarm.Kind == "memory_gap" }

// A memory that has come round while nobody could read it: what it still holds is there once, what it overwrote is said.
func TestMemoryThatWrappedIsSaid(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]uint64{"after it was read": 30, "after it was seen to be empty": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, screen := open(t, station.Options{Sim: small})
			panel := s.Panels[0]
			s.Eventually(10*time.Second, "the log of the panel has begun", "SELECT EXISTS (SELECT FROM panel_logs)")
			if before > 0 {
				s.Sim.Act(1, fmt.Sprintf("burst?events=%d", before))
				s.Stored(panel, 10*time.Second)
				s.Eventually(10*time.Second, "the walk is over", walked)
			}
			size := uint64(s.Sim.Panel(1).LogSize)

			mark := screen.Mark()
			s.Sim.Act(1, "link/drop")
			s.Sim.Act(1, "burst?events=700") // no record equals the one that lay at its place before
			s.Sim.Act(1, "link/restore")
			screen.Wait(mark, time.Minute, "the gap", gap)

			newest := uint64(len(s.Sim.Events(1)))
			require.Greater(t, newest-size, before, "the memory has wrapped")
			s.Eventually(time.Minute, "the walk is over", walked)
			d, err := s.Difference(panel)
			require.NoError(t, err)
			require.Empty(t, d.Doubled, "%v", d)
			require.Empty(t, d.Foreign, "%v", d)
			require.Empty(t, d.Order, "%v", d)
			require.Len(t, d.Missing, int(newest-size-before), "%v", d)
			require.Equal(t, before+1, d.Missing[0].Sequence)
			require.Equal(t, newest-size, d.Missing[len(d.Missing)-1].Sequence)
			require.Equal(t, 1, station.One[int](s, "SELECT count(*) FROM alarms WHERE kind = 'memory_gap'"))
			if before > 0 {
				require.Greater(t, station.One[int](s, "SELECT epoch FROM panel_logs"), 1)
				require.Equal(t, 1, station.One[int](s, "SELECT count(*) FROM panel_log_epochs WHERE epoch = 2 AND reason <> ''"))
			}

			// Life goes on.
			mark = screen.Mark()
			acted := s.Sim.Act(1, "zones/15/tamper")
			onTime(t, screen.Wait(mark, 20*time.Second, "a sabotage afterwards", alarmBy(15)), acted.At, 0)
		})
	}
}

// walked asks whether every walk has come to its end.
const walked = "SELECT NOT EXISTS (SELECT FROM panel_log_segments WHERE state = 'open')"

// A memory that was erased counts its places from the beginning: records at places that were read before are new ones,
// nothing comes twice, and what may have been lost with the old one is said.
func TestMemoryThatWasErasedIsSaid(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"while it was read": false, "while the link was away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, screen := open(t, station.Options{Sim: small})
			panel := s.Panels[0]
			s.Sim.Act(1, "burst?events=20")
			s.Stored(panel, 10*time.Second)

			mark := screen.Mark()
			if away {
				s.Sim.Act(1, "link/drop")
			}
			s.Sim.Act(1, "memory/erase")
			s.Sim.Act(1, "burst?events=30")
			s.Sim.Act(1, "partitions/1/panic")
			if away {
				s.Sim.Act(1, "link/restore")
			}
			screen.Wait(mark, time.Minute, "the gap", gap)
			screen.Wait(mark, time.Minute, "the hold-up", panicAlarm)
			s.Compare(screen, time.Minute)
			require.Equal(t, 1, station.One[int](s, "SELECT count(*) FROM alarms WHERE kind = 'memory_gap'"))
		})
	}
}
