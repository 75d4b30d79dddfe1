package site

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/wire"
)

// Cell is a panel in the snapshot of all.
type Cell struct {
	ID      ids.PanelID      `json:"id"`
	Site    wire.SiteRef     `json:"site"`
	Name    string           `json:"name"`
	Enabled bool             `json:"enabled"`
	State   *live.PanelState `json:"state"` // null: no worker has tried it yet
	// Partitions tells a panel that is armed in part from one that is armed.
	Partitions int `json:"partitions,omitempty" doc:"How many it has; absent where their names were not read"`
}

// maxCells bounds a snapshot far past what one station guards.
const maxCells = 20_000

// Snapshot returns every panel that was not retired, with its live state, by site and id.
func (s *Sites) Snapshot(ctx context.Context) ([]Cell, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT p.id, p.site_id, s.name, s.address, s.city, p.name, p.enabled,
			(SELECT count(*) FROM panel_objects o WHERE o.panel_id = p.id AND o.kind = 'partition' AND o.gone_at IS NULL)
		FROM panels p JOIN sites s ON s.id = p.site_id
		WHERE p.retired_at IS NULL ORDER BY s.name, p.site_id, p.id LIMIT $1`, maxCells)
	if err != nil {
		return nil, fmt.Errorf("take a snapshot of the panels: %w", err)
	}
	cells, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Cell, error) {
		var c Cell
		return c, row.Scan(&c.ID, &c.Site.ID, &c.Site.Name, &c.Site.Address, &c.Site.City, &c.Name, &c.Enabled, &c.Partitions)
	})
	if err != nil {
		return nil, fmt.Errorf("take a snapshot of the panels: %w", err)
	}
	states, err := s.d.States.States(ctx)
	if err != nil {
		return nil, fmt.Errorf("take a snapshot of the panels: read their states: %w", err)
	}
	of := make(map[ids.PanelID]*live.PanelState, len(states))
	for i := range states {
		of[states[i].PanelID] = &states[i]
	}
	for i := range cells {
		cells[i].State = of[cells[i].ID]
	}
	return cells, nil
}
