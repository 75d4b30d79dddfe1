package outage

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/wire"
	"dozor/test/station"
)

func TestMain(m *testing.M) { station.MainTimed(m) }

// promise is how long an alarm may take from the panel to a screen, whatever is dead or hangs.
const promise = 2 * time.Second

// quick are settings of simulated panels that answer fast, so that what is measured is dozor.
var quick = []string{"--answer-delay=2ms", "--min-gap=1ms", "--log-delay=50ms"}

// settle is how long the station may take to catch up in the end.
const settle = 2 * time.Minute

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

// seconds is size for a duration.
func seconds(t testing.TB, variable string, otherwise time.Duration) time.Duration {
	t.Helper()
	return time.Duration(size(t, variable, int(otherwise/time.Second))) * time.Second
}

// house is a station whose roles are played by so many processes each, with a screen at each API instance.
type house struct {
	*station.Station
	workers, apis, relays []*station.Instance
	all                   []*station.Instance
	desks                 []*station.Desk
	screens               []*station.Screen
}

// open starts a station with n processes for each role and waits until every panel is connected. With none the rest is left
// to the test.
func open(t testing.TB, n int, o station.Options) *house {
	t.Helper()
	o.Sim = append(slices.Clone(quick), o.Sim...)
	h := &house{Station: station.New(t, o)}
	for i := range n {
		h.apis = append(h.apis, h.Instance(fmt.Sprintf("api-%d", i+1), "api"))
		h.relays = append(h.relays, h.Instance(fmt.Sprintf("relay-%d", i+1), "relay"))
		h.workers = append(h.workers, h.Instance(fmt.Sprintf("worker-%d", i+1), "worker"))
	}
	h.all = slices.Concat(h.workers, h.apis, h.relays)
	for _, i := range h.all {
		i.Start("")
	}
	h.ready()
	for i := range h.apis {
		desk := h.Desk(append(slices.Clone(h.apis[i:]), h.apis[:i]...)...)
		h.desks, h.screens = append(h.desks, desk), append(h.screens, desk.Screen())
	}
	if n > 0 {
		h.AddPanels(o.Panels)
		h.Connected(time.Minute)
	}
	return h
}

func (h *house) ready() {
	h.T.Helper()
	for _, i := range h.all {
		i.Ready(time.Minute)
	}
}

// holdUp presses a hold-up button, and returns how long it takes until the last screen shows it.
func (h *house) holdUp(p station.Panel, partition int) time.Duration {
	h.T.Helper()
	marks := make([]int, len(h.screens))
	for i, screen := range h.screens {
		marks[i] = screen.Mark()
	}
	pressed := time.Now()
	h.Sim.Act(p.Number, fmt.Sprintf("partitions/%d/panic", partition))
	var took time.Duration
	for i, screen := range h.screens {
		f := screen.Wait(marks[i], time.Minute, "the hold-up", func(f station.Frame) bool {
			_, ok := station.EventOf(f, func(e wire.Event) bool {
				return e.PanelID == p.ID && e.Kind == "panic" && e.Partition == partition
			})
			return ok
		})
		took = max(took, f.SeenAt.Sub(pressed))
	}
	return took
}

// rest between two hold-ups: people are not that fast.
const rest = 400 * time.Millisecond

// holdUps presses one after the other, everywhere in turn, until over says so, and requires that each keeps the promise.
func (h *house) holdUps(what string, over func() bool) {
	t := h.T
	t.Helper()
	var took []time.Duration
	tick := time.NewTicker(rest)
	defer tick.Stop()
	for n := 0; n == 0 || !over(); n++ {
		p := h.Panels[n%len(h.Panels)]
		took = append(took, h.holdUp(p, 1+n/len(h.Panels)%2))
		<-tick.C
	}
	sorted := slices.Sorted(slices.Values(took))
	t.Logf("%s: %d hold-ups, panel to screen: median %v, longest %v", what, len(took), sorted[len(sorted)/2].Round(time.Millisecond),
		sorted[len(sorted)-1].Round(time.Millisecond))
	require.Less(t, sorted[len(sorted)-1], promise, "%s: %v; the host's load: %s", what, took, load())
}

// load tells whether the host had time for us.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// after is over once a time has passed.
func after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// once is over as soon as a condition holds, which it must within a time.
func (h *house) once(what string, within time.Duration, holds func() bool) func() bool {
	end := time.Now().Add(within)
	return func() bool {
		if holds() {
			return true
		}
		require.True(h.T, time.Now().Before(end), "%s within %v", what, within)
		return false
	}
}

// allSee reports whether every process sees a part as being in one of some states; "" is all well.
func (h *house) allSee(part string, states ...string) bool {
	return !slices.ContainsFunc(h.all, func(i *station.Instance) bool {
		state, _ := i.Sees(part)
		return !slices.Contains(states, state)
	})
}

// compare holds everything against everything, for each screen.
func (h *house) compare() {
	h.T.Helper()
	for _, screen := range h.screens {
		h.Compare(screen, settle)
	}
}

// unnoticed requires that no screen saw anything of it: no new connection, no frame twice.
func (h *house) unnoticed() {
	h.T.Helper()
	for i, screen := range h.screens {
		dials, resets := screen.Connections()
		require.Equal(h.T, 1, dials, "screen %d was connected all the time", i+1)
		require.Zero(h.T, resets, "screen %d never had to load anew", i+1)
		require.Zero(h.T, screen.Repeated(), "screen %d saw nothing twice", i+1)
	}
}
