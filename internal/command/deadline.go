package command

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Deadline is an instant on the clock that counts from the machine's start and goes on
// while it sleeps, so that neither a step of the wall clock nor a suspended machine
// makes a late command look timely.
type Deadline struct{ at time.Duration }

// ErrPastDeadline says that the time for a command is over.
var ErrPastDeadline = errors.New("the command's deadline has passed")

// DeadlineIn returns the deadline that comes after the time given.
func DeadlineIn(left time.Duration) Deadline { return deadlineFrom(boottime(), left) }

func deadlineFrom(began, left time.Duration) Deadline { return Deadline{at: began + left} }

// Left is the time until the deadline; negative after it.
func (d Deadline) Left() time.Duration { return d.at - boottime() }

// Check returns ErrPastDeadline when nothing is left.
func (d Deadline) Check() error {
	if d.Left() <= 0 {
		return ErrPastDeadline
	}
	return nil
}

func boottime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(fmt.Sprintf("read CLOCK_BOOTTIME: %v", err)) // Linux has had it since 2.6.39
	}
	return time.Duration(ts.Nano())
}
