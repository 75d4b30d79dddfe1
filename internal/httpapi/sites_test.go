package httpapi_test

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
	"dozor/satel/sim"
)

const wholeNumber = "+48 601 234 518"

func siteBody(name string) map[string]any {
	return map[string]any{
		"name": name, "address": "Długa 5", "city": "Łódź", "district": "Górna", "provider": "Toya", "risk": "high", "contract": "M/12/2026",
		"notes": "Klucze w depozycie.", "latitude": 51.7, "longitude": 19.4,
	}
}

func match(a answer) option { return header("If-Match", a.header.Get("ETag")) }

func TestASiteIsAddedEditedFoundAndRetired(t *testing.T) {
	t.Parallel()
	s := open(t)
	ewa := s.signIn("ewa")
	made := ewa.send("POST", "/api/sites", siteBody("Żabka Łąkowa"), header("Idempotency-Key", "k")).ok(201)
	require.Equal(t, made.body, ewa.send("POST", "/api/sites", siteBody("Żabka Łąkowa"), header("Idempotency-Key", "k")).ok(201).body)
	require.Equal(t, `"1"`, made.header.Get("ETag"))
	require.Equal(t, "M/12/2026", made.json("site", "contract"))
	path := "/api/sites/" + strconv.Itoa(int(made.json("site", "id").(float64)))

	for query, found := range map[string]int{
		"q=zabka+lakowa": 1, "q=ŁĄKOWA": 1, "q=dluga+lodz": 1, "q=m/12": 1, "q=lakowa+poznan": 0, "q=%25": 0,
		"city=Łódź": 1, "city=Lodz": 0, "district=Górna": 1, "risk=high": 1, "risk=low": 0, "": 2, "own=true": 3, "retired=true": 0, "limit=1": 1,
	} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		require.Len(t, ewa.send("GET", "/api/sites?"+values.Encode(), nil).ok(200).json("sites"), found, query)
	}
	listed := ewa.send("GET", "/api/sites?q=apteka", nil).ok(200).json("sites").([]any)[0].(map[string]any)
	require.Equal(t, []any{2.0, 1.0, false}, []any{listed["panels"], listed["open_alarms"], listed["own"]})

	edited := siteBody("Żabka Polna")
	delete(edited, "latitude")
	ewa.send("PUT", path, edited, match(made)).problem(422, "invalid_site")
	delete(edited, "longitude")
	ewa.send("PUT", path, edited).problem(428, "if_match_required")
	after := ewa.send("PUT", path, edited, match(made)).ok(200)
	require.Equal(t, `"2"`, after.header.Get("ETag"))
	require.Nil(t, after.json("site", "latitude"))
	late := ewa.send("PUT", path, siteBody("Zbyt późno"), match(made)).problem(412, "version_mismatch")
	require.Equal(t, "Żabka Polna", late.json("site", "name"))
	got := ewa.send("GET", path, nil).ok(200)
	require.Equal(t, after.header.Get("ETag"), got.header.Get("ETag"))
	require.Equal(t, []any{}, got.json("contacts"))

	ewa.send("POST", "/api/sites/1/retire", map[string]any{"reason": "Koniec umowy"}).problem(409, "site_has_panels")
	ewa.send("POST", path+"/retire", map[string]any{"reason": " "}).problem(422, "invalid_site")
	require.NotNil(t, ewa.send("POST", path+"/retire", map[string]any{"reason": "Koniec umowy"}).ok(200).json("site", "retired_at"))
	ewa.send("POST", path+"/retire", map[string]any{"reason": "Jeszcze raz"}).problem(409, "site_retired")
	require.Len(t, ewa.send("GET", "/api/sites", nil).ok(200).json("sites"), 1)
	require.Len(t, ewa.send("GET", "/api/sites?retired=true", nil).ok(200).json("sites"), 1)
	s.signIn("adam").send("POST", path+"/panels", map[string]any{"name": "", "host": "10.9.9.9", "port": 1, "code": "1234"}).problem(409, "site_retired")
	require.Equal(t, []string{"site.create", "site.edit", "site.retire"},
		testkit.One[[]string](t, s.db, "SELECT array_agg(act ORDER BY id) FROM audit WHERE subject_type = 'site' AND subject_id <> '1' AND actor_id IS NOT NULL"))
}

func TestTheStationsOwnSiteStaysAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t)
	adam := s.signIn("adam")
	own := "/api/sites/" + strconv.FormatInt(testkit.One[int64](t, s.db, "SELECT id FROM sites WHERE own"), 10)
	a := adam.send("GET", own, nil).ok(200)
	require.Equal(t, true, a.json("site", "own"))
	adam.send("PUT", own, siteBody("Inna"), match(a)).problem(409, "site_own")
	adam.send("POST", own+"/retire", map[string]any{"reason": "x"}).problem(409, "site_own")
	panel := map[string]any{"name": "x", "host": "10.9.9.9", "port": 1, "code": "1234"}
	adam.send("POST", own+"/panels", panel).problem(409, "site_own")
	panel["probe"] = true
	adam.send("POST", own+"/panels", panel).problem(409, "site_own")
}

func TestContactsAreMaskedEverywhereButInAReveal(t *testing.T) {
	t.Parallel()
	s := open(t)
	ewa, anna := s.signIn("ewa"), s.signIn("anna")
	contact := map[string]any{"name": "Teresa Zając", "role": "właścicielka", "notes": "Po 18:00", "phones": []any{
		map[string]any{"label": "komórka", "number": wholeNumber}, map[string]any{"label": "dom", "number": "42 633 10 77"},
	}}
	first := ewa.send("POST", "/api/sites/1/contacts", contact).ok(201)
	require.Equal(t, "+48 601 ••• •18", first.json("contact", "phones").([]any)[0].(map[string]any)["masked"])
	contact["name"] = "Jan Zając"
	second := ewa.send("POST", "/api/sites/1/contacts", contact).ok(201)
	require.Equal(t, 2.0, second.json("contact", "position"))
	site := anna.send("GET", "/api/sites/1", nil).ok(200)
	require.Len(t, site.json("contacts"), 2)
	alarm := anna.send("GET", "/api/alarms/10", nil).ok(200)
	require.Equal(t, site.json("contacts"), alarm.json("contacts"))

	anna.send("POST", "/api/contacts/1/reveal", map[string]any{}).problem(422, "invalid_request")
	anna.send("POST", "/api/contacts/1/reveal", map[string]any{"reason": "curiosity"}).problem(422, "invalid_request")
	anna.send("POST", "/api/contacts/1/reveal", map[string]any{"reason": "call", "alarm_id": 999}).problem(422, "invalid_reason")
	anna.send("POST", "/api/contacts/99/reveal", map[string]any{"reason": "call"}).problem(404, "contact_not_found")
	require.Zero(t, s.count("SELECT count(*) FROM audit WHERE act = 'contact.reveal'"))
	whole := anna.send("POST", "/api/contacts/1/reveal", map[string]any{"reason": "call", "alarm_id": 10}, header("Idempotency-Key", "reveal")).ok(200)
	require.Equal(t, []any{map[string]any{"label": "komórka", "number": wholeNumber}, map[string]any{"label": "dom", "number": "42 633 10 77"}}, whole.json("phones"))
	require.Equal(t, "operator call 10", testkit.One[string](t, s.db, "SELECT actor || ' ' || (details->>'reason') || ' ' || (details->>'alarm_id') FROM audit WHERE act = 'contact.reveal'"))

	renamed := ewa.send("PATCH", "/api/contacts/1", map[string]any{"name": "Teresa Zając-Kot", "checked": true}, match(first)).ok(200)
	require.Len(t, renamed.json("contact", "phones"), 2, "phones that are not given stay")
	require.NotNil(t, renamed.json("contact", "checked_at"))
	late := ewa.send("PATCH", "/api/contacts/1", map[string]any{"name": "x"}, match(first)).problem(412, "version_mismatch")
	require.Equal(t, "Teresa Zając-Kot", late.json("contact", "name"))
	ewa.send("PATCH", "/api/contacts/1", map[string]any{"name": "x"}).problem(428, "if_match_required")
	for name, bad := range map[string]any{
		"words": "zadzwoń", "short": "12", "long": "1234567890123456", "empty": "", "plus inside": "60+1234567",
	} {
		a := ewa.send("PATCH", "/api/contacts/1", map[string]any{"phones": []any{map[string]any{"label": "", "number": bad}}}, match(renamed)).problem(422, "invalid_contact")
		if bad != "" {
			require.NotContains(t, a.body, bad, name)
		}
	}
	renamed = ewa.send("PATCH", "/api/contacts/1", map[string]any{"phones": []any{map[string]any{"label": "praca", "number": "112"}}}, match(renamed)).ok(200)
	require.Equal(t, "•••", renamed.json("contact", "phones").([]any)[0].(map[string]any)["masked"])

	ewa.send("PUT", "/api/sites/1/contacts/order", map[string]any{"ids": []int{2}}).problem(409, "contacts_changed")
	ewa.send("PUT", "/api/sites/1/contacts/order", map[string]any{"ids": []int{2, 2}}).problem(409, "contacts_changed")
	ordered := ewa.send("PUT", "/api/sites/1/contacts/order", map[string]any{"ids": []int{2, 1}}).ok(200).json("contacts").([]any)
	require.Equal(t, "Jan Zając", ordered[0].(map[string]any)["name"])
	ewa.send("DELETE", "/api/contacts/1", nil).problem(428, "if_match_required")
	ewa.send("DELETE", "/api/contacts/1", nil, match(renamed)).problem(412, "version_mismatch")
	ewa.send("DELETE", "/api/contacts/1", nil, header("If-Match", `"4"`)).ok(204)
	ewa.send("DELETE", "/api/contacts/1", nil, header("If-Match", `"4"`)).problem(404, "contact_not_found")
	require.Zero(t, s.count("SELECT count(*) FROM contact_phones WHERE contact_id = 1"))

	// Whole numbers are in no other answer, no log, no audit and no table in the clear.
	for _, path := range []string{"/api/sites", "/api/sites/1", "/api/alarms/10"} {
		require.NotContains(t, anna.send("GET", path, nil).ok(200).body, "234 518", path)
	}
	require.NotContains(t, s.logged.String(), "234 518")
	for _, table := range []string{"audit", "audit_values", "contacts", "contact_phones", "idempotency_keys"} {
		require.Zero(t, s.count("SELECT count(*) FROM "+table+" x WHERE x::text LIKE '%234 518%'"), table)
	}
	require.Zero(t, s.count("SELECT count(*) FROM contact_phones WHERE convert_from(number_secret, 'UTF8') LIKE '%234 518%'"))
	require.Zero(t, s.count("SELECT count(*) FROM idempotency_keys WHERE key = 'reveal'"), "a reveal is not kept")
}

