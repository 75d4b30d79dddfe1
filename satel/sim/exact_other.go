//go:build !linux

package sim

import "time"

// sleepExactly sleeps as exactly as the runtime can.
func sleepExactly(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // nothing better is there
