package httpapi_test

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/httpapi"
	"dozor/internal/secret"
	"dozor/internal/testkit"
)

func chunked(r *http.Request) { r.ContentLength = -1 }

func TestTheSameKeyActsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna, jan := s.signIn("anna"), s.signIn("jan")
	key := header("Idempotency-Key", "b7c0")
	note := map[string]string{"text": "raz"}
	first := anna.send("POST", "/api/alarms/10/notes", note, key).ok(200)
	again := anna.send("POST", "/api/alarms/10/notes", note, key).ok(200)
	require.Equal(t, first.body, again.body)
	require.Equal(t, first.header.Get("Content-Type"), again.header.Get("Content-Type"))
	require.Equal(t, 1, s.count("SELECT count(*) FROM alarm_actions"))

	anna.send("POST", "/api/alarms/10/notes", map[string]string{"text": "dwa"}, key).problem(422, "idempotency_mismatch")
	anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 2}, key).problem(422, "idempotency_mismatch")
	jan.send("POST", "/api/alarms/10/notes", note, key).ok(200)
	require.Equal(t, 2, s.count("SELECT count(*) FROM alarm_actions"), "a key belongs to its user")
	anna.send("POST", "/api/alarms/10/notes", note).ok(200)
	require.Equal(t, 3, s.count("SELECT count(*) FROM alarm_actions"), "without a key each is one of its own")

	lost := header("Idempotency-Key", "lost")
	first = anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}, lost).problem(409, "alarm_conflict")
	again = anna.send("POST", "/api/alarms/10/claim", map[string]int{"version": 1}, lost).problem(409, "alarm_conflict")
	require.Equal(t, first.body, again.body, "a refusal is an answer too")

	for _, bad := range []string{strings.Repeat("x", 201), "a\tb"} {
		anna.send("POST", "/api/alarms/10/notes", note, header("Idempotency-Key", bad)).problem(422, "invalid_idempotency_key")
	}

	require.NoError(t, httpapi.PurgeIdempotencyKeys(t.Context(), s.db.Pool))
	require.Equal(t, 3, s.count("SELECT count(*) FROM idempotency_keys"))
	s.db.Exec(t, "UPDATE station_clock SET shift = '25 hours'")
	require.NoError(t, httpapi.PurgeIdempotencyKeys(t.Context(), s.db.Pool))
	require.Zero(t, s.count("SELECT count(*) FROM idempotency_keys"))
}

func TestTheSameKeyAtOnceActsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	var wg sync.WaitGroup
	answers := make(chan answer, 20)
	for range 20 {
		wg.Go(func() {
			a, err := anna.try("POST", "/api/alarms/10/notes", strings.NewReader(`{"text":"raz"}`), header("Idempotency-Key", "k"))
			if err != nil {
				t.Errorf("note: %v", err)
			}
			answers <- a
		})
	}
	wg.Wait()
	close(answers)
	for a := range answers {
		if a.status != 200 {
			a.problem(409, "idempotency_in_progress")
		}
	}
	require.Equal(t, 1, s.count("SELECT count(*) FROM alarm_actions"))
	anna.send("POST", "/api/alarms/10/notes", `{"text":"raz"}`, header("Idempotency-Key", "k")).ok(200)
}

func TestARepeatIsKnownAfterAChangeOfKeys(t *testing.T) {
	t.Parallel()
	older, newer := secret.GenerateKey(), secret.GenerateKey()
	var deps httpapi.Deps
	under := func(s *station, keys ...string) client {
		ring, err := secret.ParseKeyring(strings.Join(keys, "\n"))
		require.NoError(t, err)
		deps.Auth = auth.New(auth.Deps{Pool: deps.Pool, Keyring: ring, Audit: audit.New(ring, "test"), Passwords: auth.Params{MemoryKiB: 64, Passes: 1, Threads: 1}})
		rotated := *s
		rotated.server = httptest.NewServer(httpapi.New(deps))
		t.Cleanup(rotated.server.Close)
		return rotated.signIn("anna")
	}
	s := open(t, func(d *httpapi.Deps) { deps = *d })
	note, key := `{"text":"hasło 4711"}`, header("Idempotency-Key", "k")
	first := under(s, older).send("POST", "/api/alarms/10/notes", note, key).ok(200)

	after := under(s, newer, older)
	require.Equal(t, first.body, after.send("POST", "/api/alarms/10/notes", note, key).ok(200).body)
	after.send("POST", "/api/alarms/10/notes", `{"text":"hasło 4712"}`, key).problem(422, "idempotency_mismatch")
	require.Equal(t, 1, s.count("SELECT count(*) FROM alarm_actions"))

	hash := func(key string) []byte {
		return testkit.One[[]byte](t, s.db, "SELECT request_hash FROM idempotency_keys WHERE key = $1", key)
	}
	after.send("POST", "/api/alarms/10/notes", note, header("Idempotency-Key", "k2")).ok(200)
	require.NotEqual(t, hash("k"), hash("k2"), "the same request is kept under the key of its time")
	under(s, newer).send("POST", "/api/alarms/10/notes", note, header("Idempotency-Key", "k3")).ok(200)
	require.Equal(t, hash("k2"), hash("k3"), "which is the first of the ring")
	for _, plain := range []string{note, "POST\n/api/alarms/10/notes\n" + note} {
		guessed := sha256.Sum256([]byte(plain))
		require.NotEqual(t, guessed[:], hash("k"), "what was asked can't be guessed from the database")
	}
}

func TestNobodyKnowsHowARequestEndedWhoseProcessDied(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	key := header("Idempotency-Key", "k")
	anna.send("POST", "/api/alarms/10/notes", `{"text":"raz"}`, key).ok(200)
	s.db.Exec(t, "UPDATE idempotency_keys SET status = NULL, body = NULL") // as the death of the process leaves it
	anna.send("POST", "/api/alarms/10/notes", `{"text":"raz"}`, key).problem(409, "idempotency_in_progress")
	require.Equal(t, 1, s.count("SELECT count(*) FROM alarm_actions"), "not done again")
}
