package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

// Links tells whether a panel can be reached.
type Links interface {
	States(ctx context.Context, panels ...ids.PanelID) ([]live.PanelState, error)
}

// Deps is what commands need. Links may be nil on the side that only executes.
type Deps struct {
	Pool  *pg.Pool
	Audit *audit.Log
	Links Links
	// Requested is called after a command was queued: a hint for the workers.
	Requested func()
	// Notified is called after frames were committed: a hint for the relay.
	Notified func()
}

// Commands is the desk's and the worker's side of orders to panels. It is safe for use
// by many goroutines.
type Commands struct{ d Deps }

// New makes the use cases of commands.
func New(d Deps) *Commands {
	if d.Requested == nil {
		d.Requested = func() {}
	}
	if d.Notified == nil {
		d.Notified = func() {}
	}
	return &Commands{d: d}
}

// Bounds of an order.
const (
	MinWithin     = 5 * time.Second
	MaxWithin     = 60 * time.Second
	DefaultWithin = 15 * time.Second
	// maxUnfinished of a panel: one is sent at a time, and none acts late, so that
	// more would only expire.
	maxUnfinished = 8
	maxPartition  = 32
	maxArmMode    = 3
)

// Order is what somebody wants a panel to do.
type Order struct {
	PanelID    ids.PanelID
	Kind       Kind
	ArmMode    int // 0 full, 1 to 3 the panel's modes; only for Arm
	Partitions []int
	Within     time.Duration // until its deadline; 0 means DefaultWithin
	AlarmID    ids.AlarmID   // the alarm that it belongs to; 0 for none
}

// The errors that callers tell apart.
var (
	ErrLinkDown      = errs.New(errs.Conflict, "panel_link_down", "The panel can't be reached now.")
	ErrTooMany       = errs.New(errs.Conflict, "commands_pending", "The panel has commands that have not ended yet.")
	ErrNotFound      = errs.New(errs.NotFound, "command_not_found", "There is no such command.")
	ErrPanelNotFound = errs.New(errs.NotFound, "panel_not_found", "There is no such panel.")
	errInvalid       = errs.New(errs.Invalid, "invalid_command", "The command can't be right.")
)

func (o Order) check() error {
	invalid := func(message string) error { return errs.New(errs.Invalid, errInvalid.Code, message) }
	switch {
	case o.Kind != Arm && o.Kind != Disarm && o.Kind != ClearAlarm:
		return invalid("The kind must be arm, disarm or clear_alarm.")
	case o.ArmMode < 0 || o.ArmMode > maxArmMode || (o.ArmMode != 0 && o.Kind != Arm):
		return invalid("The arming mode must be 0 to 3, and 0 where nothing is armed.")
	case len(o.Partitions) == 0:
		return invalid("At least one partition is needed.")
	case o.Within < MinWithin || o.Within > MaxWithin:
		return invalid("The deadline must be 5 to 60 seconds away.")
	}
	for i, p := range o.Partitions {
		if p < 1 || p > maxPartition || (i > 0 && p == o.Partitions[i-1]) {
			return invalid("Partitions are different numbers from 1 to 32.")
		}
	}
	return nil
}

// Request queues a command. It answers ErrLinkDown for a panel that can't be reached:
// nothing is kept for later.
func (c *Commands) Request(ctx context.Context, by access.Principal, o Order) (wire.Command, error) {
	if o.Within == 0 {
		o.Within = DefaultWithin
	}
	o.Partitions = slices.Sorted(slices.Values(o.Partitions))
	if err := o.check(); err != nil {
		return wire.Command{}, err
	}
	if err := c.checkLink(ctx, o.PanelID); err != nil {
		return wire.Command{}, err
	}
	id := ids.NewCommandID()
	var view wire.Command
	err := c.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := c.checkPanel(ctx, tx, o); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			WITH moment AS MATERIALIZED (SELECT dozor_now() AS now)
			INSERT INTO commands (id, panel_id, alarm_id, kind, arm_mode, partitions, requested_by, requested_at, deadline_at, trace)
			SELECT $1, $2, nullif($3::bigint, 0), $4, $5, $6::int[], $7, now, now + make_interval(secs => $8::float8), $9 FROM moment`,
			id, int64(o.PanelID), int64(o.AlarmID), string(o.Kind), o.ArmMode, o.Partitions, int64(by.UserID), o.Within.Seconds(), access.RequestID(ctx))
		if err != nil {
			return fmt.Errorf("queue a command: %w", err)
		}
		if view, err = one(ctx, tx, id); err != nil {
			return err
		}
		entry := audit.By(by, "command."+string(o.Kind), "command", id)
		entry.Details = map[string]any{"panel_id": o.PanelID, "partitions": o.Partitions, "within_s": o.Within.Seconds()}
		if o.Kind == Arm {
			entry.Details["arm_mode"] = o.ArmMode
		}
		if o.AlarmID != 0 {
			entry.Details["alarm_id"] = o.AlarmID
		}
		return c.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return wire.Command{}, fmt.Errorf("request %s of panel %d: %w", o.Kind, o.PanelID, err)
	}
	c.d.Requested()
	return view, nil
}

func (c *Commands) checkLink(ctx context.Context, panel ids.PanelID) error {
	states, err := c.d.Links.States(ctx, panel)
	if err != nil {
		return fmt.Errorf("read the link of panel %d: %w", panel, err)
	}
	for _, s := range states {
		if s.PanelID == panel && s.Link == live.LinkUp {
			return nil
		}
	}
	var exists bool
	if err := c.d.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM panels WHERE id = $1)", int64(panel)).Scan(&exists); err != nil {
		return fmt.Errorf("look for panel %d: %w", panel, err)
	}
	if !exists {
		return ErrPanelNotFound
	}
	return ErrLinkDown
}

// checkPanel locks the panel against a second request at the same moment, so that the
// bound on unfinished commands holds.
func (c *Commands) checkPanel(ctx context.Context, tx pgx.Tx, o Order) error {
	var siteID int64
	var enabled bool
	err := tx.QueryRow(ctx, "SELECT site_id, enabled FROM panels WHERE id = $1 FOR NO KEY UPDATE", int64(o.PanelID)).Scan(&siteID, &enabled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return ErrPanelNotFound
	case err != nil:
		return fmt.Errorf("lock the panel: %w", err)
	case !enabled:
		return ErrLinkDown
	}
	var unfinished int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM commands WHERE panel_id = $1 AND state IN ('queued', 'executing')", int64(o.PanelID)).Scan(&unfinished); err != nil {
		return fmt.Errorf("count unfinished commands: %w", err)
	}
	if unfinished >= maxUnfinished {
		return ErrTooMany
	}
	if o.AlarmID == 0 {
		return nil
	}
	var alarmSite int64
	err = tx.QueryRow(ctx, "SELECT site_id FROM alarms WHERE id = $1", int64(o.AlarmID)).Scan(&alarmSite)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && alarmSite != siteID:
		return errs.New(errs.Invalid, errInvalid.Code, "The alarm is not one of the panel's site.")
	case err != nil:
		return fmt.Errorf("read the alarm: %w", err)
	}
	return nil
}
