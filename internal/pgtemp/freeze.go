package pgtemp

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// guard is a process that thaws a frozen server when its standard input is closed: by
// Thaw, or by our own end, whatever that was. Without it a server that is frozen when we
// are killed would stay for ever: its processes hear of our end only when they go on.
type guard struct {
	cmd   *exec.Cmd
	input io.Closer
}

// Freeze stops the server and all its processes where they stand, as a host does that
// hangs: connections stay open, nothing answers. Stop, Kill and Thaw end that.
func (s *Server) Freeze() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	pid := s.PID()
	if pid == 0 || s.frozen != nil {
		return nil
	}
	children := halt(pid)
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGSTOP) // it may have ended just now
	}
	g, err := watch(append(children, pid))
	if err != nil {
		for _, stopped := range append(children, pid) {
			_ = syscall.Kill(stopped, syscall.SIGCONT)
		}
		return fmt.Errorf("freeze PostgreSQL in %s: %w", s.dir, err)
	}
	s.frozen = g
	return nil
}

// Thaw lets a frozen server go on.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen != nil {
		s.frozen.release()
		s.frozen = nil
	}
}

func watch(pids []int) (*guard, error) {
	args := []string{"-c", `cat >/dev/null; kill -CONT "$@" 2>/dev/null`, "thaw"}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not meant for it
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{cmd: cmd, input: input}, nil
}

// release thaws, and returns when that is done.
func (g *guard) release() {
	_ = g.input.Close()
	_ = g.cmd.Wait() // it fails when one of them is gone
}
