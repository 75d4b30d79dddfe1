package site

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/wire"
)

// Panel is a panel as clients see it. Its code and its integration key are in no view.
type Panel struct {
	ID         ids.PanelID      `json:"id"`
	Site       wire.SiteRef     `json:"site"`
	Name       string           `json:"name"`
	Host       string           `json:"host"`
	Port       int              `json:"port"`
	Enabled    bool             `json:"enabled"`
	Encrypted  bool             `json:"encrypted" doc:"Whether dozor speaks to its module under an integration key"`
	LinkGraceS int              `json:"link_grace_s" doc:"Seconds of silence that become an alarm"`
	RetiredAt  *time.Time       `json:"retired_at,omitempty"`
	ReplacesID ids.PanelID      `json:"replaces_id,omitempty" doc:"The panel whose place it took"`
	Model      string           `json:"model,omitempty"`
	Firmware   string           `json:"firmware,omitempty"`
	Version    int64            `json:"version"`
	State      *live.PanelState `json:"state"` // null: no worker has tried it yet
}

// Object is a part of a panel with the name that it has there.
type Object struct {
	Kind      string `json:"kind" enum:"partition,zone,output,user,expander,keypad"`
	Number    int    `json:"number"` // expanders and keypads count from 0, as events do
	Name      string `json:"name"`
	Function  int    `json:"function"`            // zone reaction, partition type, output function, type of module
	Partition int    `json:"partition,omitempty"` // of a zone, 0 when not known
	// Serial tells two holders of one user number apart, 0 when not known.
	Serial int `json:"-"`
}

const selectPanel = `
SELECT p.id, p.site_id, s.name, s.address, s.city, p.name, p.host, p.port, p.enabled, p.key_secret IS NOT NULL, extract(epoch FROM p.link_grace)::int,
    p.retired_at, coalesce(p.replaces_id, 0), p.model, p.firmware, p.version
FROM panels p JOIN sites s ON s.id = p.site_id
`

func (s *Sites) panels(ctx context.Context, where string, args ...any) ([]Panel, error) {
	rows, err := s.d.Pool.Query(ctx, selectPanel+where, args...)
	if err != nil {
		return nil, err
	}
	panels, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Panel, error) {
		var p Panel
		err := row.Scan(&p.ID, &p.Site.ID, &p.Site.Name, &p.Site.Address, &p.Site.City, &p.Name, &p.Host, &p.Port, &p.Enabled, &p.Encrypted, &p.LinkGraceS,
			&p.RetiredAt, &p.ReplacesID, &p.Model, &p.Firmware, &p.Version)
		return p, err
	})
	if err != nil || len(panels) == 0 {
		return panels, err
	}
	wanted := make([]ids.PanelID, len(panels))
	at := make(map[ids.PanelID]int, len(panels))
	for i, p := range panels {
		wanted[i], at[p.ID] = p.ID, i
	}
	states, err := s.d.States.States(ctx, wanted...)
	if err != nil {
		return nil, fmt.Errorf("read their states: %w", err)
	}
	for _, state := range states {
		if i, ok := at[state.PanelID]; ok {
			panels[i].State = &state
			// What the panel itself said last is truer than what a probe once read.
			if state.Model != "" {
				panels[i].Model, panels[i].Firmware = state.Model, state.Version
			}
		}
	}
	return panels, nil
}

// Panel returns a panel, also a retired one; ErrPanelNotFound where there is none.
func (s *Sites) Panel(ctx context.Context, id ids.PanelID) (Panel, error) {
	panels, err := s.panels(ctx, "WHERE p.id = $1", int64(id))
	if err != nil {
		return Panel{}, fmt.Errorf("get panel %d: %w", id, err)
	}
	if len(panels) == 0 {
		return Panel{}, ErrPanelNotFound
	}
	return panels[0], nil
}

// PanelsOf returns the panels of a site that are not retired.
func (s *Sites) PanelsOf(ctx context.Context, site ids.SiteID) ([]Panel, error) {
	panels, err := s.panels(ctx, "WHERE p.site_id = $1 AND p.retired_at IS NULL ORDER BY p.id LIMIT 1000", int64(site))
	if err != nil {
		return nil, fmt.Errorf("list the panels of site %d: %w", site, err)
	}
	return panels, nil
}

// Panels returns panels that are not retired by id, at most limit, after one; next is 0 at
// the end.
func (s *Sites) Panels(ctx context.Context, after ids.PanelID, limit int) (panels []Panel, next ids.PanelID, err error) {
	panels, err = s.panels(ctx, "WHERE p.id > $1 AND p.retired_at IS NULL ORDER BY p.id LIMIT $2", int64(after), limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("list panels: %w", err)
	}
	if len(panels) > limit {
		panels = panels[:limit]
		next = panels[limit-1].ID
	}
	return panels, next, nil
}
