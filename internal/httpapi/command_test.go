package httpapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/command"
	"dozor/internal/testkit"
	"dozor/satel"
)

func TestACommandThroughTheInterface(t *testing.T) {
	t.Parallel()
	s := open(t)
	anna := s.signIn("anna")
	order := map[string]any{"kind": "arm", "partitions": []int{1, 2}, "arm_mode": 1, "deadline_s": 30, "alarm_id": 10}
	a := anna.send("POST", "/api/panels/1/commands", order, header("Idempotency-Key", "k"), header("X-Request-ID", "order-1")).ok(202)
	require.Equal(t, "queued", a.json("command", "state"))
	require.Equal(t, "Anna Nowak", a.json("command", "requested_by", "name"))
	again := anna.send("POST", "/api/panels/1/commands", order, header("Idempotency-Key", "k")).ok(202)
	require.Equal(t, a.body, again.body)
	require.Equal(t, 1, s.count("SELECT count(*) FROM commands WHERE deadline_at = requested_at + interval '30 s' AND alarm_id = 10"))
	require.Equal(t, "order-1", testkit.One[string](t, s.db, "SELECT request_id FROM audit WHERE act = 'command.arm'"))

	claimed, err := s.commands.Claim(t.Context(), []command.Held{{PanelID: 1, Fence: 1}})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	require.NoError(t, s.commands.Finish(t.Context(), claimed[0].ID, 1, command.FromPanel(satel.ResultCannotArmForce)))
	a = anna.send("GET", "/api/commands/"+claimed[0].ID.String(), nil).ok(200)
	require.Equal(t, []any{"refused", "force_possible"}, []any{a.json("command", "state"), a.json("command", "result")})
	require.Len(t, anna.send("GET", "/api/panels/1", nil).ok(200).json("commands"), 1)

	a = anna.send("POST", "/api/panels/1/commands", map[string]any{"kind": "disarm", "partitions": []int{1}}).ok(202)
	require.Equal(t, 1, s.count("SELECT count(*) FROM commands WHERE kind = 'disarm' AND deadline_at = requested_at + interval '15 s'"), a.body)

	anna.send("POST", "/api/panels/2/commands", order).problem(409, "panel_link_down")
	anna.send("POST", "/api/panels/999/commands", order).problem(404, "panel_not_found")
	for name, bad := range map[string]map[string]any{
		"kind":  {"kind": "open", "partitions": []int{1}},
		"null":  {"kind": "arm", "partitions": []any{nil}},
		"twice": {"kind": "arm", "partitions": []int{1, 1}},
		"mode":  {"kind": "arm", "partitions": []int{1}, "arm_mode": 4},
		"soon":  {"kind": "arm", "partitions": []int{1}, "deadline_s": 4},
		"late":  {"kind": "arm", "partitions": []int{1}, "deadline_s": 61},
	} {
		require.Equal(t, 422, anna.send("POST", "/api/panels/1/commands", bad).problem(422, "invalid_request").status, name)
	}
	anna.send("POST", "/api/panels/1/commands", map[string]any{"kind": "arm", "partitions": []int{33}}).problem(422, "invalid_command")
	anna.send("POST", "/api/panels/1/commands", map[string]any{"kind": "arm", "partitions": []int{}}).problem(422, "invalid_command")
	anna.send("POST", "/api/panels/1/commands", map[string]any{"kind": "set_clock", "zones": []int{3}}).problem(403, "forbidden")
}

