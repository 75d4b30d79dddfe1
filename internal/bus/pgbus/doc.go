// Package pgbus is the bus over PostgreSQL: what an installation without RabbitMQ runs
// on, and the second way out for a worker whose broker does not confirm.
//
// Each lane has two tables that take turns. Publishing is one INSERT into the table
// that is being written; nothing is ever deleted by row, because that falls to a tenth
// of the speed under one old snapshot. A table is truncated when all that is in it is
// settled. Whoever writes into the wrong one (its knowledge is old) does no harm: the
// reader always reads both.
//
// # Reading
//
// One consumer of a lane is active at a time, of all processes: the one whose session
// holds the lane's advisory lock. The others stand by and try every quarter of a
// second. The lock ends with the session: at once when the process dies, after
// idleTimeout when its host is gone or the process frozen, since the server ends a
// session that says nothing for so long.
//
// The active consumer reads by id from where it stands (top) and keeps in memory what
// is not settled. Every id is one of:
//
//	settled    at most bus_lanes.settled, or acked in memory
//	held       read, and ready, handed out, or put off
//	a hole     at most top, but no row was there when it was looked for
//	unread     above top
//
// The row bus_lanes.settled follows behind lazily. After a crash everything above it
// comes again.
//
// # Holes
//
// An id is taken before its row is committed, so a missing one may still come, may be
// long in coming, or may never come (its transaction was rolled back). A hole is looked
// for at each reading and forgotten only when nobody can fill it any more:
//
//  1. Whoever takes an id has a transaction id already: the INSERT asks for one first.
//  2. The sequences have no cache (checked at each start), so ids are taken in
//     ascending order of time. The hole n was noticed because a higher id m was
//     visible; n was taken before m was, so before that snapshot.
//  3. After that snapshot the reader takes a transaction id B for itself: the barrier.
//     Transaction ids ascend in order of time, so by 1 and 2 the one of n is below B.
//  4. In a snapshot whose xmin is at least B no transaction below B runs. The
//     transaction of n has ended before it; if it committed, its row is visible to
//     every statement that begins afterwards. So if such a statement does not find the
//     row, there never will be one.
//
// pg_snapshot_xmax at first sight would not do as the barrier: it is one more than the
// newest transaction that has ended, and n's may be running beyond it.
//
// # Promises
//
// Confirmed means committed. Delivery is at least once. A message put off, or one that
// its consumer holds for long, is no obstacle: it is copied to the end of the queue
// when it keeps a table from being emptied. Memory is bounded by window, windowBytes,
// maxPutOff and maxHoles; beyond them reading waits, nothing is dropped.
//
// It imports bus, pg and pgx.
package pgbus
