package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/testkit/faultproxy"
	"dozor/test/station"
)

func TestMain(m *testing.M) { station.MainTimed(m) }

// How long a panel may be without a worker: by the design's section on what is down, and, when the store of leases dies
// with the worker, twice their time to live and a round more.
const (
	takenOver       = 15 * time.Second
	takenOverFrozen = 30 * time.Second
	takenOverBoth   = 40 * time.Second
	// settle is how long the station may take to catch up in the end.
	settle = 3 * time.Minute
)

// size reads how large a run is: small where a change is judged, large in scripts/soak.
func size(t testing.TB, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// fleet is a station with several workers, each with a way of its own to Redis.
type fleet struct {
	*station.Station
	r       *rand.Rand
	workers []*worker
	desk    *station.Desk
	screen  *station.Screen
}

type worker struct {
	*station.Instance
	redis *faultproxy.Proxy
}

func open(t *testing.T, workers, panels int, clients string) *fleet {
	t.Helper()
	f := &fleet{r: station.Dice(t), Station: station.New(t, station.Options{
		Panels: panels, Redis: true,
		Sim: []string{"--answer-delay=2ms", "--min-gap=1ms", "--log-delay=50ms", "--clients=" + clients},
	})}
	api, relay := f.Instance("api", "api"), f.Instance("relay", "relay")
	all := []*station.Instance{api, relay}
	for n := range workers {
		w := &worker{Instance: f.Instance(fmt.Sprintf("worker-%d", n+1), "worker"), redis: faultproxy.New(t, "tcp", f.Redis.Addr())}
		w.Set("REDIS_URL=" + strings.Replace(f.Redis.TCPURL(), f.Redis.Addr(), w.redis.Addr(), 1))
		f.workers, all = append(f.workers, w), append(all, w.Instance)
	}
	for _, i := range all {
		i.Start("")
	}
	for _, i := range all {
		i.Ready(time.Minute)
	}
	f.desk = f.Desk(api)
	f.screen = f.desk.Screen()
	f.AddPanels(panels)
	f.Connected(2 * time.Minute)
	f.grants()
	return f
}

// held are the panels that each worker holds and is connected to, by the name of the worker's process.
func (f *fleet) held() map[string][]ids.PanelID {
	rows, err := f.DB.Query(context.Background(), `
		SELECT l.holder, l.panel_id FROM panel_states s JOIN leases l USING (panel_id)
		WHERE s.body->>'link' = 'up' AND s.fence = l.fence AND l.expires_at > dozor_now() ORDER BY l.panel_id`)
	require.NoError(f.T, err)
	held := map[string][]ids.PanelID{}
	var holder string
	var panel int64
	_, err = pgx.ForEachRow(rows, []any{&holder, &panel}, func() error {
		for _, w := range f.workers {
			if strings.HasPrefix(holder, w.Name()+"-") {
				held[w.Name()] = append(held[w.Name()], ids.PanelID(panel))
			}
		}
		return nil
	})
	require.NoError(f.T, err)
	return held
}

// shared waits until the workers share the panels fairly and every panel is connected.
func (f *fleet) shared(within time.Duration) {
	f.T.Helper()
	require.Eventually(f.T, func() bool {
		var shares []int
		total := 0
		held := f.held()
		for _, w := range f.workers {
			shares = append(shares, len(held[w.Name()]))
			total += len(held[w.Name()])
		}
		return total == len(f.Panels) && slices.Max(shares)-slices.Min(shares) <= 1
	}, within, 100*time.Millisecond, "the workers share the panels")
}

// blow is something that happens to a worker.
type blow struct {
	name   string
	within time.Duration
	strike func(*fleet, *worker) (mend func())
}

// The blows after which others must take the worker's panels.
var (
	killed = blow{"is killed", takenOver, func(_ *fleet, w *worker) func() {
		w.Kill()
		return func() { w.Start("") }
	}}
	frozen = blow{"hangs", takenOverFrozen, func(_ *fleet, w *worker) func() {
		w.Freeze()
		return w.Thaw
	}}
	killedWithRedis = blow{"dies with Redis", takenOverBoth, func(f *fleet, w *worker) func() {
		w.Kill()
		require.NoError(f.T, f.Redis.Kill(context.Background()))
		return func() {
			w.Start("")
			require.NoError(f.T, f.Redis.Restart(context.Background()))
		}
	}}
)

// takeover strikes a worker and returns how long each of its panels was without one.
func (f *fleet) takeover(b blow) []time.Duration {
	t := f.T
	t.Helper()
	w := f.workers[f.r.IntN(len(f.workers))]
	struck := f.held()[w.Name()]
	require.NotEmpty(t, struck)
	began := time.Now()
	mend := b.strike(f, w)
	waiting := map[ids.PanelID]bool{}
	for _, panel := range struck {
		waiting[panel] = true
	}
	var took []time.Duration
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for len(waiting) > 0 {
		<-tick.C
		for name, panels := range f.held() {
			for _, panel := range panels {
				if name != w.Name() && waiting[panel] {
					delete(waiting, panel)
					took = append(took, time.Since(began))
				}
			}
		}
		require.Less(t, time.Since(began), b.within, "%s %s: %d of %d panels have no worker", w.Name(), b.name, len(waiting), len(struck))
	}
	mend()
	w.Ready(time.Minute)
	return took
}

// cutOff takes Redis from one worker for a while. The right to grant leases moves, and no panel loses its link for it.
func (f *fleet) cutOff(lasts time.Duration) {
	t := f.T
	t.Helper()
	w := f.workers[f.r.IntN(len(f.workers))]
	before := f.connections()
	w.redis.Cut()
	over := time.Now().Add(lasts)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(over) {
		<-tick.C
		require.True(t, f.Is("SELECT count(*) = $1 FROM panel_states WHERE body->>'link' = 'up'", len(f.Panels)),
			"every panel stays connected while %s is cut off from Redis", w.Name())
	}
	w.redis.Heal()
	require.Equal(t, before, f.connections(), "no link was dropped")
}

// connections counts what all panels have ever seen of them.
func (f *fleet) connections() int {
	n := 0
	for _, p := range f.Panels {
		_, seen := f.Sim.Commands(p.Number)
		n += len(seen)
	}
	return n
}

// found is how long a worker that was frozen may take to find out that its panels are another's: modules that admit many
// can't tell it.
const found = 2 * time.Second

// oneActed requires that no panel had two workers at a time, as the panels saw it.
func (f *fleet) oneActed(clients string) {
	t := f.T
	t.Helper()
	overlaps := 0
	for _, p := range f.Panels {
		commands, _ := f.Sim.Commands(p.Number)
		for _, rivals := range f.Sim.Rivals(p.Number) {
			before, after := rivals[0], rivals[1]
			require.Equal(t, "many", clients, "panel %d: two connections in one time: %+v, %+v", p.ID, before, after)
			overlaps++
			late := slices.DeleteFunc(before.Recent, func(r station.Asked) bool { return r.At.Before(after.FirstAt) })
			if len(late) > 0 {
				require.Less(t, late[len(late)-1].At.Sub(late[0].At), found, "panel %d: a worker goes on although another has the panel", p.ID)
			}
			for _, c := range commands {
				require.False(t, c.Connection == before.ID && c.At.After(after.FirstAt), "panel %d: an order from a worker that had lost it: %+v", p.ID, c)
			}
		}
	}
	t.Logf("%d times a worker that thawed asked a panel that was another's already", overlaps)
}

func (f *fleet) report(b blow, took []time.Duration) {
	slices.Sort(took)
	f.T.Logf("a worker %s: %d panels, without a worker for: median %v, longest %v", b.name, len(took),
		took[len(took)/2].Round(10*time.Millisecond), took[len(took)-1].Round(10*time.Millisecond))
}

// grants waits until Redis grants leases: after it was of no use that takes a minute, and longer than a lease lasts until
// anybody is granted anything.
func (f *fleet) grants() {
	f.T.Helper()
	f.Eventually(2*time.Minute, "Redis grants leases", "SELECT store = 'redis' AND grant_after <= dozor_now() FROM lease_authority")
}

// Workers that share many panels die, hang, and lose Redis, with modules that refuse a second client, throw the first out,
// or admit all. The short form strikes each kind of module otherwise, the long one with everything.
func TestWorkersAreLost(t *testing.T) {
	workers, panels, blows := size(t, "DOZOR_WORKERS", 3), size(t, "DOZOR_PANELS", 24), size(t, "DOZOR_BLOWS", 1)
	for _, play := range []struct {
		clients string
		losing  []blow
		cutOff  bool
	}{
		{"one", []blow{killed, frozen, killedWithRedis}, false},
		{"first-out", []blow{frozen}, true},
		{"many", []blow{killed, frozen}, true},
	} {
		t.Run(play.clients, func(t *testing.T) {
			t.Parallel()
			f := open(t, workers, panels, play.clients)
			f.shared(time.Minute)
			town := f.Live(f.desk, f.r)
			if play.cutOff || blows > 1 {
				f.cutOff(15 * time.Second)
			}
			losing := play.losing
			if blows > 1 {
				f.grants()
				losing = []blow{killed, frozen, killedWithRedis}
			}
			for _, b := range losing {
				var took []time.Duration
				for range blows {
					took = append(took, f.takeover(b)...)
					f.shared(2 * time.Minute)
					if blows > 1 {
						f.grants()
					}
				}
				f.report(b, took)
			}
			town.Rest()
			f.Compare(f.screen, settle)
			f.oneActed(play.clients)
		})
	}
}
