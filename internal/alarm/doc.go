// Package alarm owns the operator's unit of work: one incident at one site. It decides,
// as pure functions, what an event does to a site's alarms and what a person may do to
// an alarm. Storing is for ingest and the desk, who lock the site before they open an
// alarm, then the alarm's row, and insert its notification under that lock.
//
// Life:
//
//	new --claim--> claimed --ack--> acknowledged --resolve--> resolved --close--> closed
//	 ^--release---- / <------------- /  ^------------reopen----- /
//	                takeover: claimed or acknowledged -> claimed by somebody else
//	                pause, resume: claimed or acknowledged, by its owner
//
// A pause ends by its time, by an event that rings, by whatever else is done with the
// alarm except a note; at its end by itself the alarm rings.
//
// Invariants of bundling (Board):
//   - every event that raises is in exactly one alarm, and none is dropped;
//   - an alarm takes only its own kind; tamper and a lost link near a burglary join it
//     as evidence, each with a ring when it is new;
//   - every P1 event rings, whatever it joins; the one exception is the second of a pair
//     of inference and record, which are the same happening;
//   - at most one alarm of a site and kind is joinable. What is history, or older than
//     an alarm by more than the window, opens one of its own and touches no other;
//   - the end of something closes nothing.
//
// It imports event, wire, ids and errs.
package alarm
