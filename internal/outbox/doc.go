// Package outbox owns the table of notifications and the relay that gives each its
// place in the stream.
//
// Whoever changes something that people see appends rows in the transaction of the
// change (Append, or the same columns in a batch of its own). Commit order does not
// exist for readers of a table: an identity is given out before the commit, so a row
// can appear below one that was read already. So nobody reads by id. The relay stamps
// what has no position yet, under the lock of the one row of stream_head, and readers
// go by (epoch, position).
//
//	appended (no position) --Stamp--> stamped (epoch, position) --Publish--> handed to the fan-out
//	                                        \--Trim--> gone, when old, published and not of the newest
//
// Invariants:
//   - Within an epoch positions are 1, 2, 3 ... without a gap, and only grow; a row is
//     stamped once. The row lock is what makes this so, with any number of relays.
//   - An epoch is never used twice: another life of the database (its timeline is not
//     the one that the head was counted in) and Reset both begin a higher one.
//   - What is stamped is published at least once, in order; what a crash left between
//     is published again by the next relay. Receivers drop what they have.
//   - A transaction that commits late is stamped late; it is never skipped.
//
// It may import live, wire, ids, pg, pgx and the metrics client.
package outbox
