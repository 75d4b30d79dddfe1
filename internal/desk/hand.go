package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/wire"
)

// Report is what somebody told an operator about a site.
type Report struct {
	SiteID ids.SiteID
	Kind   event.Kind // one that event.MayReport
	Text   string
	Caller string // who told; may be empty
}

const maxCaller = 200

// Refusals of a report.
var (
	ErrSiteNotFound = errs.New(errs.NotFound, "site_not_found", "There is no such site.")
	ErrSiteRetired  = errs.New(errs.Conflict, "site_retired", "The site is not guarded any more.")
)

func (r *Report) check() error {
	r.Text, r.Caller = strings.TrimSpace(r.Text), strings.TrimSpace(r.Caller)
	switch {
	case !isText(r.Text, maxText):
		return errText
	case r.Caller != "" && !isText(r.Caller, maxCaller):
		return errs.New(errs.Invalid, "invalid_caller", "A caller has at most 200 characters.")
	case !event.MayReport(r.Kind):
		return errs.New(errs.Invalid, "invalid_kind", "An alarm of this kind can't be opened by hand.")
	}
	return nil
}

// Open opens an alarm by hand, or joins one that stands: the report is an event like any
// other, bundled under the site's lock. It says whether the alarm was there before.
func (d *Desk) Open(ctx context.Context, by access.Principal, r Report) (view wire.Alarm, joined bool, err error) {
	if err := r.check(); err != nil {
		return wire.Alarm{}, false, err
	}
	var done ingest.Reported
	err = d.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		now, err := lockGuarded(ctx, tx, r.SiteID)
		if err != nil {
			return err
		}
		if done, err = ingest.Report(ctx, tx, event.Reported(r.SiteID, r.Kind, r.Text, r.Caller, now), access.RequestID(ctx)); err != nil {
			return err
		}
		return d.recordReport(ctx, tx, by, r, done)
	})
	if err != nil {
		return wire.Alarm{}, false, fmt.Errorf("open an alarm by hand at site %d: %w", r.SiteID, err)
	}
	d.d.Notified()
	return done.Alarm, done.Joined, nil
}

// lockGuarded locks a site as ingest does, and refuses one that is not guarded any more.
func lockGuarded(ctx context.Context, tx pgx.Tx, id ids.SiteID) (now time.Time, err error) {
	var retired bool
	err = tx.QueryRow(ctx, "SELECT retired_at IS NOT NULL FROM sites WHERE id = $1 FOR NO KEY UPDATE", int64(id)).Scan(&retired)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return now, ErrSiteNotFound
	case err != nil:
		return now, fmt.Errorf("lock the site: %w", err)
	case retired:
		return now, ErrSiteRetired
	}
	if err := tx.QueryRow(ctx, "SELECT dozor_now()").Scan(&now); err != nil {
		return now, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// recordReport writes who told what into the alarm's history and the audit.
func (d *Desk) recordReport(ctx context.Context, tx pgx.Tx, by access.Principal, r Report, done ingest.Reported) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO alarm_actions (alarm_id, actor_id, act, from_state, to_state, version, text) VALUES ($1, $2, $3, $4, $4, $5, $6)`,
		int64(done.Alarm.ID), int64(by.UserID), string(alarm.Report), string(done.Before), done.Alarm.Version, r.Text)
	if err != nil {
		return fmt.Errorf("record the action: %w", err)
	}
	entry := audit.By(by, "alarm.report", "alarm", done.Alarm.ID)
	entry.Details = map[string]any{"site_id": r.SiteID, "kind": r.Kind, "joined": done.Joined, "version": done.Alarm.Version}
	entry.Personal = map[string]string{"text": r.Text, "caller": r.Caller}
	return d.d.Audit.Append(ctx, tx, entry)
}