// Every kind of command with every role, made from the permission table: the permission of
// the route alone is not enough.
func TestOrdersByRoleAndKind(t *testing.T) {
	t.Parallel()
	s := open(t)
	people := map[access.Role]string{access.Operator: "anna", access.Supervisor: "ewa", access.Admin: "adam"}
	require.Len(t, people, len(access.Roles()), "a role without a person")
	for role, login := range people {
		who := s.signIn(login)
		require.Len(t, who.send("GET", "/api/session", nil).ok(200).json("user", "orders"), len(access.Orders(role)))
		for _, kind := range command.Kinds() {
			order := map[string]any{"kind": kind}
			switch kind {
			case command.Arm, command.ForceArm, command.Disarm, command.ClearAlarm:
				order["partitions"] = []int{1}
			case command.Bypass, command.Unbypass, command.Isolate:
				order["zones"] = []int{200}
			case command.OutputsOn, command.OutputsOff, command.OutputsSwitch:
				order["outputs"] = []int{200}
			case command.OpenDoor:
				order["outputs"], order["expanders"] = []int{200}, []int{0}
			case command.ClearTroubles, command.SetClock:
			}
			a := who.send("POST", "/api/panels/1/commands", order)
			if !role.Has(access.CommandTable()[string(kind)]) {
				a.problem(403, "forbidden")
				continue
			}
			require.Equal(t, string(kind), a.ok(202).json("command", "kind"))
			s.db.Exec(t, "UPDATE commands SET state = 'done'") // else too many wait
		}
	}
}

func TestSitesPanelsAndEvents(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.db.Exec(t, "INSERT INTO panel_objects (panel_id, kind, number, name) VALUES (1, 'zone', 3, 'Drzwi')")
	s.db.Exec(t, `INSERT INTO events (id, site_id, panel_id, source, kind, priority, code, zone, received_at, effective_at)
		SELECT ('01930000-0000-7000-8000-0000000000' || to_char(n, 'FM00'))::uuid, 1, 1 + n % 2, 'panel', 'burglary', 2, 130, 3, dozor_now(), dozor_now() FROM generate_series(1, 5) n`)
	anna := s.signIn("anna")
	a := anna.send("GET", "/api/sites", nil).ok(200)
	require.Len(t, a.json("sites"), 1)
	a = anna.send("GET", "/api/sites/1", nil).ok(200)
	require.Len(t, a.json("panels"), 2)
	require.Equal(t, "Apteka", a.json("site", "name"))
	first := anna.send("GET", "/api/panels?limit=1", nil).ok(200)
	require.NotNil(t, first.json("stream", "position"))
	require.Equal(t, "up", first.json("panels").([]any)[0].(map[string]any)["state"].(map[string]any)["link"])
	second := anna.send("GET", "/api/panels?limit=1&cursor="+first.json("next_cursor").(string), nil).ok(200)
	require.Equal(t, 2.0, second.json("panels").([]any)[0].(map[string]any)["id"])
	require.Nil(t, second.json("next_cursor"))
	a = anna.send("GET", "/api/panels/1", nil).ok(200)
	require.Equal(t, "Drzwi", a.json("objects").([]any)[0].(map[string]any)["name"])
	require.Equal(t, []any{}, a.json("commands"))
	require.Equal(t, "up", anna.send("GET", "/api/panels/1/state", nil).ok(200).json("link"))
	s.db.Exec(t, "DELETE FROM panel_states WHERE panel_id = 2")
	require.Equal(t, "none", anna.send("GET", "/api/panels/2/state", nil).ok(200).json("link"))
	require.Contains(t, anna.send("GET", "/api/panels/2", nil).ok(200).body, `"state":null`)

	a = anna.send("GET", "/api/events?limit=2", nil).ok(200)
	require.Len(t, a.json("events"), 2)
	a = anna.send("GET", "/api/events?limit=200&cursor="+a.json("next_cursor").(string), nil).ok(200)
	require.Len(t, a.json("events"), 3)
	require.Len(t, anna.send("GET", "/api/events?panel=2", nil).ok(200).json("events"), 3)
	require.Len(t, anna.send("GET", "/api/events?site=1&panel=1", nil).ok(200).json("events"), 2)
	require.Equal(t, []any{}, anna.send("GET", "/api/events?site=7", nil).ok(200).json("events"))

	for _, path := range []string{"/api/sites", "/api/sites/1", "/api/panels", "/api/panels/1", "/api/panels/1/state", "/api/alarms/10", "/api/events"} {
		require.NotContains(t, anna.send("GET", path, nil).ok(200).body, "987654", "a panel's code is in no list")
	}
	require.NotContains(t, s.logged.String(), "987654")
}
