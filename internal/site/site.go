package site

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/secret"
)

// Site is a guarded object as clients see it.
type Site struct {
	ID        ids.SiteID `json:"id"`
	Name      string     `json:"name"`
	Address   string     `json:"address"`
	City      string     `json:"city"`
	District  string     `json:"district"`
	Provider  string     `json:"provider"`
	Risk      string     `json:"risk" enum:"low,normal,high"`
	Mode      string     `json:"mode" enum:"normal,test,service"`
	Notes     string     `json:"notes"`
	Latitude  *float64   `json:"latitude,omitempty"`
	Longitude *float64   `json:"longitude,omitempty"`
	Version   int64      `json:"version"`
}

// States reads the live state of panels.
type States interface {
	States(ctx context.Context, panels ...ids.PanelID) ([]live.PanelState, error)
}

// Deps is what sites need. States may be nil where no views of panels are asked for.
type Deps struct {
	Pool    *pg.Pool
	Keyring *secret.Keyring
	Audit   *audit.Log
	States  States
}

// Sites reads and creates sites and panels. It is safe for use by many goroutines.
type Sites struct{ d Deps }

// New makes the use cases of sites.
func New(d Deps) *Sites { return &Sites{d: d} }

// The errors that callers tell apart.
var (
	ErrNotFound      = errs.New(errs.NotFound, "site_not_found", "There is no such site.")
	ErrPanelNotFound = errs.New(errs.NotFound, "panel_not_found", "There is no such panel.")
	ErrAddressTaken  = errs.New(errs.Conflict, "panel_address_taken", "Another panel has this host and port.")
)

const selectSite = `
SELECT id, name, address, city, district, provider, risk, mode, notes, latitude, longitude, version FROM sites
`

// Get returns a site; ErrNotFound where there is none.
func (s *Sites) Get(ctx context.Context, id ids.SiteID) (Site, error) {
	rows, err := s.d.Pool.Query(ctx, selectSite+"WHERE id = $1", int64(id))
	if err != nil {
		return Site{}, fmt.Errorf("get site %d: %w", id, err)
	}
	site, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Site])
	if errors.Is(err, pgx.ErrNoRows) {
		return Site{}, ErrNotFound
	}
	if err != nil {
		return Site{}, fmt.Errorf("get site %d: %w", id, err)
	}
	return site, nil
}

// Place is where a list of sites goes on: after that name and id.
type Place struct {
	Name string     `json:"n"`
	ID   ids.SiteID `json:"i"`
}

// List returns sites by name, at most limit, after a place; next is nil at the end.
func (s *Sites) List(ctx context.Context, after Place, limit int) (sites []Site, next *Place, err error) {
	rows, err := s.d.Pool.Query(ctx, selectSite+"WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3", after.Name, int64(after.ID), limit+1)
	if err != nil {
		return nil, nil, fmt.Errorf("list sites: %w", err)
	}
	sites, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Site])
	if err != nil {
		return nil, nil, fmt.Errorf("list sites: %w", err)
	}
	if len(sites) > limit {
		sites = sites[:limit]
		last := sites[limit-1]
		next = &Place{Name: last.Name, ID: last.ID}
	}
	return sites, next, nil
}

// NewSite is what a site begins with. Risk is normal where it is empty.
type NewSite struct {
	Name, Address, City, District, Provider, Risk, Notes string
	Latitude, Longitude                                  *float64
}

// CreateSite adds a site.
func (s *Sites) CreateSite(ctx context.Context, by access.Principal, n NewSite) (ids.SiteID, error) {
	if n.Risk == "" {
		n.Risk = "normal"
	}
	var id int64
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO sites (name, address, city, district, provider, risk, notes, latitude, longitude)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
			n.Name, n.Address, n.City, n.District, n.Provider, n.Risk, n.Notes, n.Latitude, n.Longitude).Scan(&id)
		if pg.Code(err) == checkViolation {
			return errs.New(errs.Invalid, "invalid_site", "A name of 1 to 200 characters, a known risk and possible coordinates are needed.").Because(err)
		}
		if err != nil {
			return err
		}
		entry := audit.By(by, "site.create", "site", id)
		entry.Personal = map[string]string{"name": n.Name, "address": n.Address}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return 0, fmt.Errorf("create a site: %w", err)
	}
	return ids.SiteID(id), nil
}

// SQLSTATEs.
const (
	checkViolation      = "23514"
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
)
