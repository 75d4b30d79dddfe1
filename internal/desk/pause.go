package desk

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/audit"
	"dozor/internal/ids"
	"dozor/internal/timer"
)

// Timers are the effects of the desk's timers. Whoever runs them calls Deps.Notified.
func (d *Desk) Timers() map[timer.Kind]timer.Effect {
	return map[timer.Kind]timer.Effect{alarm.WakeTimer: d.wake}
}

// wake ends a pause whose time is over, and the alarm rings. The pause may have ended, or
// another one begun, while the timer waited for the alarm: then nothing is meant.
func (d *Desk) wake(ctx context.Context, tx pgx.Tx, due timer.Due) error {
	id, err := ids.Parse[ids.AlarmID](due.Subject)
	if err != nil {
		return fmt.Errorf("wake an alarm: %w", err)
	}
	var state alarm.State
	tag, err := tx.Exec(ctx, `
		UPDATE alarms SET version = version + 1, ring = ring + 1, paused_until = NULL WHERE id = $1 AND paused_until = $2`, int64(id), due.At)
	if err != nil {
		return fmt.Errorf("wake alarm %d: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	if err := tx.QueryRow(ctx, "SELECT state FROM alarms WHERE id = $1", int64(id)).Scan(&state); err != nil {
		return fmt.Errorf("wake alarm %d: %w", id, err)
	}
	entry := audit.ByRule("timer", "alarm.wake", "alarm", id)
	if _, err := d.record(ctx, tx, id, nil, Step{Act: alarm.Woke}, state, alarm.Standing{State: state}, entry); err != nil {
		return fmt.Errorf("wake alarm %d: %w", id, err)
	}
	return nil
}
