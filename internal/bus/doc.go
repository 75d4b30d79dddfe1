// Package bus is the port for durable queues: workers put events on it, ingest takes
// them off. The adapters are pgbus (PostgreSQL) and others that pass the same contract
// suite, bustest, unchanged.
//
// What it promises:
//   - a message that was Confirmed is delivered at least once, whatever crashes;
//   - a lane never waits for the other;
//   - a message stays until it is acked or set aside as dead.
//
// What it refuses to promise: order, and that a message comes only once. Ingest sorts
// by the panel's own log order and is idempotent by Key.
//
// It imports the standard library only.
package bus
