package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// child is a process of the program under measurement.
type child struct {
	name string
	cmd  *exec.Cmd
	log  string        // the file that it writes to
	done chan struct{} // closed when it has ended
	err  error         // how, after done
}

// stopLimit bounds how long a child may take to end when asked.
const stopLimit = 20 * time.Second

// startChild starts the program with a clean environment of dozor's own variables. The
// kernel kills it when the bench dies. It has a process group of its own: Ctrl-C reaches
// the bench, which ends its children in order.
func startChild(binary, name, dir string, env []string, args ...string) (*child, error) {
	c := &child{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	file, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer file.Close()
	c.cmd = exec.Command(binary, args...)
	c.cmd.Stdout, c.cmd.Stderr = file, file
	c.cmd.Env = append(foreign(os.Environ()), env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	// The signal of a parent's death comes when the starting thread ends, so that thread
	// lives as long as the child.
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return c, nil
}

// foreign leaves out what would configure the child besides the bench.
func foreign(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(pair string) bool {
		return strings.HasPrefix(pair, "DOZOR_") || strings.HasPrefix(pair, "DATABASE_")
	})
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) meter() meter { return processMeter(c.name, c.pid()) }

// ended is an error when the child has ended although nobody asked it to.
func (c *child) ended() error {
	select {
	case <-c.done:
		return fmt.Errorf("%s ended (%w): %s", c.name, c.err, lastWords(c.log))
	default:
		return nil
	}
}

// stop asks the child to end and waits; one that does not is killed. Idempotent.
func (c *child) stop(ctx context.Context) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		_ = c.cmd.Process.Kill()
		<-c.done
		return fmt.Errorf("stop %s: killed after waiting: %w", c.name, ctx.Err())
	}
}

// until asks again and again until ask succeeds, the child ends, or the limit passes.
func until(parent context.Context, c *child, limit time.Duration, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if c != nil {
			if ended := c.ended(); ended != nil {
				return ended
			}
		}
		select {
		case <-ctx.Done():
			if parent.Err() != nil {
				return parent.Err()
			}
			return fmt.Errorf("waited %v for %s: %w", limit, what, err)
		case <-tick.C:
		}
	}
}

// lastWords are the end of a log file.
func lastWords(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "no log"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}
