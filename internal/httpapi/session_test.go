package httpapi_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/httpapi"
	"dozor/internal/testkit"
)

func TestABrowserSignsInAndOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.anonymous().send("POST", "/api/session", map[string]string{"login": "Anna", "password": password.Reveal()}).ok(200)
	require.Equal(t, map[string]any{"id": 1.0, "login": "anna", "name": "Anna Nowak", "role": "operator", "orders": []any{"arm", "clear_alarm", "disarm"}}, a.json("user"))
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"dozor_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} {
		require.Contains(t, cookie, part)
	}
	require.NotContains(t, cookie, "Secure", "plain http")
	require.NotContains(t, a.body, "$schema")

	anna := s.signIn("anna")
	a = anna.send("GET", "/api/session", nil).ok(200)
	require.Equal(t, "anna", a.json("user", "login"))
	require.Equal(t, "1.2.3", a.json("server", "version"))
	require.NotEmpty(t, a.json("server", "time"))
	require.Empty(t, a.header.Get("Set-Cookie"))
	s.db.Exec(t, "UPDATE station_clock SET shift = '2 minutes'")
	require.Contains(t, anna.send("GET", "/api/session", nil).ok(200).header.Get("Set-Cookie"), anna.cookie, "a prolonged session's cookie is sent again")

	anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}).ok(200)
	a = anna.send("DELETE", "/api/session", nil).ok(204)
	require.Contains(t, a.header.Get("Set-Cookie"), "Max-Age=0")
	anna.send("GET", "/api/session", nil).problem(401, "not_signed_in")
	anna.send("DELETE", "/api/session", nil).problem(401, "not_signed_in")
	s.signIn("jan").send("GET", "/api/alarms/10", nil).ok(200)
	require.Equal(t, "claimed", testkit.One[string](t, s.db, "SELECT state FROM alarms"), "anna is still signed in elsewhere")
}

func TestSigningOutEverywhereGivesAlarmsBack(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}).ok(200)
	anna.send("DELETE", "/api/session", nil).ok(204)
	require.Equal(t, "new 2", testkit.One[string](t, s.db, "SELECT state || ' ' || ring FROM alarms"))
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	s := open(t)
	who := s.anonymous()
	wrong := map[string]string{"login": "anna", "password": "SuperSecret77"}
	for _, path := range []string{"/api/session", "/api/tokens"} {
		a := who.send("POST", path, wrong).problem(401, "bad_credentials")
		require.Empty(t, a.header.Get("Set-Cookie"))
		who.send("POST", path, map[string]string{"login": "nobody", "password": "x"}).problem(401, "bad_credentials")
	}
	for range 8 {
		who.send("POST", "/api/session", wrong).problem(401, "bad_credentials")
	}
	a := who.send("POST", "/api/session", wrong).problem(429, "too_many_attempts")
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.NotContains(t, s.logged.String(), "SuperSecret77")

	for _, c := range []client{
		{station: s, cookie: "dozor_session=" + strings.Repeat("A", 43)},
		{station: s, cookie: "dozor_session="},
		{station: s, bearer: "x.y.z"},
		{station: s, bearer: ""},
	} {
		c.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
	}
	jan := s.signIn("jan")
	jan.send("GET", "/api/alarms", nil, header("Authorization", "Bearer nonsense")).problem(401, "not_signed_in")
	jan.send("GET", "/api/alarms", nil, header("Authorization", "Basic amFuOng=")).problem(401, "not_signed_in")
}

func TestADisabledUserIsRefusedAtTheNextRequest(t *testing.T) {
	t.Parallel()
	s := open(t)
	jan := s.signIn("jan")
	token := s.anonymous().send("POST", "/api/tokens", map[string]string{"login": "jan", "password": password.Reveal()}).ok(200)
	require.Equal(t, "Bearer", token.json("token_type"))
	require.Equal(t, 900.0, token.json("expires_in"))
	bearer := client{station: s, bearer: token.json("access_token").(string)}
	jan.send("GET", "/api/alarms", nil).ok(200)
	bearer.send("GET", "/api/alarms", nil).ok(200)
	require.Equal(t, "jan", bearer.send("GET", "/api/session", nil).ok(200).json("user", "login"))
	bearer.send("DELETE", "/api/session", nil).problem(422, "no_session")

	_, err := s.auth.DisableUser(t.Context(), access.Station("cli"), 2, 1)
	require.NoError(t, err)
	jan.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
	bearer.send("GET", "/api/alarms", nil).problem(401, "not_signed_in")
}

func TestTicketsComeFromWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.signIn("anna").send("POST", "/api/ws/ticket", nil).ok(200)
	require.Equal(t, 30.0, a.json("expires_in"))
	viewer, err := s.auth.Redeem(t.Context(), a.json("ticket").(string))
	require.NoError(t, err)
	require.EqualValues(t, 1, viewer.UserID)
}

func TestPagesOfOtherOriginsAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	for _, o := range []option{header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Site", "same-site"), header("Origin", "https://evil.example")} {
		anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}, o).problem(403, "cross_origin")
		anna.send("DELETE", "/api/session", nil, o).problem(403, "cross_origin")
	}
	anna.send("GET", "/api/alarms", nil, header("Sec-Fetch-Site", "cross-site")).ok(200)
	anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}, header("Sec-Fetch-Site", "same-origin"), header("Origin", s.server.URL)).ok(200)
}

func TestOnlyATrustedProxySaysWhoAsks(t *testing.T) {
	t.Parallel()
	in := map[string]string{"login": "anna", "password": password.Reveal()}
	forwarded := []option{header("X-Forwarded-For", "203.0.113.9, 198.51.100.7"), header("X-Forwarded-Proto", "https")}
	address := "SELECT value FROM audit_values WHERE field = 'address' AND audit_id = (SELECT max(id) FROM audit)"

	plain := open(t)
	a := plain.anonymous().send("POST", "/api/session", in, forwarded...).ok(200)
	require.NotContains(t, a.header.Get("Set-Cookie"), "Secure")
	require.Empty(t, a.header.Get("Strict-Transport-Security"))
	require.Equal(t, "127.0.0.1", testkit.One[string](t, plain.db, address))

	proxied := open(t, func(d *httpapi.Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	a = proxied.anonymous().send("POST", "/api/session", in, forwarded...).ok(200)
	require.Contains(t, a.header.Get("Set-Cookie"), "Secure")
	require.NotEmpty(t, a.header.Get("Strict-Transport-Security"))
	require.Equal(t, "198.51.100.7", testkit.One[string](t, proxied.db, address), "what stands before it anybody can have written")
}

func TestMountedHandlers(t *testing.T) {
	t.Parallel()
	s := open(t, func(d *httpapi.Deps) {
		d.Push = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			defer conn.Close()
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhijacked"))
		})
		d.Client = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	})
	require.Equal(t, "hijacked", s.anonymous().send("GET", "/api/ws", nil).ok(200).body)
	a := s.anonymous().send("GET", "/panels", nil).ok(200)
	require.Equal(t, "page /panels", a.body)
	require.Contains(t, a.header.Get("Content-Security-Policy"), "script-src 'self' 'wasm-unsafe-eval'")
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	require.Empty(t, a.header.Get("Cache-Control"), "the client's handler says how it is cached")
	s.anonymous().send("GET", "/api/nothing", nil).problem(404, "not_found")
}
