package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of private server, as far as its folder tells.
type Kind struct {
	Name  string   // as people know it
	Users []string // whom it runs as when we are root, the first that exists
	Place string   // part of the folder's name where the one wished for can't be reached
	Mark  string   // the file by which a folder of this kind is known
	// PIDFile is the file in whose first line it leaves the number of its process.
	PIDFile string
	// Is tells whether the process of that number, if there is one, works in the folder: numbers
	// come again.
	Is func(pid int, dir string) bool
}

// Account is whom the server runs as.
func (k Kind) Account() (Account, error) { return Unprivileged(k.Users...) }

// in finds the process that works in a folder.
func (k Kind) in(dir string) (pid int, running bool) {
	raw, err := os.ReadFile(filepath.Join(dir, k.PIDFile))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(first))
	return pid, err == nil && k.Is(pid, dir)
}

// vacant waits until no process works in the folder. One that was left by a dozor that was
// killed got its signal, but a clean end takes a moment, and two would destroy each other's
// data.
func (k Kind) vacant(ctx context.Context, dir string) error {
	for {
		pid, running := k.in(dir)
		if !running {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another %s (process %d) runs in %s", k.Name, pid, dir)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Remove deletes the folder that MakePlace makes for dir, if nothing runs in it, and nothing
// that is not of this kind.
func (k Kind) Remove(dir string) error {
	run, err := k.Account()
	if err != nil {
		return err
	}
	if dir, err = run.Place(dir, k.Place); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, k.Mark)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("remove the %s in %s: %w", k.Name, dir, err)
	}
	if pid, running := k.in(dir); running {
		return fmt.Errorf("remove the %s in %s: it is running (process %d)", k.Name, dir, pid)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the %s in %s: %w", k.Name, dir, err)
	}
	return nil
}
