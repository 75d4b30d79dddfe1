// Package pg owns the way to PostgreSQL: pools, the transaction runner, migrations,
// and hints (coalesced LISTEN/NOTIFY). SQL itself lives with the package that owns the
// tables, in its store files.
//
// A Pool may lead through PgBouncer in transaction mode, so nothing done over it may
// need a session. What does (LISTEN, migrations, the relay) takes a Direct, another
// type, so that the compiler keeps them apart.
//
// A transaction of InTx that stands still for three seconds between two statements is ended
// by the server: no process that hangs, and no host that is gone, keeps its locks.
//
// It imports the standard library, pgx and goose, nothing else of dozor.
package pg
