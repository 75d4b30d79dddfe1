package worker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/live"
)

func TestSharesDifferByOneAndWhatIsOverStaysWhereItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		panels := rapid.IntRange(0, 6000).Draw(t, "panels")
		workers := make([]live.Worker, rapid.IntRange(1, 9).Draw(t, "workers"))
		room := 0
		for i := range workers {
			workers[i] = live.Worker{
				Instance: fmt.Sprint("w", i), Load: rapid.IntRange(0, 900).Draw(t, "load"), Capacity: rapid.IntRange(0, 1500).Draw(t, "capacity"),
			}
			room += workers[i].Capacity
		}
		share := shares(slices.Clone(workers), panels)
		sum, most := 0, 0
		for _, w := range workers {
			sum += share[w.Instance]
			most = max(most, share[w.Instance])
			require.LessOrEqual(t, share[w.Instance], w.Capacity)
		}
		require.Equal(t, min(panels, room), sum, "everything that there is room for is somebody's")
		for _, w := range workers {
			if share[w.Instance] < w.Capacity {
				require.GreaterOrEqual(t, share[w.Instance], most-1, "%s has room for more", w.Instance)
			}
			for _, o := range workers {
				if share[w.Instance] < w.Capacity && share[o.Instance] < o.Capacity && w.Load > o.Load {
					require.GreaterOrEqual(t, share[w.Instance], share[o.Instance], "what can't be divided stays with who has more")
				}
			}
		}
		rotated := append(slices.Clone(workers[1:]), workers[0])
		require.Equal(t, share, shares(rotated, panels), "all see it alike")
	})
}

// world is a number of workers that share panels by decide alone: each hears of the
// others what they last said.
type world struct {
	panels  int
	now     time.Duration
	workers []*member // in order of joining
	moves   int       // panels given away
	hints   bool      // others hear at once that something was given away
}

type member struct {
	live.Worker
	said   live.Worker
	unheld time.Duration // since when panels have been free; negative: there are none
	dead   bool
	heard  time.Duration // when it was last heard of
}

func (w *world) held() (n int) {
	for _, m := range w.workers {
		n += m.Held
	}
	return n
}

// join lets a worker say that it is there, and take; with adopt also what nobody takes.
func (w *world) join(m *member, adopt bool) live.Crew {
	m.said, m.heard = m.Worker, w.now
	crew := live.Crew{Panels: w.panels}
	claimed := m.Held
	for _, o := range w.workers {
		if o != m && w.now-o.heard < thereFor {
			crew.Others = append(crew.Others, o.said)
			claimed += o.said.Held
		}
	}
	var unheld time.Duration
	switch {
	case claimed >= w.panels:
		m.unheld = -1
	case m.unheld < 0:
		m.unheld = w.now
	case adopt:
		unheld = w.now - m.unheld
	}
	p := decide(m.Worker, crew, unheld)
	taken := min(p.take+p.adopt, w.panels-w.held())
	m.Held, m.Load = m.Held+taken, m.Load+taken
	m.said = m.Worker
	return crew
}

// round is one round of a worker: it joins, takes, and gives.
func (w *world) round(m *member, order []*member) {
	p := decide(m.Worker, w.join(m, true), 0)
	if p.give == 0 {
		return
	}
	n := min(p.give, givenAtOnce)
	m.Held, m.Load = m.Held-n, m.Load-n
	w.moves += n
	if w.hints {
		for _, o := range order {
			if !o.dead {
				w.join(o, false)
			}
		}
	}
}

// rounds is one round of each.
func (w *world) rounds(t *rapid.T) {
	w.now += leaseRound
	order := rapid.Permutation(w.workers).Draw(t, "order")
	for _, m := range order {
		if !m.dead {
			w.round(m, order)
		}
	}
}

// settle lets rounds pass until nothing changes any more, in an order that is drawn.
func (w *world) settle(t *rapid.T) {
	for range 400 {
		before := fmt.Sprint(w.counts())
		for range 8 {
			w.rounds(t)
		}
		if fmt.Sprint(w.counts()) == before {
			return
		}
	}
	t.Fatalf("it never settles: %v", w.counts())
}

func (w *world) counts() (counts []int) {
	for _, m := range w.workers {
		counts = append(counts, m.Held)
	}
	return counts
}

// remove is a worker that left, or whose leases ran out.
func (w *world) remove(m *member) {
	w.workers = slices.DeleteFunc(w.workers, func(o *member) bool { return o == m })
}

func TestWorkersJoinLeaveAndDieAndOnlyWhatMustMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{panels: rapid.IntRange(1, 700).Draw(t, "panels"), hints: rapid.Bool().Draw(t, "hints")}
		named := 0
		join := func() {
			named++
			w.workers = append(w.workers, &member{Worker: live.Worker{Instance: fmt.Sprint("w", named), Capacity: 1000}, unheld: -1})
		}
		join()
		w.settle(t)
		require.Equal(t, w.panels, w.held(), "one alone holds them all")
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			w.moves = 0
			before := len(w.workers)
			kind := rapid.SampledFrom([]string{"join", "die", "more panels"}).Draw(t, "event")
			switch {
			case kind == "more panels":
				w.panels += rapid.IntRange(1, 50).Draw(t, "more")
			case kind == "join" && before < 6 || before == 1:
				kind = "join"
				join()
			default:
				kind = "die"
				dead := rapid.SampledFrom(w.workers).Draw(t, "who")
				dead.dead = true
				for w.now-dead.heard < LeaseTTL {
					w.rounds(t)
				}
				w.remove(dead)
			}
			w.settle(t)
			require.Equal(t, w.panels, w.held(), "none is without a holder")
			counts := w.counts()
			require.LessOrEqual(t, slices.Max(counts)-slices.Min(counts), 1, "%s: %v", kind, counts)
			switch {
			case !w.hints: // then one may adopt what is on its way to another
			case kind == "join":
				require.LessOrEqual(t, w.moves, w.panels/len(w.workers)+len(w.workers)-1, "the new one's share moves, and no more than one of each besides")
			default:
				require.LessOrEqual(t, w.moves, len(w.workers), "%s: what is held stays where it is", kind)
			}
		}
	})
}

func TestWhatNobodyTakesIsAdopted(t *testing.T) {
	t.Parallel()
	full := live.Worker{Instance: "a", Held: 50, Load: 50, Capacity: 100}
	idle := live.Crew{Panels: 100, Others: []live.Worker{{Instance: "b", Held: 20, Load: 20, Capacity: 100}}}
	require.Equal(t, plan{}, decide(full, idle, adoptAfter), "the thirty that are free are b's")
	require.Equal(t, plan{adopt: 30}, decide(full, idle, adoptAnyway), "and b does not take them")
	silent := live.Crew{Panels: 100, Others: []live.Worker{{Instance: "b", Held: 49, Load: 50, Capacity: 100}}}
	require.Equal(t, plan{}, decide(full, silent, 0))
	require.Equal(t, plan{adopt: 1}, decide(full, silent, adoptAfter), "b has passed one on")
	small := live.Worker{Instance: "a", Held: 10, Load: 10, Capacity: 10}
	require.Equal(t, plan{}, decide(small, silent, time.Hour), "there is no room")
	ending := live.Worker{Instance: "a", Held: 50, Load: 50}
	require.Equal(t, 30, decide(ending, live.Crew{Panels: 80, Others: []live.Worker{{Instance: "b", Held: 30, Load: 30, Capacity: 60}}}, 0).give, "as much as there is room for")
	require.Zero(t, decide(ending, live.Crew{Panels: 50}, time.Hour).give, "to nobody")
}
