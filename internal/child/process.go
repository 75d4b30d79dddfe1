package child

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a running child. Its methods are safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts a command as the account, in a process group of its own. With our own end,
// a kill -9 too, the kernel sends it the signal death.
//
// It is started from a thread that lives as long as the child does: the kernel sends that
// signal when the starting thread ends, not the process.
func Start(cmd *exec.Cmd, run Account, death syscall.Signal) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: death, Credential: run.credential}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal; to a child that has ended it does nothing.
func (p *Process) Signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Outcome says how the child ended ("exit status 1", "signal: killed"); empty while it runs.
func (p *Process) Outcome() string {
	if !p.Ended() {
		return ""
	}
	return p.cmd.ProcessState.String()
}

// Ended reports whether the child has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
