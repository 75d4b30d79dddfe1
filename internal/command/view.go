package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

const selectView = `
SELECT c.id, c.panel_id, p.site_id, c.kind, c.arm_mode, c.partitions, c.zones, c.outputs, c.expanders, c.state, c.result, c.result_code, c.late, c.in_the_way,
       c.requested_by, u.name, c.requested_at, c.deadline_at, c.finished_at
FROM commands c JOIN panels p ON p.id = c.panel_id JOIN users u ON u.id = c.requested_by
`

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func scanView(row pgx.CollectableRow) (wire.Command, error) {
	var v wire.Command
	err := row.Scan(&v.ID, &v.PanelID, &v.SiteID, &v.Kind, &v.ArmMode, &v.Partitions, &v.Zones, &v.Outputs, &v.Expanders, &v.State, &v.Result, &v.ResultCode, &v.Late, &v.InTheWay,
		&v.RequestedBy.ID, &v.RequestedBy.Name, &v.RequestedAt, &v.DeadlineAt, &v.FinishedAt)
	v.RequestedAt, v.DeadlineAt = v.RequestedAt.UTC(), v.DeadlineAt.UTC()
	if v.FinishedAt != nil {
		utc := v.FinishedAt.In(time.UTC)
		v.FinishedAt = &utc
	}
	return v, err
}

func views(ctx context.Context, q querier, commands []uuid.UUID) ([]wire.Command, error) {
	rows, err := q.Query(ctx, selectView+"WHERE c.id = ANY ($1::text[]::uuid[]) ORDER BY c.requested_at, c.id", texts(commands))
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanView)
	if err != nil {
		return nil, fmt.Errorf("read commands: %w", err)
	}
	return list, nil
}

// texts: without prepared statements, as behind PgBouncer, pgx can't encode a []uuid.UUID.
func texts(commands []uuid.UUID) []string {
	list := make([]string, len(commands))
	for i, id := range commands {
		list[i] = id.String()
	}
	return list
}

func one(ctx context.Context, q querier, id ids.CommandID) (wire.Command, error) {
	list, err := views(ctx, q, []uuid.UUID{id})
	if err != nil {
		return wire.Command{}, err
	}
	if len(list) == 0 {
		return wire.Command{}, ErrNotFound
	}
	return list[0], nil
}

// Get returns a command; ErrNotFound where there is none.
func (c *Commands) Get(ctx context.Context, id ids.CommandID) (wire.Command, error) {
	v, err := one(ctx, c.d.Pool, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return v, fmt.Errorf("get command %s: %w", id, err)
	}
	return v, err
}

// Recent returns a panel's newest commands, the newest first.
func (c *Commands) Recent(ctx context.Context, panel ids.PanelID, limit int) ([]wire.Command, error) {
	rows, err := c.d.Pool.Query(ctx, selectView+"WHERE c.panel_id = $1 ORDER BY c.requested_at DESC, c.id DESC LIMIT $2", int64(panel), limit)
	if err != nil {
		return nil, fmt.Errorf("list commands of panel %d: %w", panel, err)
	}
	list, err := pgx.CollectRows(rows, scanView)
	if err != nil {
		return nil, fmt.Errorf("list commands of panel %d: %w", panel, err)
	}
	return list, nil
}
