package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

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
	Contract  string     `json:"contract,omitempty" doc:"Number of the contract"`
	Notes     string     `json:"notes"`
	Latitude  *float64   `json:"latitude,omitempty"`
	Longitude *float64   `json:"longitude,omitempty"`
	RetiredAt *time.Time `json:"retired_at,omitempty" doc:"No longer guarded since"`
	Own       bool       `json:"own" doc:"The station itself, which can't be edited or retired"`
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

// Sites are the use cases of sites, contacts and panels. It is safe for use by many
// goroutines.
type Sites struct{ d Deps }

// New makes the use cases of sites.
func New(d Deps) *Sites { return &Sites{d: d} }

// The errors that callers tell apart.
var (
	ErrNotFound        = errs.New(errs.NotFound, "site_not_found", "There is no such site.")
	ErrPanelNotFound   = errs.New(errs.NotFound, "panel_not_found", "There is no such panel.")
	ErrContactNotFound = errs.New(errs.NotFound, "contact_not_found", "There is no such contact.")
	ErrAddressTaken    = errs.New(errs.Conflict, "panel_address_taken", "Another panel has this host and port.")
	ErrRetired         = errs.New(errs.Conflict, "site_retired", "The site is retired.")
	ErrPanelRetired    = errs.New(errs.Conflict, "panel_retired", "The panel is retired.")
	ErrHasPanels       = errs.New(errs.Conflict, "site_has_panels", "The site still has panels. Retire them first.")
	ErrOwn             = errs.New(errs.Conflict, "site_own", "This is the station itself: it can't be edited or retired, and has no panels.")
)

const siteColumns = `s.id, s.name, s.address, s.city, s.district, s.provider, s.risk, s.mode, s.contract, s.notes, s.latitude, s.longitude,
    s.retired_at, s.own, s.version`

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Get returns a site, also a retired one; ErrNotFound where there is none.
func (s *Sites) Get(ctx context.Context, id ids.SiteID) (Site, error) {
	site, err := getSite(ctx, s.d.Pool, id, "")
	if err != nil {
		return Site{}, fmt.Errorf("get site %d: %w", id, err)
	}
	return site, nil
}

func getSite(ctx context.Context, q querier, id ids.SiteID, lock string) (Site, error) {
	rows, err := q.Query(ctx, "SELECT "+siteColumns+" FROM sites s WHERE s.id = $1 "+lock, int64(id))
	if err != nil {
		return Site{}, err
	}
	site, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Site])
	if errors.Is(err, pgx.ErrNoRows) {
		return Site{}, ErrNotFound
	}
	return site, err
}

// guarded locks a site for a change and refuses one that takes none.
func guarded(ctx context.Context, tx pgx.Tx, id ids.SiteID) (Site, error) {
	site, err := getSite(ctx, tx, id, "FOR NO KEY UPDATE")
	if err == nil {
		err = site.takesChanges()
	}
	return site, err
}

func (s Site) takesChanges() error {
	switch {
	case s.Own:
		return ErrOwn
	case s.RetiredAt != nil:
		return ErrRetired
	default:
		return nil
	}
}

// SQLSTATEs.
const uniqueViolation = "23505"
