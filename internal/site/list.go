package site

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
)

// Filter says which sites. Zero fields ask for nothing.
type Filter struct {
	// Query is words that must all stand in the name, address, city, district, provider
	// or contract, in any order; case and Polish marks don't matter.
	Query    string
	City     string // these match as wholes
	District string
	Risk     string
	Retired  bool // the retired ones instead of the guarded ones
	Own      bool // with the station itself
}

// ListedSite is a site with what a list shows beside it.
type ListedSite struct {
	Site
	Panels     int `json:"panels" doc:"How many it has, without retired ones"`
	OpenAlarms int `json:"open_alarms"`
}

// Place is where a list of sites goes on: after that name and id.
type Place struct {
	Name string     `json:"n"`
	ID   ids.SiteID `json:"i"`
}

// maxWords bounds a search; what is beyond is not looked at.
const maxWords = 8

// The page is cut out first, along the index on names; counts are made for it alone.
const listSites = `
WITH page AS MATERIALIZED (
    SELECT ` + siteColumns + ` FROM sites s
    WHERE (s.name, s.id) > ($1, $2) AND (s.retired_at IS NOT NULL) = $3 AND (NOT s.own OR $4)
      AND ($5 = '' OR s.city = $5) AND ($6 = '' OR s.district = $6) AND ($7 = '' OR s.risk = $7)
      AND NOT EXISTS (
          SELECT FROM unnest($8::text[]) AS word
          WHERE strpos(dozor_fold(concat_ws(' ', s.name, s.address, s.city, s.district, s.provider, s.contract)), dozor_fold(word)) = 0)
    ORDER BY s.name, s.id LIMIT $9
),
open AS MATERIALIZED (
    SELECT site_id, count(*) AS n FROM alarms WHERE state <> 'closed' AND site_id IN (SELECT id FROM page) GROUP BY site_id
)
SELECT page.*,
    (SELECT count(*) FROM panels p WHERE p.site_id = page.id AND p.retired_at IS NULL),
    coalesce(open.n, 0)
FROM page LEFT JOIN open ON open.site_id = page.id
ORDER BY page.name, page.id`

// List returns sites by name, at most limit, after a place; next is nil at the end.
func (s *Sites) List(ctx context.Context, f Filter, after Place, limit int) (sites []ListedSite, next *Place, err error) {
	words := strings.Fields(f.Query)
	words = words[:min(len(words), maxWords)]
	rows, err := s.d.Pool.Query(ctx, listSites, after.Name, int64(after.ID), f.Retired, f.Own, f.City, f.District, f.Risk, words, limit+1)
	if err != nil {
		return nil, nil, fmt.Errorf("list sites: %w", err)
	}
	sites, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ListedSite, error) {
		var l ListedSite
		err := row.Scan(&l.ID, &l.Name, &l.Address, &l.City, &l.District, &l.Provider, &l.Risk, &l.Mode, &l.Contract, &l.Notes,
			&l.Latitude, &l.Longitude, &l.RetiredAt, &l.Own, &l.Version, &l.Panels, &l.OpenAlarms)
		return l, err
	})
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
