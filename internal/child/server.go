package child

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Serving is how a server is started and asked.
type Serving struct {
	Name string // as people know it, with its folder where there may be several
	Run  Account
	Log  string // the path of the file to which what it prints is added
	// Boot bounds a start with all that is read back, as after a crash.
	Boot time.Duration
	// Death is the signal that ends it with our process.
	Death syscall.Signal
	// Vacant waits until its place is free; nil: nobody else can be there.
	Vacant func(ctx context.Context) error
	// Command is its program.
	Command func() *exec.Cmd
	// Ask tries to work with it once; nil says that it is ready.
	Ask func(ctx context.Context) error
}

// Server runs or does not, and can be started again. Its methods are safe for concurrent use,
// Restart by one caller at a time.
type Server struct {
	cfg Serving

	mu      sync.Mutex
	process *Process // nil before the first start
}

// NewServer makes a server that does not run; Restart starts it.
func NewServer(cfg Serving) *Server { return &Server{cfg: cfg} }

// running is the server's process, nil when it does not run.
func (s *Server) running() *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || s.process.Ended() {
		return nil
	}
	return s.process
}

// PID is the server's process, 0 when it does not run.
func (s *Server) PID() int {
	p := s.running()
	if p == nil {
		return 0
	}
	return p.PID()
}

// Signal sends a signal to the server if it runs.
func (s *Server) Signal(sig syscall.Signal) {
	if p := s.running(); p != nil {
		p.Signal(sig)
	}
}

// askAgain is the pause between two tries to work with a server that starts.
const askAgain = 10 * time.Millisecond

// Restart starts the server when it does not run, at first, after Stop, Kill or a crash, and
// waits until it is ready.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Boot)
	defer cancel()
	if s.running() == nil {
		if s.cfg.Vacant != nil {
			if err := s.cfg.Vacant(ctx); err != nil {
				return err
			}
		}
		if err := s.launch(); err != nil {
			return err
		}
	}
	return s.waitReady(ctx)
}

func (s *Server) launch() error {
	process, err := StartLogged(s.cfg.Command(), s.cfg.Run, s.cfg.Log, s.cfg.Death)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = process
	s.mu.Unlock()
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	s.mu.Lock()
	process := s.process
	s.mu.Unlock()
	for {
		err := s.cfg.Ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("%s ended at once (%s); its last words: %s", s.cfg.Name, process.Outcome(), lastWords(s.cfg.Log))
		case <-ctx.Done():
			return fmt.Errorf("wait for %s (last words: %s): %w", s.cfg.Name, lastWords(s.cfg.Log), errors.Join(ctx.Err(), err))
		case <-time.After(askAgain):
		}
	}
}

// End sends the server, frozen or not, a signal that ends it, and waits until it is gone. When
// ctx ends first it is killed. Idempotent.
func (s *Server) End(ctx context.Context, sig syscall.Signal) error {
	p := s.running()
	if p == nil {
		return nil
	}
	p.Signal(sig)
	p.Signal(syscall.SIGCONT)
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		p.Signal(syscall.SIGKILL)
		<-p.Done()
		return fmt.Errorf("stop %s: killed after waiting: %w", s.cfg.Name, ctx.Err())
	}
}

// Stop lets the server end cleanly, by SIGTERM; see End.
func (s *Server) Stop(ctx context.Context) error { return s.End(ctx, syscall.SIGTERM) }

// Kill ends the server as a crash would and returns when it is gone.
func (s *Server) Kill(ctx context.Context) error { return s.End(ctx, syscall.SIGKILL) }

// Freeze stops the server where it stands: connections stay open, nothing answers.
func (s *Server) Freeze() { s.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.Signal(syscall.SIGCONT) }

// StartLogged starts a command whose output is added to a file.
func StartLogged(cmd *exec.Cmd, run Account, path string, death syscall.Signal) (*Process, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", cmd.Path, err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	return Start(cmd, run, death)
}

// lastWords are the last lines of a server's log, in one.
func lastWords(path string) string {
	const lines = 8
	raw, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], " | ")
}

// FreePorts finds ports of the loopback interface that nobody listens on just now.
func FreePorts(ctx context.Context, count int) ([]int, error) {
	free := make([]int, count)
	var lc net.ListenConfig
	for i := range free {
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all at the end, or it would be the same one again
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("find a free port: unexpected address %v", l.Addr())
		}
		free[i] = addr.Port
	}
	return free, nil
}
