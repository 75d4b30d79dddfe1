// Package room owns the control room of the demo: a page that shows every component of a
// station as it is now, where each can be stopped, killed, frozen and started again, and
// an alarm be made meanwhile.
//
// What it shows is what was found out a moment ago, or that there was no answer:
//
//   - whether a process runs, is frozen or is dead comes from the kernel, not from what
//     was ordered here; one that somebody kills from a terminal is seen too;
//   - how a process sees the others it tells itself, so that this needs no database;
//   - a figure whose owner did not answer in time is shown as not known, never as
//     it was before. Each is asked for itself: one that hangs delays no other;
//   - the way of an alarm is measured from the moment before the order to the panel until
//     its frame is here, by a subscription of the room's own at each API.
//
// The room kills, so it serves this machine alone: it answers only to the loopback names
// that it was made for, so that no page can reach it under a name of its own, and takes
// orders from its own page or from programs, never from another page. It has no sign-in.
//
// It imports wire, the standard library and x/text. What the components are it is told.
package room
