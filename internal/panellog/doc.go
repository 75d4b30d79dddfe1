// Package panellog owns the reading of one panel's event memory, which is the truth
// about what happened: a ring that can be read only from the newest record to older
// ones, one record a request, while new ones come and the link drops.
//
// A look reads the newest record. When it is not the one known, a segment opens: its
// row is committed before its first record is sent, and it reaches from that record,
// its top, down to the top of the segment before. Walking goes back record by record.
// Its place in the log, (epoch, segment, offset), is what orders a panel's events.
//
//	look: newer record ──> segment row committed ──> top sent
//	                                      │
//	            ┌── read older ◄──────────┤
//	            │        │                │
//	            │   pending ──(known top met, or a look without news)──> sent
//	            └────────┘                                                │
//	                        (key found in PostgreSQL) ──> low mark ──> segment closed ──> cursor
//
// Invariants:
//   - a record is sent only when its place can't have been overwritten before it was
//     read: the walk met a top that is older, or a look after the reading showed nothing new;
//   - the low mark of a segment and the cursor move only over records whose keys were
//     read back from PostgreSQL, by one guarded statement: same mark, same fence, same
//     timeline of the database as when they were loaded. If it changes no row, all that
//     was held as settled is forgotten and loaded again;
//   - no segment opens before the epoch was probed on this connection, and since the log was
//     loaded: a failover may have taken a raised epoch back;
//   - the cursor passes a segment only when it and all older ones are whole;
//   - what can't be read back any more is said by a memory_gap event, whose key too is
//     read back before the segment closes;
//     the event says why (wrapped, erased, overtaken, lost), between which minutes they lie,
//     and how many there are: a bound where the memory was watched, else an estimate;
//   - a memory that was left for another, and is come back to, is read down to where it was
//     left: its newest known pairs are kept with the epoch that followed it.
//
// What it refuses: to hold more records than its Room allows, counted from their reading
// until their keys are read back; it then stops walking, and loses nothing, since the panel
// keeps what was not read. News, and what lies right under them, have room of their own.
//
// A Log belongs to one goroutine. It imports satel, bus, event, ids,
// obs, pg and wire.
package panellog
