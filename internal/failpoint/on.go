//go:build failpoints

package failpoint

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Enabled reports whether this build obeys orders.
const Enabled = true

// order is what to do at one hit of one point.
type order struct {
	at      int64
	kill    bool
	program []string
}

// point counts the hits of one name.
type point struct {
	hits   atomic.Int64
	orders []order
}

var points = sync.OnceValue(func() map[string]*point {
	parsed, err := parse(os.Getenv(Variable))
	if err != nil {
		giveUp(err)
	}
	return parsed
})

// Hit says that the program has come to a point. Safe for concurrent use.
func Hit(name string) {
	p := points()[name]
	if p == nil {
		return
	}
	n := p.hits.Add(1)
	for _, o := range p.orders {
		if o.at == n {
			o.carryOut(name)
		}
	}
}

func (o order) carryOut(name string) {
	if o.kill {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way; nothing more may happen here
	}
	cmd := exec.Command(o.program[0], o.program[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		giveUp(fmt.Errorf("at %s: run %s: %w", name, strings.Join(o.program, " "), err))
	}
}

func parse(list string) (map[string]*point, error) {
	parsed := map[string]*point{}
	for entry := range strings.SplitSeq(list, ";") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		name, rest, _ := strings.Cut(entry, "=")
		count, action, _ := strings.Cut(rest, ":")
		n, err := strconv.ParseInt(count, 10, 64)
		if name == "" || err != nil || n < 1 {
			return nil, fmt.Errorf("%q: want name=hit:action", entry)
		}
		o := order{at: n}
		if program, isRun := strings.CutPrefix(action, "run:"); isRun {
			o.program = strings.Fields(program)
		}
		o.kill = action == "kill"
		if !o.kill && len(o.program) == 0 {
			return nil, fmt.Errorf("%q: the action is kill or run:program", entry)
		}
		if parsed[name] == nil {
			parsed[name] = &point{}
		}
		parsed[name].orders = append(parsed[name].orders, o)
	}
	return parsed, nil
}

func giveUp(err error) {
	fmt.Fprintf(os.Stderr, "failpoint: %s: %v\n", Variable, err)
	os.Exit(ExitBroken)
}
