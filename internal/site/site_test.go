package site_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type states []live.PanelState

func (s states) States(context.Context, ...ids.PanelID) ([]live.PanelState, error) { return s, nil }

func setup(t *testing.T, pooled bool, known ...live.PanelState) (*site.Sites, *testkit.Database, *secret.Keyring) {
	t.Helper()
	db := testkit.DB(t)
	pool := db.Pool
	if pooled {
		var err error
		pool, err = pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 4, Pooled: true})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
	}
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	return site.New(site.Deps{Pool: pool, Keyring: ring, Audit: audit.New(ring, "test"), States: states(known)}), db, ring
}

var cli = access.Station("cli")

func TestSitesAndPanelsAreCreatedAndRead(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		s, db, _ := setup(t, pooled, live.PanelState{PanelID: 1, Link: live.LinkUp})
		lat, long := 52.2, 16.9
		id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "Apteka", Address: "Polna 1", City: "Poznań", Latitude: &lat, Longitude: &long})
		require.NoError(t, err)
		got, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, site.Site{ID: id, Name: "Apteka", Address: "Polna 1", City: "Poznań", Risk: "normal", Mode: "normal", Latitude: &lat, Longitude: &long, Version: 1}, got)

		panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Name: "INTEGRA", Host: "10.0.0.5", Port: 10004, Code: "123456", Key: "Tajny klucz!", Enabled: true})
		require.NoError(t, err)
		view, err := s.Panel(t.Context(), panel)
		require.NoError(t, err)
		require.Equal(t, wire.SiteRef{ID: id, Name: "Apteka", Address: "Polna 1", City: "Poznań"}, view.Site)
		require.Equal(t, live.LinkUp, view.State.Link)
		encoded, err := json.Marshal(view)
		require.NoError(t, err)
		require.NotContains(t, string(encoded), "123456")
		require.NotContains(t, string(encoded), "Tajny")
		require.True(t, view.Encrypted)

		reach, err := s.Access(t.Context(), panel)
		require.NoError(t, err)
		require.Equal(t, "10.0.0.5:10004", reach.Address)
		require.Equal(t, "123456", reach.Code.Reveal())
		require.Equal(t, "Tajny klucz!", reach.Key.Reveal())
		require.NotContains(t, fmt.Sprintf("%+v", reach), "123456")
		require.NotContains(t, fmt.Sprintf("%+v", reach), "Tajny")
		require.NotContains(t, string(testkit.One[[]byte](t, db, "SELECT key_secret FROM panels")), "Tajny")
		require.NotContains(t, string(testkit.One[[]byte](t, db, "SELECT code_secret FROM panels")), "123456")
		require.Equal(t, []string{"cli site.create", "cli panel.create"}, testkit.One[[]string](t, db, "SELECT array_agg(actor || ' ' || act ORDER BY id) FROM audit"))

		db.Exec(t, "UPDATE panels SET enabled = false")
		_, err = s.Access(t.Context(), panel)
		require.ErrorIs(t, err, site.ErrPanelNotFound)
	}
}

func TestACodeOfAnotherKeyringIsNotOpened(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: 1, Code: "1234", Enabled: true})
	require.NoError(t, err)
	other, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	mixed := site.New(site.Deps{Pool: db.Pool, Keyring: other, Audit: audit.New(other, "test"), States: states(nil)})
	_, err = mixed.Access(t.Context(), panel)
	require.ErrorIs(t, err, secret.ErrNotOurs)

	own, err := mixed.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h2", Port: 1, Code: "4321", Enabled: true})
	require.NoError(t, err)
	off, err := mixed.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h3", Port: 1, Code: "4321"})
	require.NoError(t, err)
	all, err := mixed.AccessAll(t.Context(), []ids.PanelID{panel, own, off, 999})
	require.ErrorIs(t, err, secret.ErrNotOurs)
	require.Len(t, all, 1, "one that can't be opened hides no other")
	require.Equal(t, "4321", all[own].Code.Reveal())
}

