// Package command owns orders to panels: their row is the truth about them.
//
//	queued --Claim--> executing --Finish--> done | refused | unknown | expired
//	   |                  \--Sweep: past its deadline under a dead fence--> unknown --Finish, same fence--> corrected
//	   |--Sweep: past its deadline--> expired
//	   \--Sweep: queued in another life of the database--> unknown
//
// Invariants:
//   - No command acts late. Claim takes a command only before its deadline, and hands on
//     what is left of it as a Deadline on a clock that counts on while the machine
//     sleeps, counted from before the claim began. Who writes to the panel checks it
//     before the write and after it.
//   - A command is claimed at most once. One that was queued in another life of the
//     database (its timeline) is never claimed: the claim may have been lost with the
//     last commits. One that is executing is never run again by anybody.
//   - Who may give a kind of command is asked here, of the table in access, by whatever way
//     the command comes.
//   - "Accepted" is not "done": the executor looks at the panel's state and says confirmed or
//     no_effect. A refused command is never tried again by itself.
//   - Every command ends in a recorded result, "unknown" included; the end is one
//     transaction with its audit entry and its command.result frame.
//
// It refuses a command to a panel whose link is not up, and more than a few at a time.
// It imports access, audit, errs, ids, live, outbox, pg, wire and satel (the panel's
// result codes).
package command
