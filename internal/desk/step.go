package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/timer"
	"dozor/internal/wire"
)

// Deps is what the desk needs.
type Deps struct {
	Pool  *pg.Pool
	Audit *audit.Log
	// Notified is called after frames were committed: a hint for the relay.
	Notified func()
}

// Desk is safe for use by many goroutines.
type Desk struct{ d Deps }

// New makes the desk.
func New(d Deps) *Desk {
	if d.Notified == nil {
		d.Notified = func() {}
	}
	return &Desk{d: d}
}

// ErrAlarmNotFound says that no alarm has that number.
var ErrAlarmNotFound = errs.New(errs.NotFound, "alarm_not_found", "There is no such alarm.")

// Conflict is the detail of errs.Conflict alarm_conflict: the alarm as it is now, and
// who did the last step, nil for the station.
type Conflict struct {
	Alarm wire.Alarm    `json:"alarm"`
	Actor *wire.UserRef `json:"actor"`
}

// Step is what somebody does to an alarm.
type Step struct {
	Act     alarm.Act
	Version int64  // that the operator saw; a note needs none
	Outcome string // of a resolve
	Text    string // of a resolve, a note or a pause
	// Pause is how long, in whole minutes up to MaxPause.
	Pause time.Duration
	// least is the priority that the alarm must at least have as a number.
	least event.Priority
}

const maxText = 2000

// MaxPause bounds a pause: an alarm that nobody looks at for longer is nobody's.
const MaxPause = time.Hour

// outcomes of a resolve.
var outcomes = map[string]bool{"real": true, "false_user": true, "false_technical": true, "test": true, "unknown": true}

func (s *Step) check() error {
	s.Text = strings.TrimSpace(s.Text)
	switch s.Act {
	case alarm.Resolve, alarm.Note, alarm.Pause:
		if !isText(s.Text, maxText) {
			return errText
		}
		if s.Act == alarm.Pause && (s.Pause < time.Minute || s.Pause > MaxPause || s.Pause%time.Minute != 0) {
			return errs.New(errs.Invalid, "invalid_pause", "A pause lasts 1 to 60 minutes.")
		}
		if s.Act == alarm.Resolve && !outcomes[s.Outcome] {
			return errs.New(errs.Invalid, "invalid_outcome", "The outcome is one of real, false_user, false_technical, test, unknown.")
		}
	default:
		if s.Text != "" || s.Outcome != "" {
			return errs.New(errs.Invalid, "invalid_text", "This step takes no text.")
		}
	}
	return nil
}

var errText = errs.New(errs.Invalid, "invalid_text", "A text of 1 to 2000 characters is needed.")

// isText reports whether a text says something, in at most so many characters, and can
// be stored.
func isText(s string, limit int) bool {
	return s != "" && utf8.RuneCountInString(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// What each act does to the row besides its state and owner. Whoever loses an alarm
// makes it ring: nobody has it now.
var effects = map[alarm.Act]string{
	alarm.Claim:    "claimed_at = dozor_now(), paused_until = NULL",
	alarm.Release:  "claimed_at = NULL, paused_until = NULL, ring = ring + 1",
	alarm.Takeover: "claimed_at = dozor_now(), paused_until = NULL",
	alarm.Ack:      "paused_until = NULL",
	alarm.Resolve:  "joinable = false, outcome = @outcome, outcome_text = @text, resolved_at = dozor_now(), paused_until = NULL",
	alarm.Reopen:   "joinable = false, outcome = NULL, outcome_text = '', resolved_at = NULL, claimed_at = dozor_now()",
	alarm.Close:    "joinable = false, closed_at = dozor_now()",
	alarm.Pause:    "paused_until = @until",
	alarm.Resume:   "paused_until = NULL",
}

// Do performs a step and returns the alarm after it. It answers errs.Conflict with a
// Conflict as its detail when the alarm is not, or no more, as the operator saw it.
func (d *Desk) Do(ctx context.Context, by access.Principal, id ids.AlarmID, s Step) (wire.Alarm, error) {
	if err := s.check(); err != nil {
		return wire.Alarm{}, err
	}
	var view wire.Alarm
	err := d.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		before, err := standing(ctx, tx, id)
		if err != nil {
			return err
		}
		next, err := alarm.Next(before.Standing, s.Act, alarm.Actor{ID: by.UserID, Supervisor: by.May(access.TakeOver)})
		if err != nil {
			return err
		}
		if before.priority < s.least {
			return ErrBatchPriority
		}
		if s.Act == alarm.Note {
			next, err = noted(ctx, tx, id)
			before.Standing = next
		} else if before.version != s.Version {
			err = errLost
		} else {
			err = change(ctx, tx, id, s, before, next)
		}
		if err != nil {
			return err
		}
		entry := audit.By(by, "alarm."+string(s.Act), "alarm", id)
		view, err = d.record(ctx, tx, id, &by.UserID, s, before.State, next, entry)
		return err
	})
	if refused, ok := errors.AsType[*errs.Error](err); ok && refused.Kind == errs.Conflict {
		return wire.Alarm{}, d.conflict(ctx, id, refused)
	}
	if err != nil {
		return wire.Alarm{}, fmt.Errorf("%s alarm %d: %w", s.Act, id, err)
	}
	d.d.Notified()
	return view, nil
}

