package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Service is one piece of long-running work.
type Service struct {
	// Name stands in logs, metrics and errors.
	Name string
	// Run works until ctx ends, then returns once everything it started has ended. A
	// nil return before that means that the service has done what it was for; an error
	// means that it wants to be started again.
	Run func(ctx context.Context) error
	// Essential ends the whole group when this service ends by itself in any way.
	Essential bool
}

// Options of a group; the zero value has the documented defaults.
type Options struct {
	// Drain bounds the end of the whole group; 20 s.
	Drain time.Duration
	// Restarted is called, from the service's goroutine, before each restart.
	Restarted func(service string)
	// FirstPause and LongestPause bound the wait before a restart: 100 ms doubling to
	// 15 s, each with jitter.
	FirstPause, LongestPause time.Duration
}

const (
	defaultDrain        = 20 * time.Second
	defaultFirstPause   = 100 * time.Millisecond
	defaultLongestPause = 15 * time.Second
)

// Group runs services. Add everything first, then call Run once.
type Group struct {
	log    *slog.Logger
	opts   Options
	stages [][]Service

	mu  sync.Mutex
	ran bool
}

// NewGroup makes an empty group.
func NewGroup(log *slog.Logger, opts Options) *Group {
	if opts.Drain <= 0 {
		opts.Drain = defaultDrain
	}
	if opts.FirstPause <= 0 {
		opts.FirstPause = defaultFirstPause
	}
	if opts.LongestPause <= 0 {
		opts.LongestPause = defaultLongestPause
	}
	if opts.Restarted == nil {
		opts.Restarted = func(string) {}
	}
	return &Group{log: log, opts: opts}
}

// Add appends a stage: its services begin after those of the stages before it and end
// before them. Not for use once Run was called.
func (g *Group) Add(services ...Service) {
	if len(services) > 0 {
		g.stages = append(g.stages, services)
	}
}

// stage is a running stage.
type stage struct {
	cancel  context.CancelFunc
	mu      sync.Mutex
	running map[string]int
	done    chan struct{} // closed when no service of the stage runs
}

// Run starts everything and returns when everything has ended: after ctx ends, or after
// an essential service ended by itself, whose error it returns then. Services that did
// not end in the time of the drain are named in the error and left behind.
func (g *Group) Run(ctx context.Context) error {
	g.mu.Lock()
	again := g.ran
	g.ran = true
	g.mu.Unlock()
	if again {
		return errors.New("a group runs only once")
	}

	// Services don't see the end of ctx itself: each stage is told in its turn.
	base := context.WithoutCancel(ctx)
	fatal := make(chan error, 1)
	var running []*stage
	for _, services := range g.stages {
		running = append(running, g.start(base, services, fatal))
	}

	var cause error
	select {
	case <-ctx.Done():
		g.log.Info("stopping")
	case cause = <-fatal:
		g.log.Error("an essential part has ended: stopping", "err", cause)
	}
	return errors.Join(cause, g.drain(running))
}

func (g *Group) start(base context.Context, services []Service, fatal chan<- error) *stage {
	ctx, cancel := context.WithCancel(base)
	st := &stage{cancel: cancel, running: map[string]int{}, done: make(chan struct{})}
	var wg sync.WaitGroup
	for _, s := range services {
		st.running[s.Name]++
		wg.Go(func() {
			defer st.ended(s.Name)
			err := g.keep(ctx, s)
			if s.Essential && ctx.Err() == nil {
				if err == nil {
					err = errors.New("ended by itself")
				}
				select {
				case fatal <- fmt.Errorf("%s: %w", s.Name, err):
				default: // another one was first; the group stops anyway
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(st.done)
	}()
	return st
}

func (st *stage) ended(name string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.running[name]--; st.running[name] == 0 {
		delete(st.running, name)
	}
}

func (st *stage) left() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	var names []string
	for name := range st.running {
		names = append(names, name)
	}
	return names
}

// drain ends the stages, the last first. Half of the time is shared out in equal turns
// that nobody can take away; the other half is for whoever needs it first.
func (g *Group) drain(running []*stage) error {
	deadline := time.Now().Add(g.opts.Drain)
	reserved := g.opts.Drain / time.Duration(2*max(1, len(running)))
	var problems []error
	for i := len(running) - 1; i >= 0; i-- {
		st := running[i]
		st.cancel()
		turn := time.NewTimer(time.Until(deadline) - time.Duration(i)*reserved)
		select {
		case <-st.done:
		case <-turn.C:
			for _, name := range st.left() {
				problems = append(problems, fmt.Errorf("%s did not end in time", name))
				g.log.Error("a part did not end in time", "component", name)
			}
		}
		turn.Stop()
	}
	return errors.Join(problems...)
}