func TestWhatCannotBeCreated(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	good := site.NewPanel{SiteID: id, Host: "h", Port: 1, Code: "1234"}
	_, err = s.CreatePanel(t.Context(), cli, good)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		panel site.NewPanel
		kind  errs.Kind
	}{
		"address taken": {good, errs.Conflict},
		"no such site":  {site.NewPanel{SiteID: 99, Host: "h", Port: 2, Code: "1234"}, errs.NotFound},
		"short code":    {site.NewPanel{SiteID: id, Host: "h", Port: 3, Code: "123"}, errs.Invalid},
		"letters":       {site.NewPanel{SiteID: id, Host: "h", Port: 3, Code: "12a4"}, errs.Invalid},
		"long key":      {site.NewPanel{SiteID: id, Host: "h", Port: 3, Code: "1234", Key: "1234567890123"}, errs.Invalid},
		"key with ż":    {site.NewPanel{SiteID: id, Host: "h", Port: 3, Code: "1234", Key: "żółw"}, errs.Invalid},
		"key of tabs":   {site.NewPanel{SiteID: id, Host: "h", Port: 3, Code: "1234", Key: "\t"}, errs.Invalid},
		"no host":       {site.NewPanel{SiteID: id, Port: 3, Code: "1234"}, errs.Invalid},
		"no port":       {site.NewPanel{SiteID: id, Host: "h", Code: "1234"}, errs.Invalid},
	} {
		_, err := s.CreatePanel(t.Context(), cli, c.panel)
		require.Equal(t, c.kind, errs.KindOf(err), "%s: %v", name, err)
	}
	_, err = s.CreateSite(t.Context(), cli, site.NewSite{})
	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.Equal(t, 2, testkit.One[int](t, db, "SELECT count(*) FROM audit"), "what was refused left nothing")
	_, err = s.Get(t.Context(), 99)
	require.ErrorIs(t, err, site.ErrNotFound)
	_, err = s.Panel(t.Context(), 99)
	require.ErrorIs(t, err, site.ErrPanelNotFound)
}

func TestListsGoThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	db.Exec(t, "INSERT INTO sites (name) SELECT 'S' || n % 5 FROM generate_series(1, 23) n")
	db.Exec(t, "INSERT INTO panels (site_id, name, host, port, code_secret) SELECT id, 'p', 'h', id, 'x' FROM sites WHERE NOT own")
	seen := map[ids.SiteID]bool{}
	names := []string{}
	for place := (&site.Place{}); place != nil; {
		page, next, err := s.List(t.Context(), site.Filter{}, *place, 5)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), 5)
		for _, one := range page {
			require.False(t, seen[one.ID])
			seen[one.ID] = true
			names = append(names, one.Name)
		}
		place = next
	}
	require.Len(t, seen, 23)
	require.IsNonDecreasing(t, names)

	panels := map[ids.PanelID]bool{}
	for after, more := ids.PanelID(0), true; more; {
		page, next, err := s.Panels(t.Context(), after, 10)
		require.NoError(t, err)
		for _, p := range page {
			panels[p.ID] = true
			require.Nil(t, p.State)
		}
		after, more = next, next != 0
	}
	require.Len(t, panels, 23)
	of, err := s.PanelsOf(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, of, 1)
}

func TestSavingObjectsWritesWhatChanged(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, true)
	site1, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: site1, Host: "h", Port: 1, Code: "1234"})
	require.NoError(t, err)
	objects := []site.Object{{Kind: "partition", Number: 1, Name: "Parter"}, {Kind: "zone", Number: 3, Name: "Drzwi", Function: 5, Partition: 1}}
	require.NoError(t, s.SaveObjects(t.Context(), panel, objects))
	got, err := s.Objects(t.Context(), panel)
	require.NoError(t, err)
	require.Equal(t, objects, got)

	versions := "SELECT array_agg(xmin::text ORDER BY kind, number) FROM panel_objects"
	before := testkit.One[[]string](t, db, versions)
	require.NoError(t, s.SaveObjects(t.Context(), panel, objects))
	require.Equal(t, before, testkit.One[[]string](t, db, versions), "nothing was written again")
	objects[1].Name = "Drzwi frontowe"
	require.NoError(t, s.SaveObjects(t.Context(), panel, append(objects, objects[1])))
	after := testkit.One[[]string](t, db, versions)
	require.Equal(t, before[0], after[0])
	require.NotEqual(t, before[1], after[1])
	require.NoError(t, s.SaveObjects(t.Context(), panel, nil))
}
