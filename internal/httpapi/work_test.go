package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestAnAlarmIsOpenedByHandOnceAndJoinsWhatStands(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	report := map[string]any{"site_id": 1, "kind": "fire", "text": "dym z piwnicy", "caller": "sąsiadka"}
	key := header("Idempotency-Key", uuid.NewString())
	first := anna.send("POST", "/api/alarms", report, key).ok(http.StatusCreated)
	require.Equal(t, false, first.json("joined"))
	require.Equal(t, "fire", first.json("alarm", "kind"))
	require.EqualValues(t, 1, first.json("alarm", "priority"))
	require.Equal(t, "new", first.json("alarm", "state"))
	again := anna.send("POST", "/api/alarms", report, key).ok(http.StatusCreated)
	require.Equal(t, first.json("alarm", "id"), again.json("alarm", "id"), "the answer was lost, the alarm is one")

	joined := s.signIn("jan").send("POST", "/api/alarms", report).ok(http.StatusCreated)
	require.Equal(t, true, joined.json("joined"))
	require.Equal(t, first.json("alarm", "id"), joined.json("alarm", "id"))
	require.EqualValues(t, 2, joined.json("alarm", "ring"), "it rings again")
	require.Equal(t, 2, s.count("SELECT count(*) FROM events WHERE source = 'hand'"))

	for name, c := range map[string]struct {
		change map[string]any
		status int
		code   string
	}{
		"no such site": {map[string]any{"site_id": 99}, 404, "site_not_found"},
		"no words":     {map[string]any{"text": ""}, 422, "invalid_request"},
		"no such kind": {map[string]any{"kind": "mains"}, 422, "invalid_request"},
	} {
		body := map[string]any{}
		for _, from := range []map[string]any{report, c.change} {
			for k, v := range from {
				body[k] = v
			}
		}
		require.Equal(t, c.code, anna.send("POST", "/api/alarms", body).problem(c.status, c.code).json("code"), name)
	}
	require.Equal(t, 2, s.count("SELECT count(*) FROM events WHERE source = 'hand'"), "what is refused leaves nothing")
}

func TestAPauseIsItsOwnersAndEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna, jan := s.signIn("anna"), s.signIn("jan")
	pause := map[string]any{"version": 2, "minutes": 10, "text": "właściciel oddzwoni"}
	anna.send("POST", "/api/alarms/10/claim", map[string]any{"version": 1}).ok(200)
	jan.send("POST", "/api/alarms/10/pause", pause).problem(409, "alarm_conflict")
	for _, minutes := range []int{0, 61} {
		anna.send("POST", "/api/alarms/10/pause", map[string]any{"version": 2, "minutes": minutes, "text": "x"}).problem(422, "invalid_request")
	}
	paused := anna.send("POST", "/api/alarms/10/pause", pause).ok(200)
	require.NotNil(t, paused.json("alarm", "paused_until"))
	require.Len(t, anna.send("GET", "/api/alarms?paused=true", nil).ok(200).json("alarms"), 1)
	anna.send("POST", "/api/alarms/10/pause", pause).problem(409, "alarm_conflict")

	resumed := anna.send("POST", "/api/alarms/10/resume", map[string]any{"version": 3}).ok(200)
	require.NotContains(t, resumed.json("alarm"), "paused_until")
	require.Zero(t, s.count("SELECT count(*) FROM timers"), "nothing is left to wake it")
}

func TestABatchIsForWhatDoesNotPressAndAnswersForEach(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.db.Exec(t, `INSERT INTO alarms (id, site_id, kind, priority, joinable, first_effective_at, last_effective_at)
		SELECT 100 + n, 1, 'k' || n, 4, false, dozor_now(), dozor_now() FROM generate_series(1, 3) n`)
	anna, jan := s.signIn("anna"), s.signIn("jan")
	jan.send("POST", "/api/alarms/102/claim", map[string]any{"version": 1}).ok(200)

	seen := []map[string]any{{"id": 101, "version": 1}, {"id": 10, "version": 1}, {"id": 102, "version": 1}, {"id": 999, "version": 1}, {"id": 103, "version": 1}}
	key := header("Idempotency-Key", uuid.NewString())
	for range 2 {
		a := anna.send("POST", "/api/alarms/batch", map[string]any{"act": "claim", "alarms": seen}, key).ok(200)
		results := a.json("results").([]any)
		require.Len(t, results, len(seen))
		for i, code := range []any{nil, "batch_priority", "alarm_conflict", "alarm_not_found", nil} {
			result := results[i].(map[string]any)
			require.EqualValues(t, seen[i]["id"], result["id"])
			require.Equal(t, code, result["code"])
		}
		require.Equal(t, "Jan Lis", results[2].(map[string]any)["alarm"].(map[string]any)["owner"].(map[string]any)["name"], "who was first")
	}
	require.Equal(t, 2, s.count("SELECT count(*) FROM alarms WHERE owner_id = (SELECT id FROM users WHERE login = 'anna')"))
	require.Equal(t, "new", anna.send("GET", "/api/alarms/10", nil).ok(200).json("alarm", "state"), "a P2 is nobody's in passing")

	anna.send("POST", "/api/alarms/batch", map[string]any{"act": "claim", "alarms": []any{}}).problem(422, "invalid_request")
	anna.send("POST", "/api/alarms/batch", map[string]any{"act": "takeover", "alarms": seen}).problem(422, "invalid_request")
	anna.send("POST", "/api/alarms/batch", map[string]any{"act": "claim", "alarms": append(seen, seen[0])}).problem(422, "invalid_batch")
	anna.send("POST", "/api/alarms/batch", map[string]any{"act": "resolve", "alarms": seen}).problem(422, "invalid_text")
}
