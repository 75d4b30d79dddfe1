//go:build !linux

package client

import (
	"net"
	"time"
)

// setUserTimeout does nothing: only Linux can bound how long sent data stay unacknowledged.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }

// sleepExactly sleeps as exactly as the runtime can.
func sleepExactly(d time.Duration) { time.Sleep(d) }
