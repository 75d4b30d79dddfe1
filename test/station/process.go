package station

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Process is one process of the station. Everything that it writes goes into one log, restart after restart.
type Process struct {
	t    testing.TB
	name string
	log  string // path

	mu      sync.Mutex
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process that was started last has ended
	state   *os.ProcessState
	wanted  bool // its end is the test's doing
	started time.Time
	allowed []string // parts of lines that may say ERROR
}

func newProcess(t testing.TB, dir, name string) *Process {
	return &Process{t: t, name: name, log: filepath.Join(dir, name+".log")}
}

// start starts a program. It dies with this process, however that ends.
func (p *Process) start(path string, args, env []string) {
	p.t.Helper()
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(p.t, err)
	defer file.Close()
	_, err = fmt.Fprintf(file, "--- %s start: %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), p.name, strings.Join(args, " "))
	require.NoError(p.t, err)
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	begun, done := make(chan error, 1), make(chan struct{})
	go func() {
		// The signal at the parent's death is bound to the thread that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		begun <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is read from its state
		p.mu.Lock()
		p.state = cmd.ProcessState
		p.mu.Unlock()
	}()
	require.NoError(p.t, <-begun, "start %s", p.name)
	p.mu.Lock()
	p.cmd, p.done, p.state, p.wanted, p.started = cmd, done, nil, false, time.Now()
	p.mu.Unlock()
}

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	if done == nil {
		return false
	}
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// Signal sends a signal.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM || sig == syscall.SIGINT {
		p.wanted = true
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		require.NoError(p.t, err, "signal %s", p.name)
	}
}

// Kill ends the process as kill -9 does, and returns when it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	p.WaitEnd(10 * time.Second)
}

// WaitEnd waits until the process has ended and returns its exit code, and the signal that ended it, if one did.
func (p *Process) WaitEnd(within time.Duration) (code int, sig syscall.Signal) {
	p.t.Helper()
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	select {
	case <-done:
	case <-time.After(within):
		require.Fail(p.t, "process does not end", "%s still runs after %v", p.name, within)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if status, ok := p.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -1, status.Signal()
	}
	return p.state.ExitCode(), 0
}

// Expect says that the process will end by itself: a failpoint kills it.
func (p *Process) Expect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
}

// PID is the process that was started last.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Freeze stops the process where it stands, as a host does that swaps or is paused.
func (p *Process) Freeze() { p.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.Signal(syscall.SIGCONT) }

// Allow says that the process has reason to write errors with this text: somebody must act, since the test made it so.
func (p *Process) Allow(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allowed = append(p.allowed, text)
}

// Log returns everything that the process has written so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	return string(text)
}

// end ends the process for good and reports what it has done wrong.
func (p *Process) end() {
	p.mu.Lock()
	cmd, done, wanted := p.cmd, p.done, p.wanted
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	select {
	case <-done:
		if !wanted {
			p.t.Errorf("%s ended by itself: %s", p.name, p.state)
		}
	default:
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may end at this moment
		_ = cmd.Process.Signal(syscall.SIGCONT) // a test that failed may have left it frozen
		select {
		case <-done:
		case <-time.After(stopLimit):
			p.t.Errorf("%s did not end within %v of SIGTERM", p.name, stopLimit)
			_ = cmd.Process.Kill()
			<-done
		}
	}
	p.blame()
}

// stopLimit bounds a clean end: a drain of a few seconds under the race detector.
const stopLimit = 20 * time.Second

// blame fails the test for what no process of a healthy station writes, whatever is done to it.
func (p *Process) blame() {
	for line := range bytes.Lines([]byte(p.Log())) {
		for _, sign := range []string{"WARNING: DATA RACE", "panic:", `"level":"ERROR"`, "level=ERROR", "fatal error:"} {
			if bytes.Contains(line, []byte(sign)) && !p.allows(line) {
				p.t.Errorf("%s wrote: %s", p.name, bytes.TrimSpace(line))
			}
		}
	}
}

func (p *Process) allows(line []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.allowed, func(text string) bool { return bytes.Contains(line, []byte(text)) })
}

// shownLines of each log are printed when a test fails; the whole is kept beside.
const shownLines = 60

// tail is the end of the log, for people.
func (p *Process) tail() string {
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-shownLines):], "\n")
}
