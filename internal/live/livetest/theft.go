package livetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// trust is the time in which somebody acted on a lease.
type trust struct {
	panel       ids.PanelID
	fence       int64
	from, until time.Time
	holder      string
}

// twoNeverTrustOnePanel lets holders take, keep, forget and give back the same few panels,
// some over a way that breaks: nobody may still trust a lease when another is granted.
func twoNeverTrustOnePanel(s *scene) {
	processes := []Process{s.process(), s.process()}
	s.system.Panels(s.t, 3)
	const ttl = short
	var (
		mu     sync.Mutex
		trusts []trust
		taking sync.WaitGroup
	)
	end := time.Now().Add(12 * ttl)
	for n := range 4 {
		p, name := processes[n%len(processes)], fmt.Sprintf("worker %d", n)
		taking.Go(func() {
			for round := 0; time.Now().Before(end); round++ {
				leases := s.takeOnce(p, name, ttl)
				for _, l := range leases {
					from := time.Now()
					// Keep it for a few renewals, then give it back or let it lapse.
					for range s.intn(3) {
						renewed := s.renewOnce(p, name, l, ttl)
						if len(renewed) == 0 {
							break
						}
						l.Until = renewed[0].Until
					}
					until := l.Until
					if s.intn(2) == 0 {
						if now := time.Now(); now.Before(until) {
							until = now
						}
						s.releaseOnce(p, name, l)
					}
					mu.Lock()
					trusts = append(trusts, trust{panel: l.PanelID, fence: l.Fence, from: from, until: until, holder: name})
					mu.Unlock()
				}
			}
		})
	}
	for !s.good() && time.Now().Before(end.Add(-3*ttl)) {
		s.weather.fault(processes[0].Way)
		s.fences(processes[1], 1)
		processes[0].Way.Heal()
		s.fences(processes[0], 1)
	}
	taking.Wait()
	require.NotEmpty(s.t, trusts)
	slices.SortFunc(trusts, func(a, b trust) int { return int(a.fence - b.fence) })
	last := map[ids.PanelID]trust{}
	for _, now := range trusts {
		before, ok := last[now.panel]
		if ok {
			require.NotEqual(s.t, before.fence, now.fence, "panel %d: %s and %s got one fence", now.panel, before.holder, now.holder)
			require.False(s.t, now.from.Before(before.until), "panel %d: %s got it %v before %s ceased to trust its lease",
				now.panel, now.holder, before.until.Sub(now.from), before.holder)
		}
		last[now.panel] = now
	}
}

// takeOnce, renewOnce and releaseOnce try one time: an error leaves what was.
func (s *scene) takeOnce(p Process, holder string, ttl time.Duration) []live.Lease {
	ctx, cancel := context.WithTimeout(s.ctx, trouble)
	defer cancel()
	leases, err := p.Leases.Acquire(ctx, holder, 1, nil, ttl)
	if err != nil {
		return nil
	}
	return leases
}

func (s *scene) renewOnce(p Process, holder string, l live.Lease, ttl time.Duration) []live.Lease {
	ctx, cancel := context.WithTimeout(s.ctx, trouble)
	defer cancel()
	leases, err := p.Leases.Renew(ctx, holder, []live.Lease{l}, ttl)
	if err != nil {
		return nil
	}
	return leases
}

func (s *scene) releaseOnce(p Process, holder string, l live.Lease) {
	ctx, cancel := context.WithTimeout(s.ctx, trouble)
	defer cancel()
	_ = p.Leases.Release(ctx, holder, []live.Lease{l})
}

// formerHolderWritesNothing: who lost the panel without knowing writes on for a while.
func formerHolderWritesNothing(s *scene) {
	p, other := s.process(), s.process()
	s.system.Panels(s.t, 1)
	held := s.acquireAll(p, "a", 1, short)
	old := live.PanelState{PanelID: held[0].PanelID, Fence: held[0].Fence, Seq: 70, Link: live.LinkUp, AnsweredAt: noon, Armed: []int{1}}
	s.put(p, old)
	taken := s.acquireAll(other, "b", 1, 4*short)
	now := live.PanelState{PanelID: taken[0].PanelID, Fence: taken[0].Fence, Seq: 1, Link: live.LinkConnecting, AnsweredAt: noon}
	s.put(other, now)
	old.Seq++
	s.put(p, old)
	s.touch(p, live.Answered{PanelID: old.PanelID, Fence: old.Fence, AnsweredAt: noon.Add(time.Minute)})
	require.Empty(s.t, cmp.Diff([]live.PanelState{now}, s.states(p)))
}
