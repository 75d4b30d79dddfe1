// Package live is the port for what is true right now: the state of panels, who holds
// which panel, and the fan-out of the stream. The adapters are pglive (PostgreSQL) and
// others that pass the same contract suite, livetest, unchanged.
//
// Nothing here is a record: history is in the events, and a lost value is written
// again by whoever holds the panel. So every value carries its holder's fence, and the
// higher one wins.
//
// It imports the standard library and ids.
package live
