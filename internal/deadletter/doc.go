// Package deadletter owns what a person does about messages that ingest set aside: it
// lists them, shows what they hold, sends them through ingest once more, and dismisses
// what nobody will ever read.
//
//	open ──Replay──▶ replaying ──bus, ingest──▶ stored   its event is in the record now
//	  ▲                  │                 ├──▶ known    its event was there before
//	  └──failed again────┘                 └──▶ open     with the new reason, and no new alarm
//	open ──Dismiss──▶ dismissed
//
// The row in dead_letters is the truth; over RabbitMQ the letter also lies in the queue
// events.dead, which nobody consumes. ingest writes the rows and settles them, each in the
// transaction of the event or the alarm.
//
// What it guarantees:
//   - a replay goes the way of every event: over the bus, under the same key, so that a
//     letter becomes one event however often it is sent;
//   - it goes over the backfill lane: a letter may be poison again, and nothing live waits
//     for that;
//   - a request to replay is a row before anything is sent; whoever crashes, another
//     instance sends it, and what has no outcome after a minute is sent again;
//   - every act of a person, also reading what a message holds, leaves an audit entry in
//     its transaction.
//
// What it refuses: to replay or dismiss what is settled; to change a message. A letter is
// never removed, since a worker's cursor counts it as stored.
//
// It imports access, audit, bus, errs, ids and pg.
package deadletter
