package site_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
)

func TestMasksShowNumbersApartAndNotWhole(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"601234518":        "601 ••• •18",
		"601 234 518":      "601 ••• •18",
		"+48 601-234-518":  "+48 601 ••• •18",
		"(42) 633 10 77":   "426 ••• •77",
		"112":              "•••",
		"6337":             "••• 7",
		"63310":            "••• 10",
		"6331077":          "63• ••7 7",
		"+44 20 7946 0958": "+442 ••• ••• •58",
	} {
		require.Equal(t, want, site.Mask(number), number)
		require.GreaterOrEqual(t, strings.Count(site.Mask(number), "•"), 3, number)
	}
}

func TestASiteThatCanNotBeIsRefusedInAClearSentence(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	number := func(f float64) *float64 { return &f }
	for sentence, n := range map[string]site.NewSite{
		"The name must not be empty.":                         {Name: " \t"},
		"The name must have at most 200 characters.":          {Name: strings.Repeat("ż", 201)},
		"The city must not have control characters.":          {Name: "A", City: "Łódź\n" + "x"},
		"The notes must not have control characters.":         {Name: "A", Notes: "a\x00b"},
		"The risk must be low, normal or high.":               {Name: "A", Risk: "extreme"},
		"Latitude and longitude come together or not at all.": {Name: "A", Latitude: number(52)},
		"The latitude must lie between -90 and 90.":           {Name: "A", Latitude: number(math.NaN()), Longitude: number(0)},
		"The longitude must lie between -180 and 180.":        {Name: "A", Latitude: number(1), Longitude: number(181)},
	} {
		_, err := s.CreateSite(t.Context(), cli, n)
		require.Equal(t, errs.Invalid, errs.KindOf(err), sentence)
		require.ErrorContains(t, err, sentence)
	}
	_, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: strings.Repeat("ż", 200), Notes: "dwie\nlinie"})
	require.NoError(t, err)
	require.Equal(t, 1, testkit.One[int](t, db, "SELECT count(*) FROM audit"))
}

// Of many who edit the same version one wins, and nothing of the others is left.
func TestOneOfManyEditorsWins(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, true)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: 1, Code: "1234", Enabled: true})
	require.NoError(t, err)
	contact, err := s.AddContact(t.Context(), cli, id, site.NewContact{Name: "Ewa", Phones: []site.Phone{{Number: "601234518"}}})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[string]int{}
	for n := range 8 {
		name := fmt.Sprint("B", n)
		edits := map[string]func(context.Context) error{
			"site": func(ctx context.Context) error {
				_, err := s.EditSite(ctx, cli, id, 1, site.NewSite{Name: name})
				return err
			},
			"panel": func(ctx context.Context) error {
				_, err := s.EditPanel(ctx, cli, panel, 1, site.PanelChange{Name: &name})
				return err
			},
			"contact": func(ctx context.Context) error {
				_, err := s.EditContact(ctx, cli, contact.ID, 1, site.ContactChange{Name: &name})
				return err
			},
		}
		for what, edit := range edits {
			wg.Go(func() {
				err := edit(t.Context())
				if err != nil && errs.KindOf(err) != errs.Stale {
					t.Errorf("%s: %v", what, err)
				}
				if err == nil {
					mu.Lock()
					won[what]++
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	require.Equal(t, map[string]int{"site": 1, "panel": 1, "contact": 1}, won)
	require.Equal(t, 3, testkit.One[int](t, db, "SELECT count(*) FROM audit WHERE act LIKE '%.edit'"))
}

// A panel added while its site is retired would be guarded by nobody's knowledge.
func TestAPanelAndARetirementExcludeEachOther(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, true)
	for n := range 20 {
		id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
		require.NoError(t, err)
		var wg sync.WaitGroup
		var added, retired error
		wg.Go(func() {
			_, added = s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: n + 1, Code: "1234"})
		})
		wg.Go(func() { _, retired = s.RetireSite(t.Context(), cli, id, "koniec") })
		wg.Wait()
		require.NotEqual(t, added == nil, retired == nil, "added %v, retired %v", added, retired)
		if added != nil {
			require.ErrorIs(t, added, site.ErrRetired)
		} else {
			require.ErrorIs(t, retired, site.ErrHasPanels)
		}
	}
	require.Zero(t, testkit.One[int](t, db, "SELECT count(*) FROM sites s JOIN panels p ON p.site_id = s.id WHERE s.retired_at IS NOT NULL"))
}

func TestAReplacementIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	old, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Name: "Stara", Host: "h", Port: 1, Code: "1234", Enabled: true, LinkGrace: time.Minute})
	require.NoError(t, err)
	_, err = s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: 2, Code: "1234"})
	require.NoError(t, err)
	_, err = s.ReplacePanel(t.Context(), cli, old, site.NewPanel{Host: "h", Port: 2, Code: "1234"}, "Awaria")
	require.ErrorIs(t, err, site.ErrAddressTaken)
	still, err := s.Panel(t.Context(), old)
	require.NoError(t, err)
	require.Nil(t, still.RetiredAt, "a replacement that fails leaves the old one")

	fresh, err := s.ReplacePanel(t.Context(), cli, old, site.NewPanel{Host: "H ", Port: 1, Code: "5678"}, "Awaria")
	require.NoError(t, err)
	require.Equal(t, []any{old, "Stara", 60, "h"}, []any{fresh.ReplacesID, fresh.Name, fresh.LinkGraceS, fresh.Host})
	_, err = s.Access(t.Context(), old)
	require.ErrorIs(t, err, site.ErrPanelNotFound)
	reach, err := s.Access(t.Context(), fresh.ID)
	require.NoError(t, err)
	require.Equal(t, "5678", reach.Code.Reveal())
	require.Equal(t, []string{"panel.retire", "panel.create"}, testkit.One[[]string](t, db, "SELECT array_agg(act ORDER BY id) FROM (SELECT act, id FROM audit ORDER BY id DESC LIMIT 2) a"))
}

