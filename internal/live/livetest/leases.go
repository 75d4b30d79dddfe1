package livetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
)

func panelsOf(leases []live.Lease) []ids.PanelID {
	panels := make([]ids.PanelID, len(leases))
	for i, l := range leases {
		panels[i] = l.PanelID
	}
	return panels
}

func noPanelTwice(s *scene) {
	processes := []Process{s.process(), s.process()}
	s.system.Panels(s.t, 60)
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		holder = map[ids.PanelID]string{}
		wrong  []string
	)
	for n := range 6 {
		p, name := processes[n%len(processes)], fmt.Sprintf("worker %d", n)
		asking.Go(func() {
			for range 12 {
				ctx, cancel := context.WithTimeout(s.ctx, patience)
				leases, err := p.Leases.Acquire(ctx, name, 2, nil, long)
				cancel()
				mu.Lock()
				if err != nil && s.good() {
					wrong = append(wrong, err.Error())
				}
				if len(leases) > 2 {
					wrong = append(wrong, fmt.Sprintf("%d leases for 2", len(leases)))
				}
				for _, l := range leases {
					if other, ok := holder[l.PanelID]; ok {
						wrong = append(wrong, fmt.Sprintf("panel %d was granted to %s and %s", l.PanelID, other, name))
					}
					holder[l.PanelID] = name
				}
				mu.Unlock()
			}
		})
	}
	if !s.good() {
		s.weather.fault(processes[0].Way)
		s.fences(processes[1], 1)
		processes[0].Way.Heal()
	}
	asking.Wait()
	require.Empty(s.t, wrong)
	if s.good() {
		require.Len(s.t, holder, 60, "who asks beside others gets what is free, in the end")
	}
}

func onlyFreeAndEnabledAreGranted(s *scene) {
	p := s.process()
	panels := s.system.Panels(s.t, 4)
	s.system.Disable(s.t, panels[0])
	got := s.acquire(p, "a", 10, []ids.PanelID{panels[1]}, long)
	if s.good() {
		require.ElementsMatch(s.t, panels[2:], panelsOf(got))
	}
	require.NotContains(s.t, panelsOf(got), panels[0], "a disabled panel")
	require.NotContains(s.t, panelsOf(got), panels[1], "an excepted panel")
	require.Empty(s.t, s.acquire(p, "b", 0, nil, long))
	rest := s.acquire(p, "b", 10, nil, long)
	require.NotContains(s.t, panelsOf(rest), panels[0])
	for _, l := range got {
		require.NotContains(s.t, panelsOf(rest), l.PanelID, "held by another")
		require.Positive(s.t, l.Fence)
		require.NotEmpty(s.t, l.Timeline)
	}
	require.Empty(s.t, s.acquire(p, "c", 10, nil, long), "nothing is free")
}

func longestFreeFirst(s *scene) {
	p := s.process()
	s.system.Panels(s.t, 3)
	held := s.acquireAll(p, "a", 3, 10*short)
	for _, l := range []live.Lease{held[1], held[2], held[0]} {
		// Stores may count time in milliseconds.
		last := time.Now().UnixMilli()
		s.eventually(func() bool { return time.Now().UnixMilli() > last+1 }, "time passes")
		s.release(p, "a", l)
	}
	if !s.good() {
		return // a grant whose answer was lost changes who was free longest
	}
	for _, want := range []live.Lease{held[1], held[2], held[0]} {
		got := s.acquire(p, "b", 1, nil, long)
		require.Len(s.t, got, 1)
		require.Equal(s.t, want.PanelID, got[0].PanelID)
		require.Greater(s.t, got[0].Fence, want.Fence)
	}
}

func renewedLeaseIsKept(s *scene) {
	p, other := s.process(), s.process()
	s.system.Panels(s.t, 2)
	const ttl = 4 * short
	held := s.acquireAll(p, "a", 2, ttl)
	first := held[0].Until
	// Past the first time to live; each round renews well before the end.
	for time.Now().Before(first.Add(short)) {
		s.weatherless(func() {
			require.Empty(s.t, s.acquire(other, "b", 10, nil, ttl), "renewed leases are not free")
		})
		renewed := s.renew(p, "a", held, ttl)
		require.ElementsMatch(s.t, panelsOf(held), panelsOf(renewed))
		for _, l := range renewed {
			require.True(s.t, l.Until.After(time.Now()))
		}
	}
	require.Empty(s.t, s.renew(other, "b", held, ttl), "nobody renews another's lease")
	stale := held[0]
	stale.Fence--
	require.Empty(s.t, s.renew(p, "a", []live.Lease{stale}, ttl), "nor one of another fence")
	require.Empty(s.t, s.renew(p, "a", nil, ttl))
	s.release(other, "b", held...)
	s.release(p, "a", stale)
	require.Len(s.t, s.renew(p, "a", held, ttl), 2, "releasing what is not one's own does nothing")
	s.system.Disable(s.t, held[0].PanelID)
	// A store that keeps leases beside the database may renew while that is away, and
	// learns what has changed in it afterwards.
	s.weatherless(func() {
		require.Equal(s.t, panelsOf(held[1:]), panelsOf(s.renew(p, "a", held, ttl)), "a panel that was disabled is not held any more")
	})
}

