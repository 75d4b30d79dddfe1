// Package integration owns the way of the stream out of the house: every notification that
// operators may see is handed to the broker's exchange, where programs of others bind
// queues of their own.
//
// A message's routing key is the frame's type (alarm.new, panel.armed...), its id is
// "<epoch>-<position>", its body the frame as the stream's clients get it. What is meant
// for one person (access.changed) never leaves.
//
// What it guarantees: at least once, in the order of positions, from the position on at
// which the station first had a broker; a position is noted only after the broker has
// confirmed all up to it. While the broker is away the outbox keeps what is due for as
// long as it keeps anything (a week); what was trimmed before it could be handed over is
// said in the log and counted. One process at a time hands over: it holds a turn in
// PostgreSQL for as long as it says so, and a dead one's turn ends by itself. Two at once,
// after a turn that ended in the middle, repeat messages and harm nothing.
//
// It slows nobody: it reads behind the relay, and screens don't wait for it.
//
// It imports outbox, pg, wire, live, ids and the metrics client.
package integration
