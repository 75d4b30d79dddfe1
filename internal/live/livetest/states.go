package livetest

import (
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// noon is an instant that every store keeps exactly.
var noon = time.Date(2026, 10, 25, 12, 0, 0, 123_000_000, time.UTC)

func stateComesBackWhole(s *scene) {
	p := s.process()
	panels := s.system.Panels(s.t, 3)
	full := live.PanelState{
		PanelID: panels[0], Fence: 1_700_000_000_000, Seq: 7, Link: live.LinkDown, LinkReason: "busy_worker",
		AnsweredAt: noon, ChangedAt: noon.Add(-time.Hour), Model: "INTEGRA 256 Plus", Version: "1.23 2020-01-01",
		ClockOffsetMS: -61_000, ServiceMode: true,
		ZonesViolated: []int{1, 256}, ZonesTampered: []int{2}, ZonesAlarm: []int{3}, ZonesTamperAlarm: []int{4},
		ZonesAlarmMemory: []int{5}, ZonesBypassed: []int{6}, Armed: []int{1, 32}, ArmedMode1: []int{2}, ArmedMode2: []int{3},
		ArmedMode3: []int{4}, EntryTime: []int{5}, ExitTime: []int{6}, PartitionsAlarm: []int{7}, PartitionsFire: []int{8},
		AlarmMemory: []int{9}, OutputsOn: []int{10, 11},
		Trying: &live.Trying{Since: noon, Failures: 7, NextAt: noon.Add(time.Minute), Quarantine: true},
		Holder: "box:1:2", Reach: 9, Module: "2.09", News: live.NewsPolled, ZonesTamperMemory: []int{12}, ZonesIsolated: []int{13},
		ZonesNoViolation: []int{14}, ZonesLongViolation: []int{15}, ZonesMasked: []int{16}, ZonesMaskedMemory: []int{17},
		FireMemory: []int{18}, PartitionsVerified: []int{19}, PartitionsWarning: []int{20}, FirstCode: []int{21}, Blocked: []int{22},
		DoorsOpen: []int{0, 63}, DoorsLong: []int{1}, TroubleMemory: []string{"system.ac"}, Troubles: []string{"battery", "za\u017c\u00f3\u0142\u0107"},
	}
	empty := live.PanelState{PanelID: panels[1], Fence: 1, Seq: 1, Link: live.LinkNone}
	s.put(p, full, empty)
	require.Empty(s.t, cmp.Diff([]live.PanelState{full}, s.states(p, panels[0], panels[2])), "one asked for, one without a state")
	all := map[ids.PanelID]live.PanelState{}
	for _, st := range s.states(p) {
		all[st.PanelID] = st
	}
	require.Empty(s.t, cmp.Diff(map[ids.PanelID]live.PanelState{panels[0]: full, panels[1]: empty}, all))
	s.put(p)
	require.Len(s.t, s.states(p), 2, "nothing put changes nothing")
}

// highestStateWins lets two processes put states of all fences in any order at a time.
func highestStateWins(s *scene) {
	processes := []Process{s.process(), s.process()}
	panels := s.system.Panels(s.t, 4)
	highest := map[ids.PanelID]live.PanelState{}
	var parts [2][][]live.PanelState
	for i := range parts {
		for range 15 {
			var batch []live.PanelState
			for range 1 + s.intn(5) {
				st := live.PanelState{PanelID: panels[s.intn(len(panels))], Fence: int64(1 + s.intn(4)), Seq: int64(1 + s.intn(50)), Link: live.LinkUp}
				// What is equal in fence and sequence is the same state.
				st.ClockOffsetMS = 1000*st.Fence + st.Seq
				batch = append(batch, st)
				if h := highest[st.PanelID]; st.Fence > h.Fence || st.Fence == h.Fence && st.Seq > h.Seq {
					highest[st.PanelID] = st
				}
			}
			parts[i] = append(parts[i], batch)
		}
	}
	var writing sync.WaitGroup
	failed := make(chan error, 64)
	for i, part := range parts {
		writing.Go(func() {
			for _, batch := range part {
				for s.ctx.Err() == nil {
					err := processes[i].States.PutStates(s.ctx, batch)
					if err == nil {
						break
					}
					if s.good() {
						failed <- err
						return
					}
				}
			}
		})
	}
	for range 3 {
		if !s.good() {
			s.weather.fault(processes[0].Way)
			s.states(processes[1])
			processes[0].Way.Heal()
		}
	}
	writing.Wait()
	close(failed)
	for err := range failed {
		require.NoError(s.t, err)
	}
	got := map[ids.PanelID]live.PanelState{}
	for _, st := range s.states(processes[0]) {
		got[st.PanelID] = st
	}
	require.Empty(s.t, cmp.Diff(highest, got))
}

func touchMovesOnlyTheAnswer(s *scene) {
	p := s.process()
	panels := s.system.Panels(s.t, 2)
	st := live.PanelState{PanelID: panels[0], Fence: 10, Seq: 3, Link: live.LinkUp, AnsweredAt: noon, ChangedAt: noon, Armed: []int{1}}
	s.put(p, st)
	at := func(fence int64, after time.Duration) live.Answered {
		return live.Answered{PanelID: panels[0], Fence: fence, AnsweredAt: noon.Add(after)}
	}
	s.touch(p, at(10, time.Second), live.Answered{PanelID: panels[1], Fence: 10, AnsweredAt: noon})
	st.AnsweredAt = noon.Add(time.Second)
	require.Empty(s.t, cmp.Diff([]live.PanelState{st}, s.states(p)), "a panel without a state does not get one")
	s.touch(p, at(10, 0))
	require.Empty(s.t, cmp.Diff([]live.PanelState{st}, s.states(p)), "it never goes back")
	s.touch(p, at(9, time.Hour))
	require.Empty(s.t, cmp.Diff([]live.PanelState{st}, s.states(p)), "a former holder's sign of life does not count")

	st.Seq, st.AnsweredAt, st.Armed = 4, noon.Add(2*time.Second), nil
	s.put(p, st)
	require.Empty(s.t, cmp.Diff([]live.PanelState{st}, s.states(p)), "touching does not stand in the way of the next state")
	s.touch(p)
}