func lapsedLeaseGoesToAnother(s *scene) {
	p, other := s.process(), s.process()
	s.system.Panels(s.t, 1)
	held := s.acquireAll(p, "a", 1, short)
	taken := s.acquireAll(other, "b", 1, 4*short)
	require.False(s.t, time.Now().Before(held[0].Until), "the holder could trust its lease until %v", held[0].Until)
	require.Greater(s.t, taken[0].Fence, held[0].Fence)
	require.Empty(s.t, s.renew(p, "a", held, long), "the former holder learns of it")
	s.release(p, "a", held...)
	require.Len(s.t, s.renew(other, "b", taken, long), 1, "the former holder's release touches nothing")
	require.Equal(s.t, map[ids.PanelID]int64{taken[0].PanelID: taken[0].Fence}, s.fences(p, taken[0].PanelID))
	s.release(other, "b", taken...)
	require.Empty(s.t, s.renew(other, "b", taken, long), "what was released is not held")
	require.Len(s.t, s.acquireAll(p, "a", 1, short), 1)
}

func fencesNeverRepeat(s *scene) {
	processes := []Process{s.process(), s.process()}
	panels := s.system.Panels(s.t, 2)
	last := map[ids.PanelID]int64{}
	for round := range 16 {
		p, holder := processes[round%2], fmt.Sprintf("worker %d", round%3)
		ttl := short
		if round%5 == 4 {
			ttl = 20 * time.Millisecond // lapses by itself
		}
		for _, l := range s.acquireAll(p, holder, 1+s.intn(2), ttl) {
			require.Greater(s.t, l.Fence, last[l.PanelID], "panel %d, round %d", l.PanelID, round)
			last[l.PanelID] = l.Fence
			require.GreaterOrEqual(s.t, s.fences(p, l.PanelID)[l.PanelID], l.Fence)
			if round%5 != 4 {
				s.release(p, holder, l)
			}
		}
	}
	fences := s.fences(processes[0], panels...)
	require.Len(s.t, fences, 2)
	for panel, fence := range last {
		require.GreaterOrEqual(s.t, fences[panel], fence)
	}
	never := s.system.Panels(s.t, 1)
	require.Empty(s.t, s.fences(processes[0], never...), "a panel that was never granted has no fence")
}

func untilCountsFromBefore(s *scene) {
	p := s.process()
	s.system.Panels(s.t, 1)
	s.fences(p, 1) // the connection stands
	before := time.Now()
	var held []live.Lease
	for len(held) == 0 {
		require.NoError(s.t, s.ctx.Err())
		p.Way.Stall()
		healing := time.AfterFunc(trouble, p.Way.Heal)
		before = time.Now()
		leases, err := p.Leases.Acquire(s.ctx, "a", 1, nil, long)
		if !healing.Stop() && err == nil {
			held = leases
		}
		p.Way.Heal()
	}
	require.False(s.t, held[0].Until.Before(before.Add(long)))
	require.True(s.t, held[0].Until.Before(time.Now().Add(long-trouble/2)), "the time on the way is not the holder's")
	renewed := s.renew(p, "a", held, 2*long)
	require.Len(s.t, renewed, 1)
	require.True(s.t, renewed[0].Until.After(held[0].Until))
	require.False(s.t, renewed[0].Until.After(time.Now().Add(2*long)))
}

func timelineIsThatOfTheGrant(s *scene) {
	p := s.process()
	s.system.Panels(s.t, 1)
	held := s.acquireAll(p, "a", 1, short)
	same := s.renew(p, "a", held, long)
	require.Len(s.t, same, 1)
	require.Equal(s.t, held[0].Timeline, same[0].Timeline)
	s.system.NewTimeline(s.t)
	var renewed []live.Lease
	s.weatherless(func() { renewed = s.renew(p, "a", held, short) })
	require.Len(s.t, renewed, 1)
	require.NotEqual(s.t, held[0].Timeline, renewed[0].Timeline, "the holder learns that the database lives another life")
	s.release(p, "a", renewed...)
	again := s.acquireAll(p, "b", 1, short)
	require.Equal(s.t, renewed[0].Timeline, again[0].Timeline)
}

// weatherless runs f on a way that does not break by itself.
func (s *scene) weatherless(f func()) {
	w := s.weather
	s.weather = weathers[0]
	defer func() { s.weather = w }()
	f()
}
