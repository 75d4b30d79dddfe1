// Package pglive is the live port over PostgreSQL: the tables panel_states, leases,
// outbox and stream_head. It is what an installation without Redis runs on, and what
// the others fall back to.
//
// States: one row a panel, replaced only by a higher (fence, seq). A panel that is
// not known any more is left out without an error.
//
// Leases: one row a panel, kept for good, because it remembers the last fence. Every
// grant is one statement under the lock of the panel's row, and the lease's own row
// decides: two askers never get one panel, and never wait for each other.
//
// Fan-out: the rows of the outbox are the frames, so publishing is a hint and a
// delivery inside of this process. Subscribers read by position, on a hint and each
// half second; positions become visible in order, since they are given out under one
// row's lock. What comes directly is used only where it follows on.
//
// It imports live, ids, pg and pgx.
package pglive
