package timer

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Kind names what is done when a timer is due.
type Kind string

// Set makes the timer of a kind and subject due after a while, in place of the one that
// there may be, and returns the instant. Call it before locking what the timer is about.
func Set(ctx context.Context, tx pgx.Tx, kind Kind, subject string, after time.Duration) (time.Time, error) {
	var due time.Time
	err := tx.QueryRow(ctx, `
		INSERT INTO timers (kind, subject, due_at) VALUES ($1, $2, dozor_now() + make_interval(secs => $3::float8))
		ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at RETURNING due_at`,
		string(kind), subject, after.Seconds()).Scan(&due)
	if err != nil {
		return due, fmt.Errorf("set timer %s of %s: %w", kind, subject, err)
	}
	return due.UTC(), nil
}

// Clear removes a timer, if there is one; it waits for whoever is running it. Call it
// before locking what the timer is about.
func Clear(ctx context.Context, tx pgx.Tx, kind Kind, subject string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM timers WHERE kind = $1 AND subject = $2", string(kind), subject); err != nil {
		return fmt.Errorf("clear timer %s of %s: %w", kind, subject, err)
	}
	return nil
}

// ClearUnlocked is the statement that removes timers of a kind ($1) and of subjects ($2,
// text[]) for whoever holds the locks of what they are about. One that is being run stays:
// its effect waits for those locks and finds that it is not meant any more.
const ClearUnlocked = `
DELETE FROM timers WHERE id = ANY(ARRAY(
    SELECT id FROM timers WHERE kind = $1 AND subject = ANY($2::text[]) ORDER BY id FOR UPDATE SKIP LOCKED))`
