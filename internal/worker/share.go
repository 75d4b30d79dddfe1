package worker

import (
	"cmp"
	"slices"
	"time"

	"dozor/internal/live"
)

// Panels that nobody holds are left to whoever's share they are. When nobody takes them
// somebody else does: after adoptAfter what is beyond all shares, as the one that its
// last holder can't reach; after adoptAnyway all, since who should take it does not.
const (
	adoptAfter  = 2 * time.Second
	adoptAnyway = 3 * leaseRound
)

// plan is what a worker does for a fair distribution of the panels.
type plan struct {
	take  int // free panels that belong to its share
	adopt int // free panels beyond it that nobody takes
	give  int // panels that it holds and another's share wants
}

// decide is the plan of a worker that knows of the others what they have said. Unheld is
// for how long panels have been free by what all say.
//
// There is no list of who is to hold which panel: the leases say who does, and what is
// shared out are numbers. So nothing moves but what one has too many and another too few.
func decide(self live.Worker, crew live.Crew, unheld time.Duration) plan {
	room := max(0, self.Capacity-self.Held)
	share := shares(append(slices.Clone(crew.Others), self), crew.Panels)
	free, lacking := crew.Panels-self.Held, 0
	for _, o := range crew.Others {
		free -= o.Held
		lacking += max(0, min(share[o.Instance]-o.Load, o.Capacity-o.Held))
	}
	var p plan
	over := self.Load - share[self.Instance]
	p.take = min(room, max(0, -over))
	p.give = min(max(0, over), lacking)
	switch left := free - p.take; {
	case unheld >= adoptAnyway:
		p.adopt = min(room-p.take, max(0, left))
	case unheld >= adoptAfter:
		p.adopt = min(room-p.take, max(0, left-lacking))
	}
	return p
}

// shares gives each worker the same number of panels, as far as its capacity goes. What
// can't be divided goes to who has the most already, so that it need not move.
func shares(workers []live.Worker, panels int) map[string]int {
	slices.SortFunc(workers, func(a, b live.Worker) int {
		return cmp.Or(cmp.Compare(b.Load, a.Load), cmp.Compare(a.Instance, b.Instance))
	})
	share := make(map[string]int, len(workers))
	for left := panels; left > 0; {
		var open []live.Worker // those with capacity left
		for _, w := range workers {
			if share[w.Instance] < w.Capacity {
				open = append(open, w)
			}
		}
		if len(open) == 0 {
			break
		}
		each := left / len(open)
		for _, w := range open {
			more := min(max(each, 1), w.Capacity-share[w.Instance], left)
			share[w.Instance] += more
			left -= more
		}
	}
	return share
}
