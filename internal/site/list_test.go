package site_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/site"
	"dozor/internal/testkit"
)

type plan struct {
	Node  string  `json:"Node Type"`
	Index string  `json:"Index Name"`
	Rows  float64 `json:"Actual Rows"`
	Hit   int64   `json:"Shared Hit Blocks"`
	Read  int64   `json:"Shared Read Blocks"`
	Plans []plan  `json:"Plans"`
}

func (p plan) walk(visit func(plan)) {
	visit(p)
	for _, c := range p.Plans {
		c.walk(visit)
	}
}

// Two thousand sites with a panel each, ten of them in alarm, and a long history.
func TestAPageOfManySitesIsReadAlongTheirNames(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	db.Exec(t, `INSERT INTO sites (name, address, city) SELECT 'Obiekt ' || to_char(n, 'FM0000'), 'ul. Długa ' || n, 'Miasto ' || n % 20 FROM generate_series(1, 2000) n`)
	db.Exec(t, `INSERT INTO panels (site_id, name, host, port, code_secret) SELECT id, 'p', 'h' || id, 1, '' FROM sites WHERE NOT own`)
	db.Exec(t, `INSERT INTO alarms (site_id, kind, priority, joinable, state, outcome, first_effective_at, last_effective_at)
		SELECT 1 + n % 2000, 'burglary', 2, false, CASE WHEN n > 9990 THEN 'new' ELSE 'closed' END, CASE WHEN n <= 9990 THEN 'test' END, dozor_now(), dozor_now()
		FROM generate_series(1, 10000) n`)
	db.Exec(t, "VACUUM ANALYZE sites, panels, alarms")

	explain := func(words []string, place site.Place) plan {
		var text []byte
		require.NoError(t, db.Owner.QueryRow(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+site.ListSites,
			place.Name, int64(place.ID), false, false, "", "", "", words, 101).Scan(&text))
		var e []struct {
			Plan plan `json:"Plan"`
		}
		require.NoError(t, json.Unmarshal(text, &e))
		return e[0].Plan
	}
	for _, place := range []site.Place{{}, {Name: "Obiekt 1500", ID: 1500}} {
		p := explain(nil, place)
		byName := false
		p.walk(func(n plan) { byName = byName || n.Index == "sites_name_idx" && n.Rows <= 101 })
		require.True(t, byName, "the page is cut out along the index: %+v", p)
		require.Less(t, p.Hit+p.Read, int64(1000), "blocks, of one page and its counts")
	}
	searched := explain([]string{"dluga", "1999"}, site.Place{})
	require.Less(t, searched.Hit+searched.Read, int64(2500), "a search reads every site once at most")

	page, next, err := s.List(t.Context(), site.Filter{Query: "OBIEKT dluga 1999"}, site.Place{}, 100)
	require.NoError(t, err)
	require.Nil(t, next)
	require.Len(t, page, 1)
	require.Equal(t, "Obiekt 1999", page[0].Name)
	require.Equal(t, 1, page[0].Panels)
	require.Equal(t, testkit.One[int](t, db, "SELECT count(*) FROM alarms WHERE state <> 'closed' AND site_id = 1999"), page[0].OpenAlarms)
	page, next, err = s.List(t.Context(), site.Filter{City: "Miasto 7"}, site.Place{}, 60)
	require.NoError(t, err)
	require.Len(t, page, 60)
	rest, next, err := s.List(t.Context(), site.Filter{City: "Miasto 7"}, *next, 60)
	require.NoError(t, err)
	require.Nil(t, next)
	require.Len(t, rest, 40)
}
