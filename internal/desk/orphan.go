package desk

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
)

// orphanLimit bounds one look; the next takes the rest.
const orphanLimit = 500

// ReleaseOrphans puts back into the queue, with a ring, every alarm whose owner is
// disabled, or had a session that ended after they got the alarm and has none now. It
// returns how many. Call it after a sign-out, and every few seconds, since sessions also
// end by themselves. (Whoever works with bearer tokens alone has no session to end.)
func (d *Desk) ReleaseOrphans(ctx context.Context) (int, error) {
	rows, err := d.d.Pool.Query(ctx, `
		SELECT a.id, a.version FROM alarms a JOIN users u ON u.id = a.owner_id
		WHERE a.state <> 'closed' AND a.state IN ('claimed', 'acknowledged')
		  AND (u.disabled_at IS NOT NULL
		       OR (EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id AND least(s.revoked_at, s.expires_at) BETWEEN a.claimed_at AND dozor_now())
		           AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > dozor_now())))
		ORDER BY a.priority, a.id LIMIT $1`, orphanLimit)
	if err != nil {
		return 0, fmt.Errorf("look for alarms without an owner: %w", err)
	}
	orphans, err := pgx.CollectRows(rows, pgx.RowToStructByPos[orphan])
	if err != nil {
		return 0, fmt.Errorf("look for alarms without an owner: %w", err)
	}
	released := 0
	for _, o := range orphans {
		switch err := d.releaseByStation(ctx, o); {
		case err == nil:
			released++
		case errs.KindOf(err) == errs.Conflict:
			// Somebody was faster; whoever has it now is judged by the next look.
		default:
			return released, fmt.Errorf("release alarm %d, whose owner is gone: %w", o.ID, err)
		}
	}
	if released > 0 {
		d.d.Notified()
	}
	return released, nil
}

// orphan is an alarm whose owner is gone, as it was found.
type orphan struct {
	ID      ids.AlarmID
	Version int64
}

func (d *Desk) releaseByStation(ctx context.Context, o orphan) error {
	return d.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		before, err := standing(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if before.version != o.Version {
			return errLost
		}
		s := Step{Act: alarm.Release}
		next, err := alarm.Next(before.Standing, s.Act, alarm.Actor{Supervisor: true})
		if err != nil {
			return err
		}
		if err := change(ctx, tx, o.ID, s, before, next); err != nil {
			return err
		}
		_, err = d.record(ctx, tx, o.ID, nil, s, before.State, next, audit.By(access.Station("owner-gone"), "alarm.release", "alarm", o.ID))
		return err
	})
}
