package stream

import (
	"context"
	"fmt"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

// Reader is what the hub asks PostgreSQL, always the primary.
type Reader interface {
	// Head returns the epoch and the highest position given out in it.
	Head(ctx context.Context) (wire.StreamPosition, error)
	// Frames returns those of (after, upTo] of an epoch that are still kept, ascending,
	// at most limit.
	Frames(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, error)
	// PanelSites returns the site of every panel.
	PanelSites(ctx context.Context) (map[ids.PanelID]ids.SiteID, error)
}

// Table is the Reader over the tables.
type Table struct{ pool *pg.Pool }

// NewTable makes a Reader over a pool to the primary.
func NewTable(pool *pg.Pool) *Table { return &Table{pool: pool} }

// Head implements Reader.
func (t *Table) Head(ctx context.Context) (wire.StreamPosition, error) {
	return outbox.Head(ctx, t.pool)
}

// Frames implements Reader.
func (t *Table) Frames(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, error) {
	return outbox.Frames(ctx, t.pool, epoch, after, upTo, limit)
}

// PanelSites implements Reader.
func (t *Table) PanelSites(ctx context.Context) (map[ids.PanelID]ids.SiteID, error) {
	rows, err := t.pool.Query(ctx, "SELECT id, site_id FROM panels")
	if err != nil {
		return nil, fmt.Errorf("read the panels' sites: %w", err)
	}
	defer rows.Close()
	sites := map[ids.PanelID]ids.SiteID{}
	for rows.Next() {
		var panel ids.PanelID
		var site ids.SiteID
		if err := rows.Scan(&panel, &site); err != nil {
			return nil, fmt.Errorf("read the panels' sites: %w", err)
		}
		sites[panel] = site
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the panels' sites: %w", err)
	}
	return sites, nil
}
