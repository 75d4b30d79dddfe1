// Package worker owns the sessions to panels. One worker holds leases on panels and
// keeps, for each, one TCP session in one goroutine: it polls for news, reads the event
// memory first and the state lists after, writes live state, infers alarms that no
// record explains in time, and executes commands.
//
// Priorities inside a session, highest first: a command before its deadline, the newest
// record after any sign of news, the walk back through the memory, state lists (alarms
// first), names. One request is in flight at a time: that is the protocol's floor.
//
// What is edited while it is held is followed within a second or two: a session ends when
// its panel is disabled, retired, or has another address, and a new one begins there under
// a new fence; a new user code is used from the next command on.
//
// What holds when things break:
//   - the link: backoff from 1 s to 30 s with jitter, reset only after a stable
//     connection; a module taken by somebody else is said in words;
//   - the bus or PostgreSQL: records stay held and go out again (package panellog);
//   - this process: its leases lapse and another worker reads on from PostgreSQL's marks;
//   - the lease store: holders go on, and hang up 30 s after their leases ran out.
//
// It imports satel, satel/client, bus, command, event, ids, lifecycle, live, obs, panellog,
// pg, site and wire.
package worker
