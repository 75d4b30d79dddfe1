// Package timer owns what the station will do at an instant: rows of the table timers,
// each with a kind and a subject, of which there is one.
//
// A timer is set and cleared in the transaction of what it belongs to. Every instance
// runs those that are due, by the database's clock: it takes one with SKIP LOCKED, and
// the effect, its notification and the removal of the row are one transaction. Whoever
// dies on the way has done nothing; whoever comes next does it. So an effect happens
// once.
//
// A timer may be left behind by what it belonged to (who clears it must not wait for
// whoever runs it), so an effect judges for itself whether it is still meant.
//
// Order of locks: a timer before what it is about. Who holds that already clears with
// ClearUnlocked, which passes over a timer that is being run.
//
// It imports pg and pgx.
package timer
