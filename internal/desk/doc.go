// Package desk owns what operators do with alarms, and what they see of them.
//
// A step is one transaction: the alarm changes by one UPDATE that is guarded by the
// version and the state which the operator saw, and under the lock that it takes come
// the action, the audit entry and the alarm.updated frame with the whole alarm. Of two
// who do the same at once one wins; the other is told who, and how the alarm stands.
// What a step means, and who may do it, is for package alarm to say.
//
// Nothing here opens an alarm, so no site is locked. Whoever will open one by hand locks
// the site first, then alarms.
//
// An alarm does not stay with somebody who is gone: ReleaseOrphans puts those whose
// owner has signed out, or was disabled, back into the queue, and they ring again.
//
// What a panel itself calls an event that no table has comes after the alarm: TellWords
// gives it to the alarms that are open, as a new version of each. Views read it anyway.
//
// Lists give the position of the stream that was read before them.
//
// It imports access, alarm, audit, errs, event, ids, outbox, pg and wire.
package desk
