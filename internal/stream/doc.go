// Package stream owns what one API instance knows of the stream, and what each of its
// clients has been sent.
//
// The Hub follows the stream without a gap: frames come from the fan-out, and whatever
// did not come is read from the fan-out's own buffer or from the outbox. Every half
// second it reads the head on the primary, so that the last frame before a silence is
// not missed either. The newest frames lie in a ring, encoded once.
//
// A Subscription is one client's place in that: an epoch and a cursor. It has no queue
// of its own. Its goroutine takes what lies beyond the cursor out of the ring, or, when
// the ring has moved on, out of the same tiers that the hub fills its holes from, until
// it is back in the ring. Resuming, living, falling behind and recovering are therefore
// one path; a slow client costs nothing but its own reads, and there is no hand-over
// between catching up and live in which a frame could be lost or come twice. The
// bounded queue is the ring, shared by all.
//
//	            resume             cursor known to be in the stream
//	attached -----------> checking --------------------------------> running
//	                         |  another epoch, beyond the head,         |  a higher epoch, or the tiers
//	                         v  trimmed                                 v  no longer hold the cursor
//	                       reset <--------------------------------------+
//	                         |  the client has loaded its lists and resumes again
//	                         +-----> checking
//
// Invariants:
//   - A subscription that stays, or resumes where it was, is sent every frame of its
//     scope exactly once and in order of position; a reset is the only other outcome.
//   - The position of a heartbeat is true: every frame up to it that the viewer may see
//     was written before it. Where frames come anyway it goes out behind them, up to a
//     quarter of its second early.
//   - Only a higher epoch is followed, and only on PostgreSQL's word.
//   - A tier counts only where it holds every position asked for.
//   - Nobody is sent a frame outside of their sites and audiences.
//   - Panel states and notices (who sits where, how the station is) have no position: the
//     latest replaces the one before, and what a slow client has not taken yet is never
//     queued. A client has the notices again whenever it resumes.
//
// When PostgreSQL is away the hub goes on with what the fan-out brings; a hole, and a
// resume that the ring can't answer, wait for its return.
//
// It may import live, wire, ids, outbox (to read), pg, pgx and the metrics client.
package stream
