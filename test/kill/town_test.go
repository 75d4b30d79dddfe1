package kill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// town is what goes on at the guarded sites while processes die: people, burglars, and operators who order things.
type town struct {
	s    *station.Station
	desk *station.Desk
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	problems []error
	acts     int
	ordered  int
}

// live lets the town live until rest is called.
func live(s *station.Station, desk *station.Desk, r *rand.Rand) *town {
	ctx, stop := context.WithCancel(context.Background())
	w := &town{s: s, desk: desk, stop: stop}
	people, operators := rand.New(rand.NewPCG(r.Uint64(), 1)), rand.New(rand.NewPCG(r.Uint64(), 2))
	w.done.Go(func() { w.pace(ctx, people, 250*time.Millisecond, w.act) })
	w.done.Go(func() { w.pace(ctx, operators, 700*time.Millisecond, w.operators(ctx)) })
	s.T.Cleanup(func() {
		stop()
		w.done.Wait()
	})
	return w
}

// rest ends it, and says what happened that must not.
func (w *town) rest(t *testing.T) {
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
func (w *town) pace(ctx context.Context, r *rand.Rand, every time.Duration, do func(*rand.Rand) error) {
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
func (w *town) act(r *rand.Rand) error {
	panel, partition, zone := 1+r.IntN(panels), 1+r.IntN(2), 1+r.IntN(16)
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
func signatures() []station.Order {
	var all []station.Order
	for _, partitions := range [][]int{{1}, {2}, {1, 2}} {
		for mode := range 4 {
			all = append(all, station.Order{Kind: "arm", ArmMode: mode, Partitions: partitions})
		}
		all = append(all, station.Order{Kind: "disarm", Partitions: partitions}, station.Order{Kind: "clear_alarm", Partitions: partitions})
	}
	return all
}

// operators order one thing after the other. What the station can't take at a moment is no problem: a panel that is away,
// an instance that is dead.
func (w *town) operators(ctx context.Context) func(*rand.Rand) error {
	next := [panels]int{}
	all := signatures()
	return func(r *rand.Rand) error {
		p := w.s.Panels[r.IntN(panels)]
		i := p.Number - 1
		if next[i] == 0 {
			next[i] = r.IntN(len(all)) + 1
		}
		o := all[next[i]%len(all)]
		next[i]++
		o.DeadlineS = 8
		_, err := w.desk.Command(ctx, p.ID, o)
		if problem, ok := errors.AsType[station.Problem](err); ok && problem.Status < http.StatusInternalServerError &&
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
