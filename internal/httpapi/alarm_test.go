package httpapi_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

func TestAnAlarmIsWorkedThroughTheInterface(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna, ewa := s.signIn("anna"), s.signIn("ewa")
	a := anna.send("GET", "/api/alarms", nil).ok(200)
	require.Len(t, a.json("alarms"), 1)
	require.NotNil(t, a.json("stream", "epoch"))
	require.NotContains(t, a.body, "next_cursor")
	for i, step := range []struct {
		by     client
		path   string
		body   map[string]any
		expect string
	}{
		{anna, "claim", nil, "claimed"},
		{anna, "release", nil, "new"},
		{anna, "claim", nil, "claimed"},
		{ewa, "takeover", nil, "claimed"},
		{ewa, "ack", nil, "acknowledged"},
		{anna, "notes", map[string]any{"text": "Patrol wysłany"}, "acknowledged"},
		{ewa, "resolve", map[string]any{"outcome": "false_user", "text": "zapomniał kodu"}, "resolved"},
		{anna, "reopen", nil, "acknowledged"},
		{anna, "resolve", map[string]any{"outcome": "real", "text": "policja"}, "resolved"},
		{ewa, "close", nil, "closed"},
	} {
		body := map[string]any{}
		for k, v := range step.body {
			body[k] = v
		}
		if step.path != "notes" {
			body["version"] = i + 1
		}
		a := step.by.send("POST", "/api/alarms/10/"+step.path, body, header("X-Request-ID", fmt.Sprint("step-", i))).ok(200)
		require.Equal(t, step.expect, a.json("alarm", "state"), step.path)
		require.EqualValues(t, i+2, a.json("alarm", "version"))
		require.Equal(t, fmt.Sprint("step-", i), a.header.Get("X-Request-ID"))
		require.Equal(t, 1, s.count("SELECT count(*) FROM audit WHERE request_id = $1 AND act LIKE 'alarm.%'", fmt.Sprint("step-", i)))
		require.Equal(t, 1, s.count("SELECT count(*) FROM outbox WHERE type = 'alarm.updated' AND version = $1", i+2))
		require.Equal(t, 1, s.count(`SELECT count(DISTINCT x) FROM (SELECT xmin::text x FROM audit WHERE request_id = $1
			UNION ALL SELECT xmin::text FROM outbox WHERE version = $2 AND type = 'alarm.updated'
			UNION ALL SELECT xmin::text FROM alarm_actions WHERE version = $2) rows`, fmt.Sprint("step-", i), i+2), "one transaction")
	}
	detail := anna.send("GET", "/api/alarms/10", nil).ok(200)
	require.Len(t, detail.json("actions"), 10)
	require.Equal(t, "Apteka", detail.json("site", "name"))
	require.Equal(t, []any{}, detail.json("events"))
	require.Len(t, anna.send("GET", "/api/alarms?state=closed", nil).ok(200).json("alarms"), 1)
	require.Len(t, anna.send("GET", "/api/alarms?state=all&limit=5", nil).ok(200).json("alarms"), 1)
	require.Empty(t, anna.send("GET", "/api/alarms?state=open", nil).ok(200).json("alarms"))
}

func TestOfManyWhoClaimOneWinsAndTheOthersSeeWho(t *testing.T) {
	t.Parallel()
	s := open(t)
	clients := map[string]client{"Anna Nowak": s.signIn("anna"), "Jan Lis": s.signIn("jan"), "Ewa Kot": s.signIn("ewa"), "Adam Byk": s.signIn("adam")}
	var wg sync.WaitGroup
	answers := make(chan answer, 40)
	for range 10 {
		for _, c := range clients {
			wg.Go(func() {
				a, err := c.try("POST", "/api/alarms/10/claim", strings.NewReader(`{"version":1}`))
				if err != nil {
					t.Errorf("claim: %v", err)
				}
				answers <- a
			})
		}
	}
	wg.Wait()
	close(answers)
	winner := testkit.One[string](t, s.db, "SELECT u.name FROM alarms a JOIN users u ON u.id = a.owner_id")
	won := 0
	for a := range answers {
		if a.status == 200 {
			won++
			require.Equal(t, winner, a.json("alarm", "owner", "name"))
			continue
		}
		a.problem(409, "alarm_conflict")
		require.Equal(t, winner, a.json("actor", "name"))
		require.Equal(t, winner, a.json("alarm", "owner", "name"))
		require.Equal(t, 2.0, a.json("alarm", "version"))
	}
	require.Equal(t, 1, won)
	require.Equal(t, 1, s.count("SELECT count(*) FROM outbox WHERE type = 'alarm.updated'"))
}

