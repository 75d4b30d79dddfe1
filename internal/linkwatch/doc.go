// Package linkwatch owns the judgement that a panel has been silent for too long. It is
// made by the core, from when the panel last answered anybody, and not by a worker: that
// may be what died.
//
// Any number of watches may run; the row of an outage decides who found it. The row is
// committed before the event is published, and the event's key is made of the row's id,
// so that a crash in between says it again and never twice.
//
// It imports bus, event, ids, pg and wire.
package linkwatch
