package outage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// strike is what happens at a moment that a process of dozor comes to.
type strike struct {
	freezes                bool // or kills
	rabbit, redis, process bool // process: the one that came to the moment
}

func (k strike) String() string {
	var victims []string
	for name, hit := range map[string]bool{"RabbitMQ": k.rabbit, "Redis": k.redis, "the process itself": k.process} {
		if hit {
			victims = append(victims, name)
		}
	}
	slices.Sort(victims)
	verb := "kills "
	if k.freezes {
		verb = "freezes "
	}
	return verb + strings.Join(victims, ", ")
}

var strikes = []strike{
	{rabbit: true},
	{redis: true},
	{rabbit: true, redis: true},
	{process: true},
	{process: true, rabbit: true, redis: true},
	{freezes: true, rabbit: true},
	{freezes: true, redis: true},
	{freezes: true, rabbit: true, redis: true},
	{freezes: true, process: true},
	{freezes: true, process: true, rabbit: true, redis: true},
}

// momentTime bounds the wait for a moment: a lease that a dead worker left takes up to 20 s of it, the walk another.
const momentTime = 2 * time.Minute

// Whatever dies or hangs, at moments when dozor has something to lose, in the middle of a burst and of orders: each event is
// in the database once, each screen has seen the whole stream once, and no order was carried out twice or late.
func TestStrikesAtBadMoments(t *testing.T) {
	t.Parallel()
	r := station.Dice(t)
	count, events := size(t, "DOZOR_STRIKES", 5), size(t, "DOZOR_EVENTS", 1500)
	const panels = 3
	h := open(t, 2, station.Options{Panels: panels, Rabbit: true, Redis: true})
	town := h.Live(h.desks[0], r)
	kinds, moments := slices.Clone(strikes), station.Moments(r, "")
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for n := range count {
		kind, moment := kinds[n%len(kinds)], moments[n%len(moments)]
		place, program := h.prepare(n, kind)
		order := station.AtMoment(r, moment, "run:"+program)
		t.Logf("%s %s %s", time.Now().UTC().Format(time.TimeOnly), order, kind)
		armed := h.rearm(moment, order, kind)
		for _, p := range h.Panels {
			h.Sim.Act(p.Number, fmt.Sprintf("burst?kind=mixed&events=%d", max(1, events/count/panels)))
		}
		by := filepath.Join(place, "by")
		require.Eventually(t, func() bool { _, err := os.Stat(by); return err == nil }, momentTime, 5*time.Millisecond, "nobody comes to %s", order)
		h.mend(kind, struck(t, by, armed))
		h.ready()
		h.Connected(time.Minute)
	}
	town.Rest()
	h.compare()
}

// prepare writes the program that strikes: once, whoever of two comes to the moment first.
func (h *house) prepare(n int, kind strike) (place, program string) {
	t := h.T
	t.Helper()
	signal := "KILL"
	if kind.freezes {
		signal = "STOP"
	}
	var victims []string
	if kind.rabbit {
		victims = append(victims, strconv.Itoa(h.Rabbit.PID()))
	}
	if kind.redis {
		victims = append(victims, strconv.Itoa(h.Redis.PID()))
	}
	if kind.process {
		victims = append(victims, "$PPID")
	}
	place, program = filepath.Join(h.Dir, fmt.Sprintf("struck-%d", n)), filepath.Join(h.Dir, fmt.Sprintf("strike-%d", n))
	script := fmt.Sprintf("#!/bin/sh\nmkdir '%[1]s' 2>/dev/null || exit 0\nset -e\nkill -%[2]s %[3]s\necho $PPID > '%[1]s/new'\nmv '%[1]s/new' '%[1]s/by'\n",
		place, signal, strings.Join(victims, " "))
	require.NoError(t, os.WriteFile(program, []byte(script), 0o700)) //nolint:gosec // it is a program
	return place, program
}

// rearm starts the processes that come to a moment anew, one after the other, with the order.
func (h *house) rearm(moment, order string, kind strike) []*station.Instance {
	t := h.T
	t.Helper()
	armed := map[string][]*station.Instance{"worker": h.workers, "api": h.apis, "relay": h.relays}[station.RoleOf(moment)]
	for _, i := range armed {
		i.Signal(syscall.SIGTERM)
		_, signal := i.WaitEnd(20 * time.Second)
		require.Zero(t, signal, "%s ends as it is told", i.Name())
		i.Start(order)
		if kind.process && !kind.freezes {
			i.Expect()
		}
	}
	return armed
}

// struck is who came to the moment.
func struck(t *testing.T, by string, armed []*station.Instance) *station.Instance {
	t.Helper()
	text, err := os.ReadFile(by)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	i := slices.IndexFunc(armed, func(i *station.Instance) bool { return i.PID() == pid })
	require.GreaterOrEqual(t, i, 0, "process %d", pid)
	return armed[i]
}

// mend starts again what was killed, and thaws what was frozen after a while.
func (h *house) mend(kind strike, process *station.Instance) {
	t := h.T
	t.Helper()
	if kind.freezes {
		<-time.After(seconds(t, "DOZOR_FREEZE", 5*time.Second))
		h.Rabbit.Thaw()
		h.Redis.Thaw()
		process.Thaw()
		return
	}
	var mending sync.WaitGroup
	defer mending.Wait()
	if kind.rabbit {
		mending.Go(func() { h.again(h.Rabbit.Restart) })
	}
	if kind.redis {
		mending.Go(func() { h.again(h.Redis.Restart) })
	}
	if kind.process {
		_, signal := process.WaitEnd(10 * time.Second)
		require.Equal(t, syscall.SIGKILL, signal)
		process.Start("")
	}
}

// again starts a server until it runs: the end of the former may not have been seen yet.
func (h *house) again(start func(context.Context) error) {
	var err error
	for range 3 {
		if err = start(context.Background()); err == nil {
			return
		}
	}
	h.T.Errorf("a server does not start again: %v", err)
}