func TestTheOpenListGoesOn(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.db.Exec(t, `INSERT INTO alarms (id, site_id, kind, priority, joinable, first_effective_at, last_effective_at)
		SELECT 100 + n, 1, 'k' || n, 1 + n % 5, false, dozor_now(), dozor_now() FROM generate_series(1, 20) n`)
	anna := s.signIn("anna")
	seen := map[any]bool{}
	for _, state := range []string{"open", "all"} {
		clear(seen)
		for cursor, more := "", true; more; {
			a := anna.send("GET", "/api/alarms?limit=4&state="+state+"&cursor="+cursor, nil).ok(200)
			for _, one := range a.json("alarms").([]any) {
				id := one.(map[string]any)["id"]
				require.False(t, seen[id])
				seen[id] = true
			}
			cursor, more = a.json("next_cursor").(string)
		}
		require.Len(t, seen, 21)
	}
	for _, bad := range []string{"x", "!!!", "e30x", "bnVsbA=="} {
		anna.send("GET", "/api/alarms?cursor="+bad, nil).problem(422, "bad_cursor")
	}
}

func TestBadRequestsSayWhatIsWrongAndNothingElse(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	const planted = "Hunter2Hunter2"
	for name, c := range map[string]struct {
		method, path string
		body         any
		options      []option
		status       int
		code         string
	}{
		"malformed JSON":      {"POST", "/api/session", `{"login": "anna", "password": "` + planted, nil, 400, "malformed"},
		"not JSON":            {"POST", "/api/session", planted, nil, 400, "malformed"},
		"no body":             {"POST", "/api/session", nil, nil, 400, "malformed"},
		"array":               {"POST", "/api/session", `["` + planted + `"]`, nil, 422, "invalid_request"},
		"wrong type":          {"POST", "/api/session", `{"login": 1, "password": ["` + planted + `"]}`, nil, 422, "invalid_request"},
		"too long":            {"POST", "/api/session", map[string]string{"login": "anna", "password": strings.Repeat(planted, 100)}, nil, 422, "invalid_request"},
		"missing":             {"POST", "/api/session", `{"login": "` + planted + `"}`, nil, 422, "invalid_request"},
		"unknown member":      {"POST", "/api/session", `{"login": "a", "password": "b", "admin": "` + planted + `"}`, nil, 422, "invalid_request"},
		"a form":              {"POST", "/api/session", "login=anna&password=" + planted, []option{header("Content-Type", "application/x-www-form-urlencoded")}, 415, "unsupported_media_type"},
		"too large":           {"POST", "/api/session", `{"login": "` + strings.Repeat("x", 70_000) + `"}`, nil, 413, "too_large"},
		"too large, unsaid":   {"POST", "/api/session", `{"login": "` + strings.Repeat("x", 70_000) + `"}`, []option{chunked}, 413, "too_large"},
		"too large, with key": {"POST", "/api/alarms/10/notes", `{"text": "` + strings.Repeat("x", 70_000) + `"}`, []option{chunked, header("Idempotency-Key", "k1")}, 413, "too_large"},
		"version of a word":   {"POST", "/api/alarms/10/claim", `{"version": "` + planted + `"}`, nil, 422, "invalid_request"},
		"version and a half":  {"POST", "/api/alarms/10/claim", `{"version": 1.5}`, nil, 422, "invalid_request"},
		"version of a power":  {"POST", "/api/alarms/10/claim", `{"version": 1e3}`, nil, 422, "invalid_request"},
		"endless version":     {"POST", "/api/alarms/10/claim", `{"version": 99999999999999999999999}`, nil, 422, "invalid_request"},
		"no version":          {"POST", "/api/alarms/10/claim", `{}`, nil, 422, "invalid_request"},
		"outcome":             {"POST", "/api/alarms/10/resolve", `{"version":1,"outcome":"` + planted + `","text":"x"}`, nil, 422, "invalid_request"},
		"no text":             {"POST", "/api/alarms/10/resolve", `{"version":1,"outcome":"real","text":""}`, nil, 422, "invalid_request"},
		"blank text":          {"POST", "/api/alarms/10/notes", `{"text":"  "}`, nil, 422, "invalid_text"},
		"long text":           {"POST", "/api/alarms/10/notes", map[string]string{"text": strings.Repeat("ż", 2001)}, nil, 422, "invalid_request"},
		"zero byte":           {"POST", "/api/alarms/10/notes", `{"text":"a\u0000b"}`, nil, 422, "invalid_text"},
		"unknown alarm":       {"GET", "/api/alarms/999", nil, nil, 404, "alarm_not_found"},
		"step on none":        {"POST", "/api/alarms/999/claim", `{"version":1}`, nil, 404, "alarm_not_found"},
		"alarm of a word":     {"GET", "/api/alarms/" + planted, nil, nil, 422, "invalid_request"},
		"alarm zero":          {"GET", "/api/alarms/0", nil, nil, 422, "invalid_request"},
		"endless alarm":       {"GET", "/api/alarms/99999999999999999999", nil, nil, 422, "invalid_request"},
		"unknown state":       {"GET", "/api/alarms?state=" + planted, nil, nil, 422, "invalid_request"},
		"limit":               {"GET", "/api/alarms?limit=201", nil, nil, 422, "invalid_request"},
		"limit of a word":     {"GET", "/api/alarms?limit=" + planted, nil, nil, 422, "invalid_request"},
		"unknown site":        {"GET", "/api/sites/999", nil, nil, 404, "site_not_found"},
		"unknown panel":       {"GET", "/api/panels/999", nil, nil, 404, "panel_not_found"},
		"its state":           {"GET", "/api/panels/999/state", nil, nil, 404, "panel_not_found"},
		"unknown command":     {"GET", "/api/commands/01890000-0000-7000-8000-000000000000", nil, nil, 404, "command_not_found"},
		"command of a word":   {"GET", "/api/commands/" + planted, nil, nil, 422, "invalid_request"},
		"cursor of events":    {"GET", "/api/events?cursor=" + planted, nil, nil, 422, "bad_cursor"},
		"cursor of sites":     {"GET", "/api/sites?cursor=" + planted, nil, nil, 422, "bad_cursor"},
		"unknown route":       {"GET", "/api/" + planted, nil, nil, 404, "not_found"},
		"wrong method":        {"DELETE", "/api/alarms/10", nil, nil, 405, "method_not_allowed"},
		"other wrong method":  {"PUT", "/api/session", nil, nil, 405, "method_not_allowed"},
	} {
		a := anna.send(c.method, c.path, c.body, c.options...)
		require.Equal(t, c.status, a.status, "%s: %s", name, a.body)
		a.problem(c.status, c.code)
		require.NotContains(t, strings.ToLower(a.body), strings.ToLower(planted), name)
		require.NotContains(t, a.body, "xxxxxxxx", name)
	}
	require.NotContains(t, s.logged.String(), `"level":"ERROR"`)
	require.NotContains(t, s.logged.String(), `"password"`)
	require.Zero(t, s.count("SELECT count(*) FROM alarm_actions"))
}
