package station

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
)

// Town is what goes on at the guarded sites while parts of the station die: people, burglars, and operators who order
// things.
type Town struct {
	s    *Station
	desk *Desk
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	problems []error
	acts     int
	ordered  int
}

// Live lets the town live until Rest is called, by the numbers of r.
func (s *Station) Live(desk *Desk, r *rand.Rand) *Town {
	ctx, stop := context.WithCancel(context.Background())
	w := &Town{s: s, desk: desk, stop: stop}
	people, operators := rand.New(rand.NewPCG(r.Uint64(), 1)), rand.New(rand.NewPCG(r.Uint64(), 2))
	w.done.Go(func() { w.pace(ctx, people, 250*time.Millisecond, w.act) })
	w.done.Go(func() { w.pace(ctx, operators, 700*time.Millisecond, w.operators(ctx)) })
	s.T.Cleanup(func() {
		stop()
		w.done.Wait()
	})
	return w
}

// Rest ends it, and says what happened that must not.
func (w *Town) Rest() {
	t := w.s.T
	t.Helper()
	w.stop()
	w.done.Wait()
	for _, p := range w.s.Panels {
		// No time to leave or to enter goes on by itself.
		w.s.Sim.Act(p.Number, "partitions/1/disarm")
		w.s.Sim.Act(p.Number, "partitions/2/disarm")
	}
	require.NoError(t, errors.Join(w.problems...))
	t.Logf("%d things happened, %d orders were taken", w.acts, w.ordered)
	require.Greater(t, w.acts, 50)
	require.Greater(t, w.ordered, 5)
}

// pace does something again and again, at odd times.
func (w *Town) pace(ctx context.Context, r *rand.Rand, every time.Duration, do func(*rand.Rand) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every/2 + time.Duration(r.Int64N(int64(every)))):
		}
		if err := do(r); err != nil {
			w.mu.Lock()
			w.problems = append(w.problems, err)
			w.mu.Unlock()
		}
	}
}

// act lets one thing happen at one of the sites.
func (w *Town) act(r *rand.Rand) error {
	panel, partition, zone := w.s.Panels[r.IntN(len(w.s.Panels))].Number, 1+r.IntN(2), 1+r.IntN(16)
	var what string
	switch n := r.IntN(100); {
	case n < 35:
		what = fmt.Sprintf("zones/%d/violate", zone)
	case n < 60:
		what = fmt.Sprintf("zones/%d/restore", zone)
	case n < 68:
		what = fmt.Sprintf("zones/%d/tamper", zone)
	case n < 76:
		what = fmt.Sprintf("partitions/%d/panic", partition)
	case n < 82:
		what = fmt.Sprintf("partitions/%d/arm?force=true", partition)
	case n < 88:
		what = fmt.Sprintf("partitions/%d/disarm", partition)
	case n < 92:
		what = "trouble/mains"
	default:
		what = "burst?kind=mixed&events=60"
	}
	_, err := w.s.Sim.TryAct(panel, what)
	w.mu.Lock()
	w.acts++
	w.mu.Unlock()
	return err
}

// signatures are orders that differ, so that a panel's own record says which of them it was told of: the same one does not
// come back to a panel before its deadline has long passed.
func signatures() []Order {
	var all []Order
	for _, partitions := range [][]int{{1}, {2}, {1, 2}} {
		for mode := range 4 {
			all = append(all, Order{Kind: "arm", ArmMode: mode, Partitions: partitions})
		}
		all = append(all, Order{Kind: "disarm", Partitions: partitions}, Order{Kind: "clear_alarm", Partitions: partitions},
			Order{Kind: "force_arm", ArmMode: 2, Partitions: partitions})
	}
	// Zone 11 is that of no other hand; whatever was bypassed ends as it began.
	for _, kind := range []string{"bypass", "unbypass"} {
		all = append(all, Order{Kind: kind, Zones: []int{11}})
	}
	for _, kind := range []string{"outputs_on", "outputs_switch", "outputs_off"} {
		all = append(all, Order{Kind: kind, Outputs: []int{5}})
	}
	return append(all, Order{Kind: "clear_troubles"})
}

// operators order one thing after the other. What the station can't take at a moment is no problem: a panel that is away,
// an instance that is dead.
func (w *Town) operators(ctx context.Context) func(*rand.Rand) error {
	next := map[ids.PanelID]int{}
	all := signatures()
	return func(r *rand.Rand) error {
		p := w.s.Panels[r.IntN(len(w.s.Panels))]
		if next[p.ID] == 0 {
			next[p.ID] = r.IntN(len(all)) + 1
		}
		o := all[next[p.ID]%len(all)]
		next[p.ID]++
		o.DeadlineS = 8
		_, err := w.desk.Command(ctx, p.ID, o)
		if problem, ok := errors.AsType[Problem](err); ok && problem.Status < http.StatusInternalServerError &&
			problem.Status != http.StatusConflict {
			return fmt.Errorf("order %+v of panel %d: %w", o, p.ID, err)
		}
		if err == nil {
			w.mu.Lock()
			w.ordered++
			w.mu.Unlock()
		}
		return nil
	}
}
