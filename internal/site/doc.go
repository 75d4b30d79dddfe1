// Package site owns guarded sites, whom to call about them, and their panels: what people
// see of them, how they are added, edited, retired and replaced, and what a worker needs
// to reach a panel.
//
// A panel's user code, its integration key and a contact's telephone numbers are sealed
// before they are stored. They are in no view, no log and no audit entry: lists show numbers
// in a masked form, and of a key only whether there is one. Codes and keys are opened only by
// Access, for the one who talks to the panel; numbers only by Reveal, with a reason, which is
// audited.
//
// What a panel calls its parts and its events is read from it by the worker and kept here:
// Survey, Record and Heed carry a round of reading over connections and processes, and what
// is otherwise than before becomes a row of panel_changes with an audit entry. Only a panel's
// own word that it has no such object makes one vanish, and it keeps its row, since old
// events name it. What may keep a zone from raising an alarm is grave; package panelwatch
// tells of it.
//
// Every change is one transaction with its audit entry, and is guarded by the version that
// the editor saw. Nothing is deleted but contacts: sites and panels are retired, so that
// their history keeps its names. A change of a panel's address, code, key or enabling
// raises its reach, which workers compare with the one that they connected under.
//
// One site is the station itself. Lists leave it out unless asked, and it can be neither
// edited nor retired, nor have panels.
//
// It imports access, audit, errs, ids, live, pg, secret, wire and satel (what a user
// code and an integration key look like).
package site
