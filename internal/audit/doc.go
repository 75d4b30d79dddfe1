// Package audit owns the record of what people and rules did. An entry is appended in
// the transaction of its act: both are there, or neither.
//
// Personal values (names, addresses, what somebody wrote) do not stand in the entry.
// They stand in audit_values with a salt, and the entry holds their HMAC: a person can
// be erased and the entries, with the chain that a sealer puts over them, stay whole.
//
// It refuses an entry without an act, a subject or an actor. It imports access, ids,
// secret and pgx.
package audit
