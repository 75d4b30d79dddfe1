package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/httpapi"
)

func TestEveryAnswerBearsItsIDAndIsNotKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	a := anna.send("GET", "/api/alarms", nil).ok(200)
	require.Regexp(t, `^[0-9a-f-]{36}$`, a.header.Get("X-Request-ID"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "DENY", a.header.Get("X-Frame-Options"))
	require.Equal(t, "abc.1", anna.send("GET", "/api/alarms", nil, header("X-Request-ID", "abc.1")).header.Get("X-Request-ID"))
	for _, bad := range []string{strings.Repeat("a", 65), "a b", `a"b`} {
		require.NotEqual(t, bad, anna.send("GET", "/api/alarms", nil, header("X-Request-ID", bad)).header.Get("X-Request-ID"))
	}
	require.Contains(t, s.logged.String(), `"request_id":"abc.1"`)
}

func TestAPanicIsOneAnswerAndOneRecord(t *testing.T) {
	t.Parallel()
	s := open(t, func(d *httpapi.Deps) {
		d.Client = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/begun" {
				w.WriteHeader(http.StatusOK)
			}
			panic("the ceiling came down")
		})
	})
	a := s.anonymous().send("GET", "/", nil).problem(500, "internal")
	require.NotContains(t, a.body, "ceiling")
	require.Contains(t, s.logged.String(), "the ceiling came down")
	if a, err := s.anonymous().try("GET", "/begun", nil); err == nil {
		t.Errorf("an answer that broke off was believed: %v", a)
	}
}

func TestAFailureOfTheDatabaseIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	s.db.Exec(t, "REVOKE SELECT ON alarms FROM dozor_app")
	a := anna.send("GET", "/api/alarms", nil, header("X-Request-ID", "broken-1")).problem(500, "internal")
	require.NotContains(t, a.body, "alarms")
	require.Contains(t, s.logged.String(), `"level":"ERROR"`)
	require.Contains(t, s.logged.String(), `broken-1`)
	s.db.Pool.Close()
	anna.send("GET", "/api/alarms", nil)
	require.Equal(t, http.StatusNotFound, s.anonymous().send("GET", "/nothing", nil).status, "the rest goes on")
}
