package worker

import "time"

// Hasten makes a worker read names without the pauses that a real panel is given.
func (w *Worker) Hasten(pause, every, settle time.Duration) { w.pace = pace{pause, every, settle} }

// Times that tests shift the clock by.
const (
	OwnPatience        = ownPatience
	BusyPatience       = busyPatience
	QuarantineFailures = quarantineFailures
	QuarantineSilence  = quarantineSilence
)
