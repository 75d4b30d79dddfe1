// Package ingest owns the way from a report on the bus to events, alarms and
// notifications: a consumer that takes batches and settles each in one transaction.
//
//	batch ─ decode ─ keys (what is new) ─ lock sites ─ classify, bundle ─ store ─ commit ─ ack
//
// What it guarantees:
//   - a message is acked only after the commit of its effect, and the effect of one key
//     happens once, however often and by however many it is delivered;
//   - a record of a panel is stored only if its segment is known to PostgreSQL or the cursor
//     has passed it; otherwise it is acked without an effect, and the worker reads it again.
//     A segment that a failover took back and that was read again under another epoch makes
//     no second event;
//   - what nobody can read becomes a dead letter and an alarm in one transaction; what
//     can't be bundled becomes an alarm of its own; one such message never holds up others;
//   - a letter is settled in the transaction of its event, whoever sent it again, and judged
//     by its age now; one that fails again waits again and raises nothing new;
//   - an error of the database is nobody's fault: the messages come again later, for as
//     long as it takes;
//   - every event is in exactly one notification, every alarm that changed in one, written
//     under the alarm's lock.
//
// Order of locks: event keys (sorted), sites by id FOR NO KEY UPDATE, alarms by id, dead
// letters (by key).
// Whoever opens an alarm elsewhere locks its site first, too. What a person reports goes
// through the same bundling, in the person's own transaction: Report.
//
// It imports event, alarm, timer, outbox, wire, bus, ids, pg, failpoint and the metrics client.
package ingest
