package httpapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSnapshotSaysOfEachPanelWhatIsKnown(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.db.Exec(t, `INSERT INTO panel_objects (panel_id, kind, number, name)
		VALUES (1, 'partition', 1, 'Sklep'), (1, 'partition', 2, 'Magazyn'), (1, 'zone', 1, 'Drzwi')`)
	s.signIn("adam").send("POST", "/api/sites/1/panels", map[string]any{"name": "Nowa", "host": "10.0.0.6", "port": 1, "code": "1234"}).ok(201)
	a := s.signIn("anna").send("GET", "/api/panels/snapshot", nil).ok(200)
	require.Equal(t, map[string]any{
		"epoch":    float64(s.count("SELECT epoch FROM stream_head")),
		"position": float64(s.count("SELECT last FROM stream_head")),
	}, a.json("stream"), "from where the stream goes on")
	panels := a.json("panels").([]any)
	require.Len(t, panels, 3)
	require.EqualValues(t, 1, panels[0].(map[string]any)["id"])
	require.EqualValues(t, 2, panels[0].(map[string]any)["partitions"])
	require.Equal(t, "up", panels[0].(map[string]any)["state"].(map[string]any)["link"])
	require.Equal(t, "Apteka", panels[0].(map[string]any)["site"].(map[string]any)["name"])
	require.NotContains(t, panels[1], "partitions", "its names were not read")
	require.Nil(t, panels[2].(map[string]any)["state"], "no worker has tried it yet")
}
