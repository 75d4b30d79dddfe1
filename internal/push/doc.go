// Package push owns the WebSocket transport of the stream: GET /api/ws.
//
// A connection begins with a single-use ticket in Sec-WebSocket-Protocol, never in the
// URL, and is refused before the upgrade when it is not good. The client then says from
// where it resumes; what follows is what its stream.Subscription gives. What a client says
// of its desk goes to package presence and ends with the connection.
//
// Three goroutines serve a connection: one reads, one writes, and one supervises and is the
// only one to close. So a client that is stuck in a write is still closed at once when its
// access ends, and the reason it is told is the first one.
//
// Messages go out past the WebSocket library: whole frames, as many as there are, by one
// write to the connection, which takes each write whole. The library reads, and writes
// only what answers what it has read, and the farewell, after which nothing follows. A
// thousand clients cost little more than their system calls (dozor bench push).
//
//	4000 the server stops           reconnect now, elsewhere
//	4001 the client does not read   reconnect and resume
//	4003 access has ended           sign in again
//	4400 a message that can't be    a mistake of the client
//
// A client that does not take a message for ten seconds, or does not answer a ping for
// as long, is slow. What it is told then can only be tried: the close frame lies behind
// what it does not read.
//
// Tickets are never logged. It may import stream, presence, wire, ids, errs, coder/websocket and
// the metrics client.
package push
