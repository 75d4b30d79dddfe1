package sim

import (
	"syscall"
	"time"
)

// sleepExactly sleeps for a time around a millisecond. The runtime's timers are coarse to a millisecond when the process
// is otherwise idle; the kernel's are not.
func sleepExactly(d time.Duration) {
	if d <= 0 {
		return
	}
	left := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}
