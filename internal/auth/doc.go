// Package auth owns the ways in: passwords, browser sessions, bearer tokens and the
// tickets of the stream.
//
//   - A password is kept as argon2id in PHC form, with its parameters, and hashed again
//     at sign-in when they have changed. A login that does not exist costs what a wrong
//     password costs. Few are hashed at once, since each takes much memory.
//   - Tries are counted by login and address, before the password is looked at.
//   - A session is a random token in a cookie; the table holds its SHA-256. It ends 12
//     hours after it was last used.
//   - A bearer token is an RS256 JWT of 15 minutes. Its keys live sealed in the database,
//     made on demand and rotated by age; only RS256 of a known key passes.
//   - A ticket lives 30 seconds and is redeemed once, by deleting it.
//   - Whoever is disabled is refused at the next request, whatever they hold: the user
//     is read each time.
//   - With another password or role, and with being disabled, everything ends that was
//     opened as the user: sessions, tokens (by the epoch that they bear), tickets and
//     connections, which a frame of the stream tells on every instance.
//   - Somebody can always administer the station: the last who can is neither disabled
//     nor given another role, and nobody takes their own rights.
//
// Time is the database's, so that instances with different clocks agree. Acts of signing
// in and out, and changes of users, are audited in their transaction.
//
// It imports access, audit, errs, ids, outbox, pg, secret, stream (who a viewer is) and
// wire.
package auth
