// Package amqpbus is the bus over RabbitMQ 3.10 or newer: durable quorum queues, one for
// each lane, between workers and ingest.
//
// # Topology
//
// Declared by whoever comes first, on a connection's first use:
//
//	exchange satel           topic   -> events.processing   lane live, any key
//	exchange satel.backfill  topic   -> events.backfill     lane backfill, any key
//	exchange events.dead     fanout  -> events.dead         what was set aside
//	exchange notifications   topic                          integrations bind their own queues
//
// All queues are quorum queues and bounded. A full lane refuses (the publisher learns
// it), a full events.dead drops its oldest. A queue or exchange that exists with other
// arguments is never touched: *TopologyError says what is there and what is wanted.
//
// # Publishing
//
// One connection, on it one channel for each exchange, so that no lane waits for the
// other's confirms. Confirmed means: a majority of the queue's replicas has it on disk. A
// message that no queue took is returned before it is confirmed; it counts as Unknown,
// and the topology is declared again. After a nack, a return or an overdue confirm the
// channel is given up: a channel that was opened while a queue had no leader nacks for
// ever. Nothing waits longer than Limits.Confirm, or a caller's context.
//
// # Consuming
//
// Each consumer has a connection of its own. What the broker sent and nobody settled is
// the consumer's window, at most Limits.Window messages. A message put off stays there,
// unsettled, until its time has come: giving it back to the broker would count against
// the queue's delivery limit, and a temporary error may last for days. When the session
// is lost, all of its window goes back by itself.
//
//	broker --deliver--> ready --Receive--> handed out --Ack/Dead--> settled
//	                      ^                     |
//	                      +------ put off <-----+ Later
//
// # A broker that is dead, frozen or full
//
// A dead one is noticed at once, a frozen one by missing heartbeats after three seconds or by
// an overdue confirm. Both connect again by themselves, with a growing, jittered pause.
// A broker out of memory or disk says so; then nothing is published until it has room.
// Health tells all of it, with the word of Reason for it; the log has a line when
// something becomes so or ends, not for each try. What a person must mend is tried on too,
// so that nothing needs a restart once it is mended.
//
// It imports bus and the AMQP client.
package amqpbus
