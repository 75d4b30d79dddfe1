// Package sim is a SATEL INTEGRA alarm panel with its network module ETHM-1, made of software: a panel that behaves, not
// a recording of one. Its zones have reactions, its partitions are armed with exit and entry times, its sirens stop, its
// event memory is a ring that wraps, and its module answers one client at a time in its own time. Whoever speaks the
// integration protocol can be tried against it, and against everything that goes wrong on the way to a panel.
//
// # Parts
//
// A Panel is the whole state machine with its event memory. It is used by itself, through its methods, or through a
// Server, which lets any number of panels answer on TCP ports of their own and offers the control API (ControlHandler)
// by which tests, demonstrations and benchmarks make things happen and learn the truth about what happened. Run is
// server and panels in one call, as a command needs it. A Site says what an installer would have set.
//
// # Time
//
// A panel has no goroutine and no timer. What is due (the end of an exit time, a record on its way into the memory)
// happens when somebody looks at the panel or acts on it, at its own time and in order; nobody can tell the difference.
// All of it runs on Config.Now, so a test shifts the clock instead of waiting. Only the module's own times run on the
// host's clock: an answer leaves at the arrival of its request plus AnswerDelay, and not before.
//
// A storm (Server.StartStorm) strikes panels at random and ends with everything normal; what it did and what was recorded
// can be read (StormReport, Panel.Events).
//
// What looks random (delays of records, the low byte of indexes, damage to frames) is drawn from Config.Seed.
//
// # What it guarantees
//
//   - State bits change first; the record follows within LogDelay, in the order in which things happened. A news flag
//     rises with every change of its list and falls when that list is read.
//   - A record never changes except for its two reporting states, which go from new to sent.
//   - An index names a place in the memory and asks for the record next older than the one that lies there now. One place,
//     behind the newest record, is always empty: there, and at every index that names nothing, the answer is an empty
//     record with index 000000. After a wrap and after an erase the same index names another record.
//   - The journal (Events) has every record that the memory was ever given, numbered from 1, whatever was overwritten or
//     erased. It is kept in main memory without a bound, as is the list of control commands; with Config.Journal in a
//     file too, written before anybody can read the record, so that a killed process loses nothing (a dead host may).
//     What was on its way into the memory then never got there, and bits begin as after a power-up.
//   - Bad frames, unknown commands and wrong lengths are answered by silence. Requests before the answer, or within
//     MinGap after it, are lost. A second client reads that the module is busy, unless ClientPolicy says otherwise.
//   - An encrypted module (Config.Encrypted) talks to nobody who has another key. The key is never shown, logged or part
//     of an error.
//   - A connection that subscribed is sent each list of its mask once and then at every change, and every fresh record;
//     frames that nobody asked for lie 20 ms apart. A new connection is told nothing.
//   - No code of a user is ever shown. Each connection is remembered with what it asked, each command with who brought it.
//
// # What it leaves out
//
// Editing of users over the protocol (refused for want of a right), arming with the byte that refuses bypass, verified
// alarms, records of the Grade log (its newest record is always an empty one), timers that do something, names of the types
// whose form nobody has described (17 to 19: no such object), and the memory of troubles whose place in the memory lists is
// another than in the present ones.
//
// # Uncertain points and how they are settled here
//
// Where the protocol is not known for sure: fire sets the alarm bits of burglary too; the end of the siren time clears the
// bits of alarms and leaves their memory; arming clears the memory; disarming leaves an alarm standing until it is cleared
// or the siren time ends; in service mode zones are shown and raise nothing, arming is refused as impossible and other
// commands for want of a right; a door's lock stays open for 5 s; a partition of two codes refuses arming as impossible and
// disarming for want of a right; what is opened, named or removed by control calls is told at once; a swinging detector records each of its violations; three wrong codes raise one event and
// lock nothing; a module looks at neither the counter nor the id that comes back in encrypted messages, and tells a second
// client under the key that it is busy; what is pushed leaves the news flags up; of several records that come at once only
// the newest is pushed, with the index of the one before in the place of the index asked with; what the second mask of a
// subscription names is sent again each second.
//
// The package imports package satel and the standard library, and may be imported by anybody.
package sim
