package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/wire"
	"dozor/satel"
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
	maxArmMode    = 3
)

// Targets are what in a panel a command is for: of each kind of command, see below, one
// list has numbers and the others none.
type Targets struct {
	Partitions []int
	Zones      []int
	Outputs    []int
	Expanders  []int // by address from 0; doors alone
}

// Order is what somebody wants a panel to do.
type Order struct {
	PanelID ids.PanelID
	Kind    Kind
	ArmMode int // 0 full, 1 to 3 the panel's modes; only for Arm and ForceArm
	Targets
	Within  time.Duration // until its deadline; 0 means DefaultWithin
	AlarmID ids.AlarmID   // the alarm that it belongs to; 0 for none
}

// target is one list of targets: which numbers there can be.
type target struct {
	numbers     *[]int
	many        string
	first, last int
}

// lists returns the lists of targets, and how many of the first ones the kind of command
// is for: their numbers together must be some.
func (t *Targets) lists(k Kind) (lists []target, used int) {
	partitions := target{&t.Partitions, "Partitions", 1, 32}
	zones := target{&t.Zones, "Zones", 1, 256}
	outputs := target{&t.Outputs, "Outputs", 1, 256}
	expanders := target{&t.Expanders, "Expanders", 0, 63}
	switch k {
	case Arm, ForceArm, Disarm, ClearAlarm:
		return []target{partitions, zones, outputs, expanders}, 1
	case Bypass, Unbypass, Isolate:
		return []target{zones, partitions, outputs, expanders}, 1
	case OutputsOn, OutputsOff, OutputsSwitch:
		return []target{outputs, partitions, zones, expanders}, 1
	case OpenDoor:
		return []target{outputs, expanders, partitions, zones}, 2
	default:
		return []target{partitions, zones, outputs, expanders}, 0
	}
}

// The errors that callers tell apart.
var (
	ErrLinkDown      = errs.New(errs.Conflict, "panel_link_down", "The panel can't be reached now.")
	ErrTooMany       = errs.New(errs.Conflict, "commands_pending", "The panel has commands that have not ended yet.")
	ErrNotFound      = errs.New(errs.NotFound, "command_not_found", "There is no such command.")
	ErrPanelNotFound = errs.New(errs.NotFound, "panel_not_found", "There is no such panel.")
	ErrMayNot        = errs.New(errs.Forbidden, "forbidden", "Your role does not allow this kind of command.")
	errInvalid       = errs.New(errs.Invalid, "invalid_command", "The command can't be right.")
)

func (o *Order) check() error {
	invalid := func(format string, args ...any) error {
		return errs.New(errs.Invalid, errInvalid.Code, fmt.Sprintf(format, args...))
	}
	switch {
	case !slices.Contains(Kinds(), o.Kind):
		return invalid("There is no such kind of command.")
	case o.ArmMode < 0 || o.ArmMode > maxArmMode || (o.ArmMode != 0 && !o.Kind.arms()):
		return invalid("The arming mode must be 0 to 3, and 0 where nothing is armed.")
	case o.Within < MinWithin || o.Within > MaxWithin:
		return invalid("The deadline must be 5 to 60 seconds away.")
	}
	lists, used := o.lists(o.Kind)
	count := 0
	for i, t := range lists {
		if i >= used && len(*t.numbers) > 0 {
			return invalid("%s are not what this kind of command is for.", t.many)
		}
		count += len(*t.numbers)
		*t.numbers = slices.AppendSeq([]int{}, slices.Values(*t.numbers))
		slices.Sort(*t.numbers)
		for j, n := range *t.numbers {
			if n < t.first || n > t.last || (j > 0 && n == (*t.numbers)[j-1]) {
				return invalid("%s are different numbers from %d to %d.", t.many, t.first, t.last)
			}
		}
	}
	if used > 0 && count == 0 {
		return invalid("At least one of %s is needed.", strings.ToLower(lists[0].many))
	}
	return nil
}

// details are what the audit keeps of an order.
func (o *Order) details() map[string]any {
	d := map[string]any{"panel_id": o.PanelID, "within_s": o.Within.Seconds()}
	lists, used := o.lists(o.Kind)
	for _, t := range lists[:used] {
		if len(*t.numbers) > 0 {
			d[strings.ToLower(t.many)] = *t.numbers
		}
	}
	if o.Kind.arms() {
		d["arm_mode"] = o.ArmMode
	}
	if o.AlarmID != 0 {
		d["alarm_id"] = o.AlarmID
	}
	return d
}

// Request queues a command of somebody whose role may give it. It answers ErrLinkDown for
// a panel that can't be reached: nothing is kept for later.
func (c *Commands) Request(ctx context.Context, by access.Principal, o Order) (wire.Command, error) {
	if o.Within == 0 {
		o.Within = DefaultWithin
	}
	if !access.MayOrder(by.Role, string(o.Kind)) && slices.Contains(Kinds(), o.Kind) {
		return wire.Command{}, ErrMayNot
	}
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
			INSERT INTO commands (id, panel_id, alarm_id, kind, arm_mode, partitions, zones, outputs, expanders, requested_by, requested_at, deadline_at, trace)
			SELECT $1, $2, nullif($3::bigint, 0), $4, $5, $6::int[], $7::int[], $8::int[], $9::int[], $10, now, now + make_interval(secs => $11::float8), $12 FROM moment`,
			id, int64(o.PanelID), int64(o.AlarmID), string(o.Kind), o.ArmMode, o.Partitions, o.Zones, o.Outputs, o.Expanders,
			int64(by.UserID), o.Within.Seconds(), access.RequestID(ctx))
		if err != nil {
			return fmt.Errorf("queue a command: %w", err)
		}
		if view, err = one(ctx, tx, id); err != nil {
			return err
		}
		entry := audit.By(by, "command."+string(o.Kind), "command", id)
		entry.Details = o.details()
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
	if err := c.checkOutputs(ctx, tx, o); err != nil {
		return err
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

// checkOutputs refuses outputs of which it is known that this kind of command does nothing
// to them: a panel would say "accepted" and leave it at that.
func (c *Commands) checkOutputs(ctx context.Context, tx pgx.Tx, o Order) error {
	if len(o.Outputs) == 0 {
		return nil
	}
	wanted := satel.ControlSwitch
	if o.Kind == OpenDoor {
		wanted = satel.ControlDoor
	}
	rows, err := tx.Query(ctx, "SELECT number, function FROM panel_objects WHERE panel_id = $1 AND kind = 'output' AND number = ANY ($2::int[])",
		int64(o.PanelID), o.Outputs)
	if err != nil {
		return fmt.Errorf("read what outputs are for: %w", err)
	}
	var number, function int
	var wrong error
	_, err = pgx.ForEachRow(rows, []any{&number, &function}, func() error {
		if kind, ok := satel.LookupType(satel.TypeOutput, byte(function)); ok && kind.Control != wanted {
			wrong = errs.New(errs.Invalid, "output_not_controllable", fmt.Sprintf("Output %d is of a function that this command does nothing to.", number))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what outputs are for: %w", err)
	}
	return wrong
}
