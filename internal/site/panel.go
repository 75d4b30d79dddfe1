package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/wire"
	"dozor/satel"
)

// Panel is a panel as clients see it. Its codes are in no view.
type Panel struct {
	ID      ids.PanelID      `json:"id"`
	Site    wire.SiteRef     `json:"site"`
	Name    string           `json:"name"`
	Host    string           `json:"host"`
	Port    int              `json:"port"`
	Enabled bool             `json:"enabled"`
	Version int64            `json:"version"`
	State   *live.PanelState `json:"state"` // null: no worker has tried it yet
}

// Object is a part of a panel with the name that it has there.
type Object struct {
	Kind      string `json:"kind"` // partition, zone, output, user
	Number    int    `json:"number"`
	Name      string `json:"name"`
	Function  int    `json:"function"`            // zone reaction, partition type, output function
	Partition int    `json:"partition,omitempty"` // of a zone, 0 when not known
}

const selectPanel = `
SELECT p.id, p.site_id, s.name, s.address, s.city, p.name, p.host, p.port, p.enabled, p.version
FROM panels p JOIN sites s ON s.id = p.site_id
`

func (s *Sites) panels(ctx context.Context, where string, args ...any) ([]Panel, error) {
	rows, err := s.d.Pool.Query(ctx, selectPanel+where, args...)
	if err != nil {
		return nil, err
	}
	panels, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Panel, error) {
		var p Panel
		err := row.Scan(&p.ID, &p.Site.ID, &p.Site.Name, &p.Site.Address, &p.Site.City, &p.Name, &p.Host, &p.Port, &p.Enabled, &p.Version)
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
		}
	}
	return panels, nil
}

// Panel returns a panel; ErrPanelNotFound where there is none.
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

// PanelsOf returns the panels of a site.
func (s *Sites) PanelsOf(ctx context.Context, site ids.SiteID) ([]Panel, error) {
	panels, err := s.panels(ctx, "WHERE p.site_id = $1 ORDER BY p.id LIMIT 1000", int64(site))
	if err != nil {
		return nil, fmt.Errorf("list the panels of site %d: %w", site, err)
	}
	return panels, nil
}

// Panels returns panels by id, at most limit, after one; next is 0 at the end.
func (s *Sites) Panels(ctx context.Context, after ids.PanelID, limit int) (panels []Panel, next ids.PanelID, err error) {
	panels, err = s.panels(ctx, "WHERE p.id > $1 ORDER BY p.id LIMIT $2", int64(after), limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("list panels: %w", err)
	}
	if len(panels) > limit {
		panels = panels[:limit]
		next = panels[limit-1].ID
	}
	return panels, next, nil
}

// Objects returns the parts of a panel by kind and number.
func (s *Sites) Objects(ctx context.Context, panel ids.PanelID) ([]Object, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT kind, number, name, function, coalesce(partition, 0) FROM panel_objects WHERE panel_id = $1 ORDER BY kind, number LIMIT 2000`, int64(panel))
	if err != nil {
		return nil, fmt.Errorf("list the objects of panel %d: %w", panel, err)
	}
	objects, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Object])
	if err != nil {
		return nil, fmt.Errorf("list the objects of panel %d: %w", panel, err)
	}
	return objects, nil
}

// SaveObjects keeps what a panel calls its parts; it writes only what has changed.
func (s *Sites) SaveObjects(ctx context.Context, panel ids.PanelID, objects []Object) error {
	kinds, names := make([]string, len(objects)), make([]string, len(objects))
	numbers, functions, partitions := make([]int32, len(objects)), make([]int32, len(objects)), make([]int32, len(objects))
	for i, o := range objects {
		kinds[i], names[i] = o.Kind, o.Name
		numbers[i], functions[i], partitions[i] = int32(o.Number), int32(o.Function), int32(o.Partition)
	}
	_, err := s.d.Pool.Exec(ctx, `
		INSERT INTO panel_objects AS o (panel_id, kind, number, name, function, partition)
		SELECT DISTINCT ON (kind, number) $1::bigint, kind, number, name, function, nullif(partition, 0)
		FROM unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::int[]) WITH ORDINALITY AS n (kind, number, name, function, partition, ord)
		ORDER BY kind, number, ord DESC
		ON CONFLICT (panel_id, kind, number) DO UPDATE
		SET name = excluded.name, function = excluded.function, partition = excluded.partition, read_at = dozor_now()
		WHERE (o.name, o.function, o.partition) IS DISTINCT FROM (excluded.name, excluded.function, excluded.partition)`,
		int64(panel), kinds, numbers, names, functions, partitions)
	if err != nil {
		return fmt.Errorf("save %d objects of panel %d: %w", len(objects), panel, err)
	}
	return nil
}

// Reach is what it takes to talk to a panel.
type Reach struct {
	SiteID  ids.SiteID
	Address string // host:port
	Code    secret.Redacted
}

// Access returns how to reach an enabled panel, its user code opened; ErrPanelNotFound
// also for one that is disabled.
func (s *Sites) Access(ctx context.Context, panel ids.PanelID) (Reach, error) {
	var r Reach
	var host string
	var port int
	var sealed []byte
	err := s.d.Pool.QueryRow(ctx, "SELECT site_id, host, port, code_secret FROM panels WHERE id = $1 AND enabled", int64(panel)).
		Scan(&r.SiteID, &host, &port, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return Reach{}, ErrPanelNotFound
	}
	if err != nil {
		return Reach{}, fmt.Errorf("read how to reach panel %d: %w", panel, err)
	}
	code, err := s.d.Keyring.Open(sealed)
	if err != nil {
		return Reach{}, fmt.Errorf("open the code of panel %d: %w", panel, err)
	}
	r.Address = net.JoinHostPort(host, strconv.Itoa(port))
	r.Code = secret.Redacted(code)
	return r, nil
}

// NewPanel is what a panel begins with.
type NewPanel struct {
	SiteID  ids.SiteID
	Name    string
	Host    string
	Port    int
	Code    secret.Redacted // user code: 4 to 8 digits
	Enabled bool
}

// CreatePanel adds a panel to a site.
func (s *Sites) CreatePanel(ctx context.Context, by access.Principal, n NewPanel) (ids.PanelID, error) {
	if _, err := satel.EncodeUserCode(n.Code.Reveal(), "", satel.UserCodeSize); err != nil {
		return 0, errs.New(errs.Invalid, "invalid_panel", "The user code must have 4 to 8 digits.")
	}
	if n.Host == "" || n.Port < 1 || n.Port > 65535 {
		return 0, errs.New(errs.Invalid, "invalid_panel", "A host and a port of 1 to 65535 are needed.")
	}
	var id int64
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO panels (site_id, name, host, port, code_secret, enabled) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			int64(n.SiteID), n.Name, n.Host, n.Port, s.d.Keyring.Seal([]byte(n.Code.Reveal())), n.Enabled).Scan(&id)
		switch pg.Code(err) {
		case uniqueViolation:
			return ErrAddressTaken
		case foreignKeyViolation:
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		entry := audit.By(by, "panel.create", "panel", id)
		entry.Details = map[string]any{"site_id": n.SiteID, "host": n.Host, "port": n.Port, "enabled": n.Enabled}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return 0, fmt.Errorf("create a panel at site %d: %w", n.SiteID, err)
	}
	return ids.PanelID(id), nil
}
