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

// In is what people call the server that works in a folder.
func (k Kind) In(dir string) string { return k.Name + " in " + dir }

// Account is whom the server runs as.
func (k Kind) Account() (Account, error) { return Unprivileged(k.Users...) }

// worker finds the process that works in a folder.
func (k Kind) worker(dir string) (pid int, running bool) {
	raw, err := os.ReadFile(filepath.Join(dir, k.PIDFile))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(first))
	return pid, err == nil && k.Is(pid, dir)
}

// Vacant waits until no process works in the folder. One that was left by a dozor that was
// killed got its signal, but a clean end takes a moment, and two would destroy each other's
// data.
func (k Kind) Vacant(ctx context.Context, dir string) error {
	for {
		pid, running := k.worker(dir)
		if !running {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another %s runs as process %d", k.In(dir), pid)
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
		return fmt.Errorf("remove the %s: %w", k.In(dir), err)
	}
	if pid, running := k.worker(dir); running {
		return fmt.Errorf("remove the %s: it is running (process %d)", k.In(dir), pid)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the %s: %w", k.In(dir), err)
	}
	return nil
}
