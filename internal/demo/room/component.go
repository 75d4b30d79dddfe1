package room

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Kind says what a component is.
type Kind string

// The kinds.
const (
	PostgreSQL Kind = "postgresql"
	RabbitMQ   Kind = "rabbitmq"
	Redis      Kind = "redis"
	Worker     Kind = "worker"
	Relay      Kind = "relay"
	API        Kind = "api"
	Sites      Kind = "sites" // the simulated panels
)

// Server is the process behind a component. One act at a time is called, beside PID.
type Server struct {
	// PID is 0 while none runs.
	PID func() int
	// Start, Stop and Kill return when it answers, or is gone. Stop ends a frozen one too.
	Start, Stop, Kill func(ctx context.Context) error
	Freeze            func() error
	Thaw              func()
}

// Sight is how a process sees a part of the station.
type Sight struct {
	Part   string `json:"part"`
	State  string `json:"state"` // ok; aside: its breaker is open; down
	Reason string `json:"reason,omitempty"`
}

// Answer is what a component says when it is asked how it is.
type Answer struct {
	// Unready is what keeps it from serving, empty when nothing does.
	Unready string
	Sights  []Sight
}

// Component is a part of the station in a process of its own.
type Component struct {
	ID     string // part of addresses: rabbitmq, worker-1
	Kind   Kind
	URL    string // where it serves people; may be empty
	Server Server
	// Ask asks it how it is; how long that takes is shown.
	Ask func(ctx context.Context) (Answer, error)
}

// State is how the process behind a component is.
type State string

// The states.
const (
	Running State = "running"
	Frozen  State = "frozen"
	Dead    State = "dead"
)

// Act is what can be done to a component.
type Act string

// The acts.
const (
	Stop   Act = "stop"
	Kill   Act = "kill"
	Freeze Act = "freeze"
	Thaw   Act = "thaw"
	Start  Act = "start"
)

// Acts lists them in the order of their buttons.
var Acts = []Act{Stop, Kill, Freeze, Thaw, Start}

// suits reports whether an act makes sense in a state.
func (a Act) suits(s State) bool {
	switch a {
	case Start:
		return s == Dead
	case Freeze:
		return s == Running
	case Thaw:
		return s == Frozen
	case Stop, Kill:
		return s != Dead
	default:
		return false
	}
}

// actTime bounds an act; starting a broker on a busy machine takes the longest.
const actTime = 90 * time.Second

// stopTime is how long a component may take to end by itself before it is killed.
const stopTime = 15 * time.Second

func (s Server) do(ctx context.Context, act Act) error {
	limit := actTime
	if act == Stop {
		limit = stopTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch act {
	case Stop:
		return s.Stop(ctx)
	case Kill:
		return s.Kill(ctx)
	case Freeze:
		return s.Freeze()
	case Thaw:
		s.Thaw()
		return nil
	case Start:
		return s.Start(ctx)
	default:
		return fmt.Errorf("there is no act %q", act)
	}
}

// processState reads from the kernel how a process is.
func processState(pid int) State {
	if pid == 0 {
		return Dead
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Dead
	}
	// After the name in parentheses, which may hold anything.
	after := raw[bytes.LastIndexByte(raw, ')')+1:]
	if len(after) < 2 {
		return Dead
	}
	switch after[1] {
	case 'T', 't':
		return Frozen
	case 'Z', 'X':
		return Dead
	default:
		return Running
	}
}

// watched is a component with what is known of it.
type watched struct {
	Component

	mu    sync.Mutex
	state State
	pid   int
	since time.Time
	doing Act // empty: nothing

	answer  *Answer // nil: none to the last question
	millis  float64
	problem string // why there was none
	hears   bool   // of an API: the room's own subscription stands
}

// observe brings the state up to date and reports a change, and whether somebody here has
// ordered one.
func (w *watched) observe(now time.Time) (changed bool, state State, ordered bool) {
	pid := w.Server.PID()
	found := processState(pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	if found == Dead {
		pid = 0
	}
	if found == w.state && pid == w.pid {
		return false, found, false
	}
	w.state, w.pid, w.since = found, pid, now
	if found != Running {
		w.answer, w.problem = nil, ""
	}
	return true, found, w.doing != ""
}

var (
	errBusy     = errors.New("something is being done to it")
	errUnsuited = errors.New("not in its state")
)

// begin takes the turn for an act.
func (w *watched) begin(act Act) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.doing != "" {
		return errBusy
	}
	if !act.suits(processState(w.Server.PID())) {
		return errUnsuited
	}
	w.doing = act
	return nil
}

func (w *watched) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doing = ""
}

// ask asks the component how it is.
func (w *watched) ask(ctx context.Context) {
	if w.Ask == nil || w.Server.PID() == 0 {
		w.heard(nil, 0, "")
		return
	}
	asked := time.Now()
	answer, err := w.Ask(ctx)
	if err != nil {
		w.heard(nil, 0, reason(err))
		return
	}
	w.heard(&answer, float64(time.Since(asked).Microseconds())/1000, "")
}

func (w *watched) heard(answer *Answer, millis float64, problem string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer, w.millis, w.problem = answer, millis, problem
}

// reason is an error for people; silence is said by the page in its own words.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return ""
	}
	return err.Error()
}
