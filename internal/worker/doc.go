// Package worker owns the sessions to panels. One worker holds leases on panels and
// keeps, for each, one TCP session in one goroutine: it hears or polls for news, reads the event
// memory first and the state lists after, writes live state, infers alarms that no
// record explains in time, and executes commands.
//
// Priorities inside a session, highest first: a command before its deadline, the newest
// record after any sign of news, what a command has changed (a list a turn, so that no
// alarm waits for it), the walk back through the memory, state lists (alarms first), the
// clock, words for events that no table has, names. One request is in flight at a time:
// that is the protocol's floor.
//
// Names are read in rounds, when nothing else is to be done: all at once when a panel is
// new, then one a second each day and after records that say that settings changed, but not
// while somebody is in its service mode. A round goes on where it stood. An answer that is
// lost says nothing about the object.
//
// Several workers share the panels in numbers, see decide: each takes free ones up to its
// share, and gives away what is beyond it, a few at a time, none that is busy:
//
//	below its share, or nobody takes it ──Acquire──► held ──session──► connected
//	beyond its share and another's below it, or the worker ends:
//	    held, idle ──hang up, Release, hint──► free ──► held by another
//
// The room for unsettled records is shared too: of 1,500 each panel whose memory is walked
// holds an equal part at most, so that one with thousands of unread records holds up none
// with five; 500 more are for news, which wait for no walk. A record counts from its
// reading on, sent or not. Whether records are stored is asked for all panels at once.
//
// Nobody fights over a panel: a connection begins only while a lease renewed within its TTL
// is held, and one that was thrown out looks at its lease again first, after a pause.
//
// What is edited while it is held is followed within a second or two: a session ends when
// its panel is disabled, retired, or has another address or integration key, and a new one
// begins there under a new fence; a new user code is used from the next command on.
//
// What holds when things break:
//   - the link: tried again after 1 to 8 s with jitter, so that a site whose link returns is
//     watched within ten seconds; counted anew only after a stable connection;
//   - a module that is busy: every 2 s while our own connection, or that of another worker,
//     may run out there, every 8 to 12 s when a stranger must hold it; who, is said in words;
//   - what fails for minutes is in quarantine: it stays with its worker, and where something
//     answers but not to us (a wrong key, another device, a module that hangs) it is tried
//     every half minute or minute only. The live state carries that to the next session;
//   - the bus or PostgreSQL: records stay held and go out again (package panellog);
//   - this process: its leases lapse and the others read on from PostgreSQL's marks, each a
//     part; when it ends in order it has moved its panels to them before;
//   - the lease store: holders go on, and hang up 30 s after their leases ran out.
//
// It imports satel, satel/client, bus, command, event, ids, lifecycle, live, obs, panellog,
// pg, site and wire.
package worker
