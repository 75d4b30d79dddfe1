package timer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/pg"
)

// pageSize bounds one look for timers that are due.
const pageSize = 200

// Due is a timer whose instant has come.
type Due struct {
	Kind    Kind
	Subject string
	At      time.Time // when it was due
}

// Effect does what a timer is for, in the transaction that removes it. It may find that
// nothing is to be done; an error leaves the timer for the next round.
type Effect func(ctx context.Context, tx pgx.Tx, due Due) error

// Runner runs timers that are due. Safe for use by many goroutines and processes.
type Runner struct {
	pool    *pg.Pool
	effects map[Kind]Effect
	kinds   []string
}

// NewRunner makes a runner of these kinds; timers of others are left alone, since a newer
// program may know them.
func NewRunner(pool *pg.Pool, effects map[Kind]Effect) *Runner {
	r := &Runner{pool: pool, effects: effects}
	for kind := range effects {
		r.kinds = append(r.kinds, string(kind))
	}
	slices.Sort(r.kinds)
	return r
}

// Round runs every timer that is due, each in a transaction of its own, and returns how
// many it has run. One that fails holds up no other. Call it several times a second.
func (r *Runner) Round(ctx context.Context) (int, error) {
	ran := 0
	var failed []error
	var after place
	for ctx.Err() == nil {
		page, err := r.due(ctx, after)
		if err != nil {
			return ran, errors.Join(append(failed, err)...)
		}
		for _, p := range page {
			done, err := r.run(ctx, p.id)
			if err != nil {
				failed = append(failed, err)
			}
			if done {
				ran++
			}
			after = p
		}
		if len(page) < pageSize {
			break
		}
	}
	return ran, errors.Join(failed...)
}

// place is a timer in the order of their instants.
type place struct {
	at time.Time
	id int64
}

func (r *Runner) due(ctx context.Context, after place) ([]place, error) {
	rows, err := r.pool.Query(ctx, `
		SELECT due_at, id FROM timers
		WHERE due_at <= (SELECT dozor_now()) AND kind = ANY($1::text[]) AND (due_at, id) > ($2::timestamptz, $3::bigint)
		ORDER BY due_at, id LIMIT $4`, r.kinds, after.at, after.id, pageSize)
	if err != nil {
		return nil, fmt.Errorf("look for timers that are due: %w", err)
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (place, error) {
		var p place
		return p, row.Scan(&p.at, &p.id)
	})
	if err != nil {
		return nil, fmt.Errorf("look for timers that are due: %w", err)
	}
	return page, nil
}

// run does one timer, unless another one has it, or it was set anew or cleared meanwhile.
func (r *Runner) run(ctx context.Context, id int64) (done bool, err error) {
	var due Due
	err = r.pool.InTx(ctx, func(tx pgx.Tx) error {
		done = false
		err := tx.QueryRow(ctx, `
			SELECT kind, subject, due_at FROM timers WHERE id = $1 AND due_at <= (SELECT dozor_now()) FOR UPDATE SKIP LOCKED`, id).
			Scan(&due.Kind, &due.Subject, &due.At)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take it: %w", err)
		}
		due.At = due.At.UTC()
		if err := r.effects[due.Kind](ctx, tx, due); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM timers WHERE id = $1", id); err != nil {
			return fmt.Errorf("remove it: %w", err)
		}
		done = true
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("run timer %d (%s of %s): %w", id, due.Kind, due.Subject, err)
	}
	return done, nil
}
