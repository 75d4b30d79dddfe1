// Package panelwatch owns the judgement that something is wrong with a panel that does
// answer: its clock is off by more than the limit, or its settings changed so that it may
// keep an alarm from being raised.
//
// Clocks are judged by the live state that workers publish, changes by the rows that
// package site records. Both are rows first: clock_faults, and panel_changes that are
// grave. What was not said goes to the bus as an event of the station under a key that
// belongs to the rows, until the bus has confirmed it; so it is said through any crash,
// and one event whichever instance says it.
//
// A clock counts as wrong past the limit and as right again within half of it, so that one
// at the limit does not come and go. A link that is down is no news about the clock.
//
// It imports bus, event, ids, pg and wire.
package panelwatch
