// Package event owns what an event is: its kind and priority, its key, its instant, its
// texts. Everything here is a pure function of a report; storing is ingest's affair.
//
//   - Key: what was reported has one key for ever, whoever reports it and how often. Its
//     layout never changes (see key.go).
//   - Rules: a code with its restore bit becomes kind, category, priority, and whether it
//     raises an alarm or ends something. The rules come from the panel's event table and
//     are held as versions, so that an old event can say how it was judged.
//   - Time: the panel knows minutes of a local time without year and zone, from a clock of
//     its own. Effective time is the best instant that can be said, never after the receipt
//     and never before the last look that did not show the event yet.
//   - Nothing is refused: a code that no rule knows is an event of kind unknown, of
//     priority P2, flagged, and raises.
//
// It imports satel, wire and ids, nothing that does I/O.
package event
