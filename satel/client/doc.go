// Package client holds one connection to one network module ETHM-1 of an alarm panel and asks over it.
//
// # What it guarantees
//
//   - One request is in flight at a time, and the next one leaves no sooner than the module can take it: modules drop
//     in silence what comes before or right after their answer.
//   - An answer is given only to the request it belongs to. A module's answers carry no number, so they are told apart by
//     command and by what they repeat of the request. After a time-out a late answer is given to nobody; when it could not
//     be told from the answer to the next request, a read of another kind goes first, whose answer proves that the late
//     one has come or never will.
//   - What nobody asked for goes to Config.OnNews through a bounded queue: it never holds up an answer.
//   - A command with a Guard is looked at right before it is written and right after.
//   - No goroutine outlives Close. User codes are never logged and never part of an error.
//
// # Pace
//
// The gap between an answer and the next request is measured from the moment the answer's last byte was read, so what
// the caller does with an answer runs within the gap. It begins at Config.StartGap and shrinks to Config.MinGap while
// answers come. A lost answer puts it back and keeps it above the value at which that happened; only long undisturbed
// work tries less again. The gap is kept to a fraction of a millisecond, where a timer alone would be one
// millisecond late: the speed of a walk through the event memory is gap and answer time alone.
//
// # States
//
//	Dial ── ErrBusy, or no connection
//	 └─ open ── Close, Reset ─────────────────────────────► closed
//	     ├─ closed by the module, or a read fails ────────► closed (ErrClosed; ErrNoAnswer if it never answered)
//	     ├─ text of a taken module before any answer ─────► closed (ErrBusy)
//	     ├─ one time-out ─ open (ErrTimeout)
//	     └─ two time-outs in a row ───────────────────────► closed (ErrReconnect)
//
// A closed connection stays so; the caller dials again, at the earliest after a second. The module hangs up after 25 s
// without a request: asking often enough, by LastSend, is the caller's part.
//
// # What it cannot know
//
// An answer that the module pushed cannot be told from the one asked for when both have the same command and the same
// echo. Of two lists both are true: the first is taken and the second becomes news. Of two records one is the next
// older and the other the newest: Older asks until it is told the same twice. Of two newest records the one that comes
// second may be the older: a module that pushes is not asked twice in a row for the newest without the clock between.
// Either way the next request may come before the answer that is still due, and be lost; a read for which nothing but
// that answer comes is asked again soon, not after its time-out. A module may accept arming at first and tell the
// result within five seconds: that second result is news. Should another control wait for its own meanwhile, a result
// that only arming has is taken for arming's, and any other for the control's. A list or record that comes after its
// time-out is an answer to nobody and may just as well have been pushed, so it is news.
//
// # Encrypted mode
//
// With Config.Cipher each request and each frame of the module goes in a message of its own. A module tells nobody that
// the key is wrong: it hangs up or stays silent, which ErrNoAnswer and ErrKey together stand for. One that encrypts while
// the client does not, or the reverse, behaves the same. A module that is taken says so in a form that is not published:
// whatever it sends before the first request means ErrBusy. A message that cannot be opened, or that mirrors a number
// which this connection has never sent, ends the connection.
//
// It imports package satel, the standard library and golang.org/x/sys for two things that Linux offers.
package client
