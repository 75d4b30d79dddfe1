package httpapi_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// letters makes so many dead letters, numbered from 1; the last of them holds JSON.
func (s *station) letters(n int) {
	s.db.Exec(s.t, `INSERT INTO dead_letters (dedup_key, lane, topic, body, trace, reason, panel_id, alarm_id)
		SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'live', 'satel.event.1', CASE WHEN n = $1 THEN '{"v":7}'::bytea ELSE '\xff00'::bytea END, 't', 'reason ' || n, 1, 10
		FROM generate_series(1, $1::int) n`, n)
}

func TestDeadLettersAreListedAndReplayed(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.letters(5)
	adam := s.signIn("adam")
	first := adam.send("GET", "/api/dead-letters?limit=3", nil).ok(200)
	list := first.json("dead_letters").([]any)
	require.Len(t, list, 3)
	require.NotContains(t, first.body, "ff00", "a list shows nothing of what a message holds")
	newest := list[0].(map[string]any)
	require.EqualValues(t, 5, newest["id"])
	require.Equal(t, "open", newest["state"])
	require.Equal(t, "Apteka", newest["site_name"])
	require.EqualValues(t, 10, newest["alarm_id"])
	rest := adam.send("GET", "/api/dead-letters?limit=3&cursor="+first.json("next_cursor").(string), nil).ok(200)
	require.Len(t, rest.json("dead_letters"), 2)
	require.Nil(t, rest.json("next_cursor"))
	require.Len(t, adam.send("GET", "/api/dead-letters?reason=REASON%203", nil).ok(200).json("dead_letters"), 1)
	require.EqualValues(t, 5, adam.send("GET", "/api/status", nil).ok(200).json("dead_letters"))

	key := uuid.NewString()
	for range 2 {
		replayed := adam.send("POST", "/api/dead-letters/5/replay", nil, header("Idempotency-Key", key)).ok(202)
		require.Equal(t, "replaying", replayed.json("dead_letter", "state"))
		require.Equal(t, "Adam Byk", replayed.json("dead_letter", "replayed_by"))
	}
	adam.send("POST", "/api/dead-letters/5/dismiss", map[string]any{"reason": "x"}).problem(409, "dead_letter_replaying")
	s.db.Exec(t, "UPDATE dead_letters SET state = 'stored', settled_at = dozor_now(), event_id = '0190b6a2-0000-7000-8000-000000000000' WHERE id = 5")
	adam.send("POST", "/api/dead-letters/5/replay", nil).problem(409, "dead_letter_settled")
	require.Equal(t, "0190b6a2-0000-7000-8000-000000000000", adam.send("GET", "/api/dead-letters/5", nil).ok(200).json("dead_letter", "event_id"))
	require.Len(t, adam.send("GET", "/api/dead-letters?state=replayed", nil).ok(200).json("dead_letters"), 1)

	dismissed := adam.send("POST", "/api/dead-letters/1/dismiss", map[string]any{"reason": "próba"}).ok(200)
	require.Equal(t, "próba", dismissed.json("dead_letter", "note"))
	adam.send("POST", "/api/dead-letters/2/dismiss", map[string]any{"reason": strings.Repeat("a", 501)}).problem(422, "invalid_reason")

	run := adam.send("POST", "/api/dead-letters/replay", map[string]any{"reason": "reason"}, header("Idempotency-Key", uuid.NewString())).ok(202)
	require.EqualValues(t, 3, run.json("replay", "taken"))
	require.EqualValues(t, 0, run.json("left"))
	id := run.json("replay", "id").(string)
	require.EqualValues(t, 3, adam.send("GET", "/api/dead-letters/replays/"+id, nil).ok(200).json("replay", "waiting"))
	require.EqualValues(t, 3, adam.send("POST", "/api/dead-letters/replay", map[string]any{"replay": id}).ok(202).json("replay", "taken"))
	require.Equal(t, 3, s.count("SELECT count(*)::int FROM audit WHERE act LIKE 'dead_letter.%'"))

	adam.send("GET", "/api/dead-letters/99", nil).problem(404, "dead_letter_not_found")
	adam.send("GET", "/api/dead-letters/replays/"+uuid.NewString(), nil).problem(404, "replay_not_found")
	adam.send("GET", "/api/dead-letters?cursor=x", nil).problem(422, "bad_cursor")
	adam.send("GET", "/api/dead-letters?state=lost", nil).problem(422, "invalid_request")
}

func TestWhoReadsADeadLetterIsWrittenDown(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.letters(2)
	adam := s.signIn("adam")
	require.Equal(t, map[string]any{"encoding": "json", "text": "{\n  \"v\": 7\n}"}, adam.send("POST", "/api/dead-letters/2/reveal", nil).ok(200).json("payload"))
	require.Equal(t, map[string]any{"encoding": "hex", "text": "ff00"}, adam.send("POST", "/api/dead-letters/1/reveal", nil, header("Idempotency-Key", "k")).ok(200).json("payload"))
	require.Equal(t, 2, s.count("SELECT count(*)::int FROM audit WHERE act = 'dead_letter.reveal' AND actor = 'admin'"))
	require.Zero(t, s.count("SELECT count(*)::int FROM idempotency_keys"), "what a message holds is kept nowhere else")
	s.signIn("ewa").send("POST", "/api/dead-letters/1/reveal", nil).problem(403, "forbidden")
	require.Equal(t, 2, s.count("SELECT count(*)::int FROM audit WHERE act = 'dead_letter.reveal'"))
}
