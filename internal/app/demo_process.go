package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"dozor/internal/child"
)

// ownProcess is this program in a process of its own, which can be started again. Start,
// Stop and Kill are called one at a time.
type ownProcess struct {
	name string
	args []string
	env  []string
	log  string // path
	// answers asks the process whether it serves.
	answers func(ctx context.Context) error

	mu    sync.Mutex
	child *child.Process // nil before the first start
}

// running is the process, nil when it does not run.
func (p *ownProcess) running() *child.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil || p.child.Ended() {
		return nil
	}
	return p.child
}

// PID is 0 when it does not run.
func (p *ownProcess) PID() int {
	c := p.running()
	if c == nil {
		return 0
	}
	return c.PID()
}

// Start starts it if it does not run, and waits until it serves.
func (p *ownProcess) Start(ctx context.Context) error {
	c := p.running()
	if c == nil {
		var err error
		if c, err = p.launch(); err != nil {
			return err
		}
	}
	for {
		err := p.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.Done():
			return fmt.Errorf("%s ended at once (%s); its last words: %s", p.name, c.Outcome(), p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", p.name, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *ownProcess) launch() (*child.Process, error) {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", p.name, err)
	}
	defer log.Close()
	// The program that runs, even if another one lies in its place by now.
	cmd := exec.Command("/proc/self/exe", p.args...) //nolint:noctx // its life is not that of its start
	cmd.Args[0] = "dozor"
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	c, err := child.Start(cmd, child.Account{}, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.mu.Lock()
	p.child = c
	p.mu.Unlock()
	return c, nil
}

// Stop lets it end properly, frozen or not; when ctx ends first it is killed.
func (p *ownProcess) Stop(ctx context.Context) error { return p.end(ctx, syscall.SIGTERM) }

// Kill ends it at once and returns when it is gone.
func (p *ownProcess) Kill(ctx context.Context) error { return p.end(ctx, syscall.SIGKILL) }

func (p *ownProcess) end(ctx context.Context, sig syscall.Signal) error {
	c := p.running()
	if c == nil {
		return nil
	}
	c.Signal(sig)
	c.Signal(syscall.SIGCONT)
	select {
	case <-c.Done():
		return nil
	case <-ctx.Done():
		c.Signal(syscall.SIGKILL)
		<-c.Done()
		return fmt.Errorf("stop %s: killed after waiting: %w", p.name, ctx.Err())
	}
}

// Freeze stops it where it stands.
func (p *ownProcess) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (p *ownProcess) Thaw() { p.signal(syscall.SIGCONT) }

func (p *ownProcess) signal(sig syscall.Signal) {
	if c := p.running(); c != nil {
		c.Signal(sig)
	}
}

func (p *ownProcess) lastWords() string {
	raw, err := os.ReadFile(p.log)
	if err != nil {
		return "none"
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return lines[len(lines)-1]
}
