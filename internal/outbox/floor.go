package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// floor is an id at and below which no unstamped row exists or can still appear. The
// relay scans the index of unstamped rows from there. Without it, each stamped row
// leaves a dead entry in that index that can't be removed while any old snapshot lives
// (a backup, a forgotten session), and every step would walk over all of them.
//
// Identities are given out before the commit, so "I have seen id 900" says nothing of
// 899. The floor may rise to top only after this chain of facts:
//
//  1. A row with id top was seen committed, so every id <= top was given out before.
//  2. Whoever holds such an id in a transaction that still runs had the table's ROW
//     EXCLUSIVE lock before it got the id (an INSERT locks before it asks the sequence)
//     and keeps it to the end of the transaction.
//  3. After 1, the holders of that lock are listed. Not listed means: ended already.
//  4. Later none of those listed is left. PostgreSQL makes a commit visible before it
//     lets go of locks, so a snapshot taken from now on shows all ids <= top that will
//     ever be there.
//  5. A stamping statement that begins after 4 and does not fill its batch has stamped
//     every row that it saw.
//
// A prepared transaction changes the name of its locks, so any of those counts as a
// holder. After a crash, a restart or a restored copy ids may come again: the start of
// the server is compared in each step, and errors and new epochs begin at 0 too.
type floor struct {
	id       int64
	top      int64 // highest id stamped
	since    int   // rows stamped since the floor last rose
	server   time.Time
	listedAt int64 // top when writers was listed
	writers  []string
	listed   bool
	ended    bool // fact 4 held before the last stamping statement
	riseOver int
}

// riseAfter is how many dead entries are cheaper to walk over than to look at the locks.
const riseAfter = 2000

func (f *floor) reset() { *f = floor{server: f.server, riseOver: f.riseOver} }

// begin notes which life of the server this transaction is in.
func (f *floor) begin(server time.Time) {
	if !server.Equal(f.server) {
		f.server = server
		f.reset()
	}
}

// checkWriters establishes fact 4; called in the transaction before it stamps.
func (f *floor) checkWriters(ctx context.Context, tx pgx.Tx) error {
	if !f.listed {
		return nil
	}
	err := tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM pg_locks
		WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
		  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND (virtualtransaction = ANY($1) OR virtualtransaction LIKE '-1/%'))`, f.writers).Scan(&f.ended)
	if err != nil {
		return fmt.Errorf("look for writers of the outbox: %w", err)
	}
	return nil
}

// stamped notes what a committed step did: fact 5, and the next fact 1.
func (f *floor) stamped(n int, top int64, full bool) {
	if f.listed && f.ended && !full {
		f.id, f.listed, f.ended, f.since = f.listedAt, false, false, 0
	}
	f.top = max(f.top, top)
	f.since += n
}

// listWriters establishes fact 3 when it is worth it; called outside of a transaction.
func (f *floor) listWriters(ctx context.Context, q Querier) error {
	if f.listed || f.since < f.riseOver {
		return nil
	}
	top := f.top
	rows, err := q.Query(ctx, `SELECT virtualtransaction FROM pg_locks
		WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
		  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if err != nil {
		return fmt.Errorf("list writers of the outbox: %w", err)
	}
	writers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list writers of the outbox: %w", err)
	}
	f.listedAt, f.writers, f.listed, f.ended = top, writers, true, false
	return nil
}