func simulated(t *testing.T) (p *sim.Panel, host string, port int) {
	t.Helper()
	p, err := sim.New(sim.Config{Code: "4711", Model: "INTEGRA 24", AnswerDelay: 1e6, MinGap: 1e6})
	require.NoError(t, err)
	server, err := sim.NewServer(sim.ServerConfig{Panels: []*sim.Panel{p}})
	require.NoError(t, err)
	require.NoError(t, server.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	host, number, err := net.SplitHostPort(server.PanelAddr(1))
	require.NoError(t, err)
	port, err = strconv.Atoi(number)
	require.NoError(t, err)
	return p, host, port
}

func TestAPanelIsProbedAddedEditedReplacedAndRetired(t *testing.T) {
	t.Parallel()
	s := open(t)
	adam := s.signIn("adam")
	device, host, port := simulated(t)
	at := func(more map[string]any) map[string]any {
		body := map[string]any{"host": host, "port": port, "code": "4711"}
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	seen := adam.send("POST", "/api/panels/probe", at(nil)).ok(200)
	require.Equal(t, "INTEGRA 24", seen.json("model"))
	require.Equal(t, 16.0, seen.json("counts", "zones"))
	adam.send("POST", "/api/panels/probe", at(map[string]any{"code": "8888"})).problem(422, "probe_wrong_code")
	adam.send("POST", "/api/panels/probe", at(map[string]any{"code": "12"})).problem(422, "invalid_panel")
	busy := adam.send("POST", "/api/panels/probe", map[string]any{"host": " 10.0.0.5", "port": 1, "code": "4711"}).problem(422, "probe_busy")
	require.Contains(t, busy.json("detail"), "dozor itself")
	require.Contains(t, busy.json("detail"), "Apteka")

	adam.send("POST", "/api/sites/1/panels", at(map[string]any{"name": "Nowa", "code": "8888", "probe": true})).problem(422, "probe_wrong_code")
	made := adam.send("POST", "/api/sites/1/panels", at(map[string]any{"name": "Nowa", "probe": true, "link_grace_s": 60}), header("Idempotency-Key", "k")).ok(201)
	require.Equal(t, []any{"INTEGRA 24", "1.24", 60.0, true}, []any{made.json("panel", "model"), made.json("panel", "firmware"), made.json("panel", "link_grace_s"), made.json("panel", "enabled")})
	require.Equal(t, "INTEGRA 24", made.json("probe", "model"))
	require.Empty(t, device.Commands())
	path := "/api/panels/" + strconv.Itoa(int(made.json("panel", "id").(float64)))
	detail := adam.send("GET", path, nil).ok(200)
	require.Len(t, detail.json("objects"), 23)
	require.Equal(t, `"1"`, detail.header.Get("ETag"))
	adam.send("POST", "/api/sites/1/panels", at(map[string]any{"name": "Druga"})).problem(409, "panel_address_taken")
	adam.send("POST", "/api/sites/1/panels", at(map[string]any{"name": "Druga", "host": strings.ToUpper(host)})).problem(409, "panel_address_taken")
	adam.send("POST", "/api/sites/99/panels", at(map[string]any{"name": "Druga"})).problem(404, "site_not_found")

	adam.send("PATCH", path, map[string]any{"port": 7094}).problem(428, "if_match_required")
	edited := adam.send("PATCH", path, map[string]any{"port": 7094, "code": "98765432", "key": "Sekret-77"}, match(made)).ok(200)
	require.Equal(t, 7094.0, edited.json("panel", "port"))
	require.Equal(t, "Nowa", edited.json("panel", "name"))
	late := adam.send("PATCH", path, map[string]any{"port": 7095}, match(made)).problem(412, "version_mismatch")
	require.Equal(t, 7094.0, late.json("panel", "port"))
	require.Equal(t, "changed", testkit.One[string](t, s.db, "SELECT details->>'code' FROM audit WHERE act = 'panel.edit'"))
	reach := s.count("SELECT reach FROM panels WHERE port = 7094")
	edited = adam.send("PATCH", path, map[string]any{"name": "Inna nazwa"}, match(edited)).ok(200)
	require.Equal(t, reach, s.count("SELECT reach FROM panels WHERE port = 7094"), "a new name is no reason to connect anew")
	adam.send("PATCH", path, map[string]any{"host": "10.0.0.5", "port": 1}, match(edited)).problem(409, "panel_address_taken")
	for name, bad := range map[string]map[string]any{
		"host": {"host": "http://panel"}, "code": {"code": "12"}, "empty host": {"host": ""},
	} {
		require.NotEmpty(t, adam.send("PATCH", path, bad, match(edited)).problem(422, "invalid_panel").body, name)
	}
	adam.send("PATCH", path, map[string]any{"link_grace_s": 1}, match(edited)).problem(422, "invalid_request")
	adam.send("PATCH", path, map[string]any{"port": 70000}, match(edited)).problem(422, "invalid_request")
	off := adam.send("PATCH", path, map[string]any{"enabled": false}, match(edited)).ok(200)
	require.Equal(t, false, off.json("panel", "enabled"))

	replaced := adam.send("POST", path+"/replace", map[string]any{"host": "10.1.1.1", "port": 7094, "code": "4711", "reason": "Spalona płyta"}).ok(201)
	require.Equal(t, made.json("panel", "id"), replaced.json("panel", "replaces_id"))
	require.Equal(t, []any{"Inna nazwa", true, 60.0}, []any{replaced.json("panel", "name"), replaced.json("panel", "enabled"), replaced.json("panel", "link_grace_s")})
	old := adam.send("GET", path, nil).ok(200)
	require.NotNil(t, old.json("panel", "retired_at"))
	adam.send("PATCH", path, map[string]any{"enabled": true}, match(old)).problem(409, "panel_retired")
	adam.send("POST", path+"/replace", map[string]any{"host": "10.1.1.2", "port": 7094, "code": "4711", "reason": "x"}).problem(409, "panel_retired")
	adam.send("POST", path+"/retire", map[string]any{"reason": "x"}).problem(409, "panel_retired")
	newPath := "/api/panels/" + strconv.Itoa(int(replaced.json("panel", "id").(float64)))
	adam.send("POST", newPath+"/retire", map[string]any{}).problem(422, "invalid_request")
	adam.send("POST", newPath+"/retire", map[string]any{"reason": "Rozbiórka"}).ok(200)
	adam.send("POST", "/api/sites/1/panels", map[string]any{"name": "Znów", "host": "10.1.1.1", "port": 7094, "code": "4711"}).ok(201)
	require.Len(t, adam.send("GET", "/api/panels", nil).ok(200).json("panels"), 3)
	require.Len(t, adam.send("GET", "/api/sites/1", nil).ok(200).json("panels"), 3)

	for _, table := range []string{"audit", "audit_values", "panels", "idempotency_keys"} {
		require.Zero(t, s.count("SELECT count(*) FROM "+table+" x WHERE x::text LIKE '%98765432%'"), table)
	}
	require.Zero(t, s.count("SELECT count(*) FROM panels WHERE convert_from(code_secret, 'UTF8') LIKE '%98765432%'"))
	require.NotContains(t, s.logged.String(), "98765432")
	for _, table := range []string{"audit", "outbox", "panels"} {
		require.Zero(t, s.count("SELECT count(*) FROM "+table+" x WHERE x::text LIKE '%Sekret-77%'"), table)
	}
	require.NotContains(t, s.logged.String(), "Sekret-77")
}

func TestWhoMayEdit(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna, ewa := s.signIn("anna"), s.signIn("ewa")
	panel := map[string]any{"name": "x", "host": "10.9.9.9", "port": 1, "code": "1234"}
	anna.send("POST", "/api/sites", siteBody("x")).problem(403, "forbidden")
	anna.send("POST", "/api/sites/1/contacts", map[string]any{}).problem(403, "forbidden")
	anna.send("PATCH", "/api/panels/1", map[string]any{}).problem(403, "forbidden")
	ewa.send("POST", "/api/sites", siteBody("x")).ok(201)
	ewa.send("POST", "/api/sites/1/panels", panel).problem(403, "forbidden")
	ewa.send("POST", "/api/panels/probe", panel).problem(403, "forbidden")
	s.anonymous().send("POST", "/api/contacts/1/reveal", map[string]any{"reason": "call"}).problem(401, "not_signed_in")
	require.Equal(t, 3, s.count("SELECT count(*) FROM panels")+s.count("SELECT count(*) FROM sites WHERE name = 'x'"))
}
