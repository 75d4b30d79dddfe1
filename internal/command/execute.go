package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// Held is a panel that the caller has the lease of, and its fence.
type Held struct {
	PanelID ids.PanelID
	Fence   int64
}

// Claimed is a command that is now this caller's alone to execute.
type Claimed struct {
	ID      ids.CommandID
	PanelID ids.PanelID
	Fence   int64
	Kind    Kind
	ArmMode int
	Targets
	// Deadline runs from before the claim; check it before the write and after it.
	Deadline Deadline
	Trace    string
}

// Claim takes the oldest timely command of each panel given: at most one a panel, so
// that none waits claimed behind another. Only a command that was queued in this life
// of the database is taken, and none of a panel that somebody else got a higher fence
// for. It is a transaction of its own: what it returns is committed as executing.
//
// After an error nobody knows whether the claim was committed; the sweeper ends it.
func (c *Commands) Claim(ctx context.Context, held []Held) ([]Claimed, error) {
	if len(held) == 0 {
		return nil, nil
	}
	panels, fences := make([]int64, len(held)), make([]int64, len(held))
	for i, h := range held {
		panels[i], fences[i] = int64(h.PanelID), h.Fence
	}
	began := boottime()
	rows, err := c.d.Pool.Query(ctx, `
		WITH next AS MATERIALIZED ( -- a subquery may be run again for each row that it is joined with, and lock another one each time
			SELECT q.id, h.fence
			FROM unnest($1::bigint[], $2::bigint[]) AS h (panel_id, fence)
			CROSS JOIN LATERAL (
				SELECT id FROM commands
				WHERE panel_id = h.panel_id AND state = 'queued' AND deadline_at > dozor_now() AND timeline = dozor_timeline()
				ORDER BY requested_at, id LIMIT 1
				FOR UPDATE SKIP LOCKED
			) q
			WHERE NOT EXISTS (SELECT FROM leases l WHERE l.panel_id = h.panel_id AND l.fence > h.fence)
		)
		UPDATE commands c SET state = 'executing', fence = next.fence, started_at = dozor_now() FROM next
		WHERE c.id = next.id AND c.state = 'queued'
		RETURNING c.id, c.panel_id, c.fence, c.kind, c.arm_mode, c.partitions, c.zones, c.outputs, c.expanders, c.trace,
		          extract(epoch FROM c.deadline_at - dozor_now())::float8`, panels, fences)
	if err != nil {
		return nil, fmt.Errorf("claim commands: %w", err)
	}
	claimed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Claimed, error) {
		var cl Claimed
		var left float64
		err := row.Scan(&cl.ID, &cl.PanelID, &cl.Fence, &cl.Kind, &cl.ArmMode, &cl.Partitions, &cl.Zones, &cl.Outputs, &cl.Expanders, &cl.Trace, &left)
		cl.Deadline = deadlineFrom(began, time.Duration(left*float64(time.Second)))
		return cl, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim commands: %w", err)
	}
	return claimed, nil
}

// ErrNotYours says that a command is not executing under the caller's fence: somebody
// else has it, or it ended another way for good.
var ErrNotYours = errs.New(errs.Conflict, "command_not_yours", "The command is not executed under this fence.")

// knownObstacles keeps of $7 what concerns the partitions of the command c, with names. A
// zone of which nobody knows the partition may be what stands in the way.
const knownObstacles = `
	SELECT coalesce(jsonb_agg(o.item || CASE WHEN n.name <> '' THEN jsonb_build_object('name', n.name) ELSE '{}' END ORDER BY o.place), '[]')
	FROM jsonb_array_elements(nullif($7::text::jsonb, 'null')) WITH ORDINALITY AS o (item, place)
	LEFT JOIN panel_objects n ON n.panel_id = c.panel_id AND n.kind = 'zone' AND n.number = (o.item ->> 'zone')::int
	WHERE coalesce(n.partition, 0) = 0 OR n.partition = ANY (c.partitions)`

// Finish records how a claimed command ended. Said twice, the second changes nothing.
// It also corrects the "unknown" of a sweeper that did not wait for this answer: also
// after a failover that lost the claim, since nobody else could have had it.
func (c *Commands) Finish(ctx context.Context, id ids.CommandID, fence int64, o Outcome) error {
	var changed bool
	obstacles, err := json.Marshal(o.InTheWay)
	if err != nil {
		return fmt.Errorf("finish command %s: %w", id, err)
	}
	err = c.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		changed = false
		var state State
		var has *int64
		var otherLife bool
		err := tx.QueryRow(ctx, "SELECT state, fence, timeline <> dozor_timeline() FROM commands WHERE id = $1 FOR UPDATE", id).
			Scan(&state, &has, &otherLife)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock the command: %w", err)
		}
		ours := has != nil && *has == fence
		lostClaim := has == nil && otherLife && (state == Queued || state == Uncertain)
		switch {
		case !ours && !lostClaim:
			return ErrNotYours
		case state == Uncertain && o.Result.State() == Uncertain && !o.Late:
			return nil // nothing new
		case state == Done || state == Refused || state == Expired:
			return nil
		}
		_, err = tx.Exec(ctx, `
			UPDATE commands c SET state = $2, result = $3, result_code = $4, late = $5, fence = $6, finished_at = dozor_now(),
			       in_the_way = (`+knownObstacles+`)
			WHERE id = $1`,
			id, string(o.Result.State()), string(o.Result), o.Code, o.Late, fence, string(obstacles))
		if err != nil {
			return fmt.Errorf("record the result: %w", err)
		}
		changed = true
		return c.announce(ctx, tx, "worker", []uuid.UUID{id})
	})
	if err != nil {
		return fmt.Errorf("finish command %s: %w", id, err)
	}
	if changed {
		c.d.Notified()
	}
	return nil
}

// resultData is the data of command.result.
type resultData struct {
	Command wire.Command `json:"command"`
}

// announce writes the audit entries and the frames of commands that have just ended.
func (c *Commands) announce(ctx context.Context, tx pgx.Tx, rule string, ended []uuid.UUID) error {
	list, err := views(ctx, tx, ended)
	if err != nil {
		return err
	}
	frames := make([]outbox.Row, 0, len(list))
	for _, v := range list {
		entry := audit.ByRule(rule, "command."+v.State, "command", v.ID)
		entry.Details = map[string]any{"panel_id": v.PanelID, "result": v.Result, "late": v.Late}
		if v.ResultCode != nil {
			entry.Details["result_code"] = *v.ResultCode
		}
		if err := c.d.Audit.Append(ctx, tx, entry); err != nil {
			return err
		}
		frames = append(frames, outbox.Row{SiteID: v.SiteID, Type: wire.CommandResult, Data: resultData{v}})
	}
	return outbox.Append(ctx, tx, frames...)
}