// errLost is a lost race: the guarded UPDATE found another version.
var errLost = errs.New(errs.Conflict, "alarm_conflict", "the alarm has changed since")

type row struct {
	alarm.Standing
	version  int64
	priority event.Priority
}

func standing(ctx context.Context, tx pgx.Tx, id ids.AlarmID) (row, error) {
	var r row
	err := tx.QueryRow(ctx, `
		SELECT version, priority, state, coalesce(owner_id, 0), paused_until IS NOT NULL FROM alarms WHERE id = $1`, int64(id)).
		Scan(&r.version, &r.priority, &r.State, &r.Owner, &r.Paused)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, ErrAlarmNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read how it stands: %w", err)
	}
	return r, nil
}

// change is the guarded UPDATE that decides races. The timer of a pause comes before it:
// so goes the order of locks.
func change(ctx context.Context, tx pgx.Tx, id ids.AlarmID, s Step, before row, next alarm.Standing) error {
	var until time.Time
	var err error
	switch {
	case next.Paused:
		until, err = timer.Set(ctx, tx, alarm.WakeTimer, alarm.TimerSubject(id), s.Pause)
	case before.Paused:
		err = timer.Clear(ctx, tx, alarm.WakeTimer, alarm.TimerSubject(id))
	}
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE alarms SET version = version + 1, state = @state, owner_id = nullif(@owner::bigint, 0), `+effects[s.Act]+`
		WHERE id = @id AND version = @version AND state = @before`,
		pgx.NamedArgs{
			"id": int64(id), "version": before.version, "before": string(before.State),
			"state": string(next.State), "owner": int64(next.Owner), "outcome": s.Outcome, "text": s.Text, "until": until,
		})
	if err != nil {
		return fmt.Errorf("change it: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLost
	}
	return nil
}

// noted raises the version for a note, whatever the state is by then.
func noted(ctx context.Context, tx pgx.Tx, id ids.AlarmID) (alarm.Standing, error) {
	var now alarm.Standing
	err := tx.QueryRow(ctx, "UPDATE alarms SET version = version + 1 WHERE id = $1 RETURNING state, coalesce(owner_id, 0), paused_until IS NOT NULL", int64(id)).
		Scan(&now.State, &now.Owner, &now.Paused)
	if err != nil {
		return now, fmt.Errorf("note on it: %w", err)
	}
	return now, nil
}

// record writes what belongs to a step, under the lock of the alarm's row. actor is nil
// for the station.
func (d *Desk) record(ctx context.Context, tx pgx.Tx, id ids.AlarmID, actor *ids.UserID, s Step, from alarm.State, next alarm.Standing, entry audit.Entry) (wire.Alarm, error) {
	view, err := viewOf(ctx, tx, id)
	if err != nil {
		return view, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO alarm_actions (alarm_id, actor_id, act, from_state, to_state, version, text) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		int64(id), (*int64)(actor), string(s.Act), string(from), string(next.State), view.Version, s.Text)
	if err != nil {
		return view, fmt.Errorf("record the action: %w", err)
	}
	entry.Details = map[string]any{"from": from, "to": next.State, "version": view.Version}
	if s.Pause != 0 {
		entry.Details["seconds"] = int(s.Pause.Seconds())
	}
	if s.Outcome != "" {
		entry.Details["outcome"] = s.Outcome
	}
	entry.Personal = map[string]string{"text": s.Text}
	if err := d.d.Audit.Append(ctx, tx, entry); err != nil {
		return view, err
	}
	return view, outbox.Append(ctx, tx, outbox.Row{
		SiteID: view.Site.ID, Type: wire.AlarmUpdated, Version: view.Version, Ring: view.Ring,
		Data: wire.AlarmData{Alarm: view}, Trace: access.RequestID(ctx),
	})
}

// conflict reads, after the transaction, what the loser is told.
func (d *Desk) conflict(ctx context.Context, id ids.AlarmID, refused *errs.Error) error {
	var c Conflict
	err := pgx.BeginTxFunc(ctx, d.d.Pool.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		if c.Alarm, err = viewOf(ctx, tx, id); err != nil {
			return err
		}
		var actor wire.UserRef
		err = tx.QueryRow(ctx, `
			SELECT coalesce(u.id, 0), coalesce(u.name, '') FROM alarm_actions a LEFT JOIN users u ON u.id = a.actor_id
			WHERE a.alarm_id = $1 ORDER BY a.id DESC LIMIT 1`, int64(id)).Scan(&actor.ID, &actor.Name)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("read who acted last: %w", err)
		}
		if actor.ID != 0 {
			c.Actor = &actor
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the alarm of a conflict: %w", err)
	}
	return refused.With(c)
}