func TestAnIntegrationKeyIsSetReplacedKeptAndRemoved(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, true)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: 1, Code: "1234", Enabled: true})
	require.NoError(t, err)
	reached := int64(1)
	change := func(c site.PanelChange, key string, moves bool) {
		t.Helper()
		seen, err := s.Panel(t.Context(), panel)
		require.NoError(t, err)
		view, err := s.EditPanel(t.Context(), cli, panel, seen.Version, c)
		require.NoError(t, err)
		require.Equal(t, key != "", view.Encrypted)
		reach, err := s.Access(t.Context(), panel)
		require.NoError(t, err)
		require.Equal(t, key, reach.Key.Reveal())
		if moves {
			reached++
		}
		require.Equal(t, reached, reach.Number)
	}
	to := func(key secret.Redacted) site.PanelChange { return site.PanelChange{Key: &key} }
	name := "B"
	change(to("klucz"), "klucz", true)
	change(site.PanelChange{Name: &name}, "klucz", false)
	change(to("klucz"), "klucz", false)
	change(to("drugi"), "drugi", true)
	change(to(""), "", true)
	change(to(""), "", false)
	change(to("trzeci"), "trzeci", true)
	for _, word := range []string{"klucz", "drugi", "trzeci"} {
		require.Zero(t, testkit.One[int](t, db, "SELECT count(*) FROM audit x WHERE x::text LIKE '%'||$1||'%'", word))
	}
	require.Equal(t, []string{"changed", "changed", "removed", "changed"}, testkit.One[[]string](t, db,
		"SELECT array_agg(details->>'integration_key' ORDER BY id) FROM audit WHERE details ? 'integration_key'"))

	db.Exec(t, "UPDATE panels SET key_secret = 'x'")
	_, err = s.Access(t.Context(), panel)
	require.ErrorIs(t, err, secret.ErrNotOurs)
	change(to("czwarty"), "czwarty", true)
	db.Exec(t, "UPDATE panels SET key_secret = 'x'")
	change(to(""), "", true)
}

func TestMovedNamesWhatIsReachedOtherwise(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, true)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	held := map[ids.PanelID]int64{}
	for n := range 5 {
		panel, err := s.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Host: "h", Port: n + 1, Code: "1234", Enabled: true})
		require.NoError(t, err)
		reach, err := s.Access(t.Context(), panel)
		require.NoError(t, err)
		held[panel] = reach.Number
	}
	moved, err := s.Moved(t.Context(), held)
	require.NoError(t, err)
	require.Empty(t, moved)
	port, name, code, no := 99, "x", secret.Redacted("4321"), false
	for panel, c := range map[ids.PanelID]site.PanelChange{1: {Port: &port}, 2: {Name: &name}, 3: {Code: &code}, 4: {Enabled: &no}} {
		_, err := s.EditPanel(t.Context(), cli, panel, 1, c)
		require.NoError(t, err)
	}
	moved, err = s.Moved(t.Context(), held)
	require.NoError(t, err)
	require.ElementsMatch(t, []ids.PanelID{1, 3, 4}, moved, "a name is no reason")
	db.Exec(t, "UPDATE panels SET enabled = false WHERE id = 5")
	moved, err = s.Moved(t.Context(), held)
	require.NoError(t, err)
	require.ElementsMatch(t, []ids.PanelID{1, 3, 4, 5}, moved, "by whatever hand")
}

func TestNumbersOfAnotherKeyringAreNotRevealed(t *testing.T) {
	t.Parallel()
	s, db, _ := setup(t, false)
	id, err := s.CreateSite(t.Context(), cli, site.NewSite{Name: "A"})
	require.NoError(t, err)
	contact, err := s.AddContact(t.Context(), cli, id, site.NewContact{Name: "Ewa", Phones: []site.Phone{{Label: "dom", Number: "601234518"}}})
	require.NoError(t, err)
	require.NotContains(t, string(testkit.One[[]byte](t, db, "SELECT number_secret FROM contact_phones")), "601234518")
	phones, err := s.Reveal(t.Context(), cli, contact.ID, site.Reason{Why: "check"})
	require.NoError(t, err)
	require.Equal(t, "601234518", phones[0].Number.Reveal())
	require.NotContains(t, fmt.Sprintf("%+v", phones), "601234518")
	_, err = s.Reveal(t.Context(), cli, contact.ID, site.Reason{Why: "because"})
	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.Equal(t, 1, testkit.One[int](t, db, "SELECT count(*) FROM audit WHERE act = 'contact.reveal'"))
	db.Exec(t, "UPDATE contact_phones SET number_secret = 'x'")
	_, err = s.Reveal(t.Context(), cli, contact.ID, site.Reason{Why: "check"})
	require.ErrorIs(t, err, secret.ErrNotOurs)
	require.Equal(t, 1, testkit.One[int](t, db, "SELECT count(*) FROM audit WHERE act = 'contact.reveal'"), "nothing was revealed")
}
