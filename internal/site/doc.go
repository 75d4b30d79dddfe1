// Package site owns guarded sites and their panels: what people see of them, and what a
// worker needs to reach a panel.
//
// A panel's user code is sealed before it is stored, is in no view and no log, and is
// opened only by Access, for the one who talks to the panel. Sites and panels are
// created with an audit entry in the same transaction.
//
// It imports access, audit, errs, ids, live, pg, secret, wire and satel (what a user
// code looks like).
package site
