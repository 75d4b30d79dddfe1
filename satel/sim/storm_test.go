package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// town makes a few small panels.
func town(t *testing.T, n int) []*Panel {
	t.Helper()
	panels, err := NewPanels(n, Config{LogCapacity: 50, LogDelay: -1, AnswerDelay: -1, MinGap: -1, Seed: 3})
	require.NoError(t, err)
	return panels
}

func TestSameSeedGivesTheSameStorm(t *testing.T) {
	one := planStorm(town(t, 20), 7, 5*time.Minute)
	require.Equal(t, one, planStorm(town(t, 20), 7, 5*time.Minute))
	require.NotEqual(t, one, planStorm(town(t, 20), 8, 5*time.Minute))
	require.Len(t, one, 20*60)
	kinds := map[StrikeKind]int{}
	for i, s := range one {
		kinds[s.Kind]++
		require.LessOrEqual(t, s.At+s.For, 5*time.Minute)
		require.True(t, i == 0 || one[i-1].At <= s.At)
		require.Equal(t, s.Kind == StrikeAlarm, s.Zone != 0)
	}
	for _, w := range strikeWeights {
		require.Positive(t, kinds[w.kind], w.kind)
	}
	require.NotEmpty(t, planStorm(town(t, 1), 7, time.Millisecond), "a short storm strikes once")
}

// The same seed leaves the same alarms behind, each once.
func TestStormEndsInCalmAndLeavesItsTruth(t *testing.T) {
	const length = 3 * time.Second
	alarms := map[int][]string{}
	for range 2 {
		panels := town(t, 60)
		s := serve(t, panels...)
		a := newAPI(t, s)
		status, _ := a.send(http.MethodGet, "/storm", "")
		require.Equal(t, http.StatusNotFound, status)
		panels[0].Record(numbered(t, 1))
		clocks := make([]time.Duration, len(panels))
		for i, p := range panels {
			clocks[i] = p.clockError
		}
		a.must(http.MethodPost, "/storm?seed=5&ms="+"3000", "")
		status, _ = a.send(http.MethodPost, "/storm?ms=10", "")
		require.Equal(t, http.StatusConflict, status)
		var told stormView
		eventually(t, func() bool {
			_, body := a.send(http.MethodGet, "/storm", "")
			told = stormView{}
			require.NoError(t, json.Unmarshal([]byte(body), &told))
			return !told.Running
		})
		require.Equal(t, len(told.Strikes), told.Struck)
		require.Equal(t, length.Milliseconds(), told.MS)
		require.Equal(t, uint64(1), told.Panels[0].Before)
		for i, p := range panels {
			state := p.State()
			require.Equal(t, "normal", state.Link)
			require.Equal(t, clocks[i], p.clockError)
			for _, z := range state.Zones {
				require.False(t, z.Violated || z.Alarm || z.AlarmMemory, "panel %d zone %d", i+1, z.Number)
			}
			w := dial(t, s, i+1)
			require.Equal(t, satel.CmdClock, w.ask(satel.CmdClock).Cmd)
			require.NoError(t, w.Close())
			var zones []string
			for _, e := range p.Events(told.Panels[i].Before, 0) {
				if e.Record.Class() == satel.ClassZoneAlarm && !e.Record.Restore() {
					zones = append(zones, texts(p.Model(), []Event{e})...)
				}
			}
			if before, there := alarms[i]; there {
				require.Equal(t, before, zones, "panel %d", i+1)
			}
			alarms[i] = zones
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, s.Stop(ctx))
		cancel()
	}
}

func TestStormCanBeEnded(t *testing.T) {
	panels := town(t, 3)
	s := serve(t, panels...)
	require.ErrorIs(t, s.StartStorm(1, 0), ErrInvalid)
	require.NoError(t, s.StartStorm(1, time.Hour))
	newAPI(t, s).must(http.MethodDelete, "/storm", "")
	eventually(t, func() bool { report, _ := s.Storm(); return !report.Running })
	require.NoError(t, s.StartStorm(1, time.Hour), "and the server's end is that of the next")
}
