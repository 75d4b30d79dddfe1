// Package redislive is the live port over Redis: states of panels, leases, and the fan-out
// of the stream with a buffer of its newest frames. It is what larger installations run
// on; nothing in Redis is a record.
//
// Keys, with {id} the number of a panel (no cluster is supported, so the braces of the
// specification are not hash tags):
//
//	panel:{id}:session|zones|partitions|outputs|troubles   hashes, each with fence and seq
//	panel:index          set of the panels that have a state
//	lease:panel:{id}     "<fence> <holder>", ends with the lease; see below
//	live:life            since when the data live, and in which server
//	live:canary          written by Check
//	ws:events:buffer     sorted set of the newest 5,000 frames, the score is the position
//	ws:events            channel of the frames and of heartbeats
//
// Every atomic change is one script in scripts/, which says what it does. Every script may
// be run twice: what was not answered is tried once more within the same limit.
//
// States: a panel's five hashes are written together and read as one; where one is missing
// or is of another (fence, seq) than the others, the panel has no state.
//
// Leases: Redis says who holds a panel, PostgreSQL gives the fences (pglive.Ledger) and
// judges:
//
//		free --reserve--> claim "0 <holder> <random>" --Ledger.Grant, confirm--> term
//		term --renew--> term                      without PostgreSQL, if that can't be asked
//		missing --renew--> claim "<fence> ?<holder>" --Ledger.Standing, confirm--> term
//		term --release, or its time--> free
//
//	  - A claim runs out by itself after claimFor; nobody acts on one.
//	  - A panel is granted only by who has reserved it here and whose view of its fence is
//	    still true there. So no fence is raised over a holder's.
//	  - A lease that Redis has lost (emptied, restarted, failed over) is put back by its
//	    holder's next Renew if its fence is still the last one granted and was not released:
//	    then nobody else was granted the panel. Whoever asks for panels in data younger than
//	    the time to live that it asks for leaves such panels to their holders.
//	  - Renew goes on while PostgreSQL can't be asked: nobody can be granted a panel
//	    meanwhile. The timeline is then the last one known.
//
// Fan-out: Publish adds frames to the buffer and tells the subscribers in one step; doing
// it again changes nothing. A subscription sees its own heartbeats through the channel;
// one that hears nothing for silenceMax is made anew, and takes from the buffer what it
// has missed. Range answers "complete" only for positions that are all there, of the epoch
// asked for: a buffer that lost something is found out by its holes.
//
// Scripts that free before they write are let through by a server that is out of memory:
// states and frames, which replace older ones, go on, while leases and Check are refused.
//
// What Redis may have lost is never trusted: Life names the life of the data, and another
// name than before means that live values must be written again.
//
// Every call ends within operationLimit for each step that it takes in Redis, and within
// its context. It imports live, ids, pglive (the ledger) and go-redis.
package redislive
