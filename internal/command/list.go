package command

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// MaxPage bounds a page of the list.
const MaxPage = 200

// Filter says which commands a list has; zero values are no filter.
type Filter struct {
	PanelID ids.PanelID
	SiteID  ids.SiteID
	UserID  ids.UserID // who asked for it
	State   string
	Before  ids.CommandID // the list goes on after that one
}

// List returns commands from the newest on, by the time of their asking; next is the zero
// id at the end.
func (c *Commands) List(ctx context.Context, f Filter, limit int) (list []wire.Command, next ids.CommandID, err error) {
	limit = max(1, min(limit, MaxPage))
	if f.Before == uuid.Nil {
		f.Before = uuid.Max
	}
	var where []string
	var args []any
	and := func(condition string, value any) {
		args = append(args, value)
		where = append(where, strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1))
	}
	// An id is of the instant of its making, so that the primary key gives the order.
	and("c.id < ?::text::uuid", f.Before.String())
	if f.PanelID != 0 {
		and("c.panel_id = ?", int64(f.PanelID))
	}
	if f.SiteID != 0 {
		and("c.panel_id IN (SELECT id FROM panels WHERE site_id = ?)", int64(f.SiteID))
	}
	if f.UserID != 0 {
		and("c.requested_by = ?", int64(f.UserID))
	}
	if f.State != "" {
		and("c.state = ?", f.State)
	}
	args = append(args, limit+1)
	rows, err := c.d.Pool.Query(ctx, selectView+"WHERE "+strings.Join(where, " AND ")+" ORDER BY c.id DESC LIMIT $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list commands: %w", err)
	}
	if list, err = pgx.CollectRows(rows, scanView); err != nil {
		return nil, uuid.Nil, fmt.Errorf("list commands: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}
