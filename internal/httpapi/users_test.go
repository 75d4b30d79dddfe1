package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

func tag(version int) option { return header("If-Match", fmt.Sprintf(`"%d"`, version)) }

func TestUsersAreManagedByAdmins(t *testing.T) {
	t.Parallel()
	s := open(t)
	adam := s.signIn("adam")
	a := adam.send("GET", "/api/users?limit=3", nil).ok(200)
	require.Len(t, a.json("users"), 3)
	a = adam.send("GET", "/api/users?limit=3&cursor="+a.json("next_cursor").(string), nil).ok(200)
	require.Len(t, a.json("users"), 1)
	require.NotContains(t, a.body, "next_cursor")
	adam.send("GET", "/api/users?cursor=!", nil).problem(422, "bad_cursor")
	require.Len(t, adam.send("GET", "/api/users?q=Nowak", nil).ok(200).json("users"), 1)

	ola := map[string]any{"login": " Ola", "name": "Ola Wilk", "role": "operator", "password": "battery staple"}
	a = adam.send("POST", "/api/users", ola, header("Idempotency-Key", "k1")).ok(201)
	require.Equal(t, `"1"`, a.header.Get("ETag"))
	require.Equal(t, "ola", a.json("user", "login"))
	require.NotContains(t, a.body, "disabled_at")
	require.NotContains(t, a.body, "last_seen_at")
	id := int(a.json("user", "id").(float64))
	path := fmt.Sprintf("/api/users/%d", id)
	require.Equal(t, a.body, adam.send("POST", "/api/users", ola, header("Idempotency-Key", "k1")).ok(201).body)
	adam.send("POST", "/api/users", ola).problem(409, "login_taken")
	for code, change := range map[string][2]string{"invalid_user": {"login", "a b"}, "invalid_password": {"password", "short"}} {
		bad := map[string]any{"login": "x", "name": "x", "role": "operator", "password": "battery staple", change[0]: change[1]}
		adam.send("POST", "/api/users", bad).problem(422, code)
	}

	require.Equal(t, `"1"`, adam.send("GET", path, nil).ok(200).header.Get("ETag"))
	adam.send("PATCH", path, map[string]any{"name": "Ola Wilk-Lis"}).problem(428, "if_match_required")
	a = adam.send("PATCH", path, map[string]any{"name": "Ola Wilk-Lis"}, tag(1)).ok(200)
	require.Equal(t, `"2"`, a.header.Get("ETag"))
	require.Equal(t, "Ola Wilk-Lis", a.json("user", "name"))
	a = adam.send("PATCH", path, map[string]any{"role": "supervisor"}, tag(1)).problem(412, "version_mismatch")
	require.Equal(t, 2.0, a.json("user", "version"))
	require.Equal(t, "Ola Wilk-Lis", a.json("user", "name"))
	adam.send("PATCH", path, map[string]any{"role": "boss"}, tag(2)).problem(422, "invalid_request")

	adam.send("POST", path+"/disable", nil).problem(428, "if_match_required")
	a = adam.send("POST", path+"/disable", nil, tag(2)).ok(200)
	require.NotEmpty(t, a.json("user", "disabled_at"))
	require.Len(t, adam.send("GET", "/api/users?state=disabled", nil).ok(200).json("users"), 1)
	adam.send("POST", path+"/enable", nil, tag(3)).ok(200)
	adam.send("POST", path+"/password", map[string]any{"password": "something else"}).ok(204)
	s.anonymous().send("POST", "/api/session", map[string]any{"login": "ola", "password": "something else"}).ok(200)

	adam.send("POST", "/api/users/4/disable", nil, tag(1)).problem(409, "own_account")
	adam.send("PATCH", "/api/users/4", map[string]any{"role": "operator"}, tag(1)).problem(409, "own_account")
	adam.send("GET", "/api/users/999", nil).problem(404, "user_not_found")
	for _, secret := range []string{"battery staple", "something else"} {
		require.NotContains(t, s.logged.String(), secret)
	}
}

func TestADisabledUsersAlarmsAreFreeAtOnce(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]any{
		"/api/users/1/disable":  nil,
		"/api/users/1/password": map[string]any{"password": "battery staple"},
	} {
		s := open(t)
		anna, adam := s.signIn("anna"), s.signIn("adam")
		anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}).ok(200)
		adam.send("POST", path, body, tag(1))
		anna.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
		require.Equal(t, "new 2", testkit.One[string](t, s.db, "SELECT state || ' ' || ring FROM alarms"), path)
	}
}

func TestPeopleAreForEveryone(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.signIn("anna").send("GET", "/api/people", nil).ok(200)
	require.JSONEq(t, `{"people":[{"id":4,"name":"Adam Byk","role":"admin"},{"id":1,"name":"Anna Nowak","role":"operator"},
		{"id":3,"name":"Ewa Kot","role":"supervisor"},{"id":2,"name":"Jan Lis","role":"operator"}]}`, a.body)
}

func TestSessionsAreSeenAndEnded(t *testing.T) {
	t.Parallel()
	s := open(t)
	here, there, adam := s.signIn("anna"), s.signIn("anna"), s.signIn("adam")
	there.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}).ok(200)
	sessions := func(c client, query string) []any {
		return c.send("GET", "/api/sessions"+query, nil).ok(200).json("sessions").([]any)
	}
	mine := sessions(here, "")
	require.Len(t, mine, 2)
	other := mine[0].(map[string]any)
	require.Equal(t, false, other["current"])
	require.Equal(t, true, mine[1].(map[string]any)["current"])
	require.Len(t, sessions(here, "?user=1"), 2)
	here.send("GET", "/api/sessions?user=2", nil).problem(403, "forbidden")
	here.send("GET", "/api/sessions?user=0", nil).problem(422, "invalid_request")
	require.Len(t, sessions(adam, "?user=1"), 2)

	path := fmt.Sprintf("/api/sessions/%s", other["id"])
	s.signIn("jan").send("DELETE", path, nil).problem(404, "session_not_found")
	here.send("DELETE", path, nil).ok(204)
	there.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
	require.Equal(t, "claimed", testkit.One[string](t, s.db, "SELECT state FROM alarms"), "anna is still here")
	adam.send("DELETE", fmt.Sprintf("/api/sessions/%s", mine[1].(map[string]any)["id"]), nil).ok(204)
	here.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
	require.Equal(t, "new", testkit.One[string](t, s.db, "SELECT state FROM alarms"))
}

func TestOnesOwnPassword(t *testing.T) {
	t.Parallel()
	s := open(t)
	here, there := s.signIn("anna"), s.signIn("anna")
	body := func(old, fresh string) map[string]string { return map[string]string{"old": old, "new": fresh} }
	here.send("PUT", "/api/session/password", body("wrong", "battery staple")).problem(401, "bad_credentials")
	here.send("PUT", "/api/session/password", body(password.Reveal(), "short")).problem(422, "invalid_password")
	here.send("PUT", "/api/session/password", body(password.Reveal(), "battery staple")).ok(204)
	here.send("GET", "/api/alarms", nil).ok(200)
	there.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
	s.anonymous().send("POST", "/api/session", body("", "")).problem(422, "invalid_request")
	s.anonymous().send("POST", "/api/session", map[string]string{"login": "anna", "password": "battery staple"}).ok(200)
	require.NotContains(t, s.logged.String(), "battery staple")
}
