package sim

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// api calls the control API of a server.
type api struct {
	t      *testing.T
	url    string
	client *http.Client
}

func newAPI(t *testing.T, s *Server) *api {
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &api{t: t, url: s.ControlURL(), client: &http.Client{Transport: transport, Timeout: patience}}
}

// raw calls and returns status and body.
func (a *api) raw(method, path string) (int, []byte) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, nil)
	require.NoError(a.t, err)
	response, err := a.client.Do(request)
	require.NoError(a.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	require.NoError(a.t, response.Body.Close())
	require.Equal(a.t, "application/json; charset=utf-8", response.Header.Get("Content-Type"), "%s", body)
	return response.StatusCode, body
}

// answer is what the tests read of any answer.
type answer struct {
	Panel      int
	PanelClock string `json:"panel_clock"`
	At         string
	Newest     *eventView
	First      uint64 `json:"first_sequence"`
	Last       uint64 `json:"last_sequence"`
	Events     []eventView
	State
	Connections []connectionView
	Commands    []commandView
}

func (a *api) call(method, path string) answer {
	a.t.Helper()
	status, body := a.raw(method, path)
	require.Equal(a.t, http.StatusOK, status, "%s", body)
	var out answer
	require.NoError(a.t, json.Unmarshal(body, &out))
	return out
}

func TestControlOfZones(t *testing.T) {
	b := quick(t, func(c *Config) { c.LogDelay = 300 * time.Millisecond })
	a := newAPI(t, serve(t, b.Panel))
	got := a.call(http.MethodPost, "/panels/1/zones/8/violate")
	require.Equal(t, 1, got.Panel)
	require.Equal(t, "2026-08-22T12:00:00", got.PanelClock)
	require.Equal(t, "2026-08-22T10:00:00Z", got.At)
	require.Nil(t, got.Newest, "the record is on its way")
	require.Len(t, got.Events, 1)
	require.EqualValues(t, 1, got.First)
	require.EqualValues(t, 1, got.Last)
	require.Equal(t, 111, got.Events[0].Code)
	require.Equal(t, "zone", got.Events[0].SourceKind)
	require.Equal(t, 8, got.Events[0].Source)

	b.clock.advance(time.Second)
	got = a.call(http.MethodGet, "/panels/1")
	require.Equal(t, DefaultModel, got.Model)
	require.EqualValues(t, 1, got.Newest.Sequence)
	require.Equal(t, b.ReadLog(satel.NewestIndex).Index.String(), got.Newest.Index)
	require.True(t, got.Zones[7].Violated)
	require.True(t, got.Partitions[0].FireAlarm)

	require.True(t, a.call(http.MethodPost, "/panels/1/zones/8/restore").Events[0].Restore)
	require.Equal(t, 144, a.call(http.MethodPost, "/panels/1/zones/4/tamper").Events[0].Code)
	b.clock.advance(time.Second)
	require.Len(t, a.call(http.MethodGet, "/panels/1/events").Events, 3)
	page := a.call(http.MethodGet, "/panels/1/events?after=1&limit=1").Events
	require.Len(t, page, 1)
	require.EqualValues(t, 2, page[0].Sequence)
	require.Empty(t, a.call(http.MethodGet, "/panels/1/events?after=99").Events)
}

func TestControlOfPartitions(t *testing.T) {
	b := quick(t)
	a := newAPI(t, serve(t, b.Panel))
	require.Equal(t, 1008, a.call(http.MethodPost, "/panels/1/partitions/1/arm?mode=2").Events[0].Code)
	b.clock.advance(time.Minute)
	got := a.call(http.MethodGet, "/panels/1").Partitions[0]
	require.Equal(t, "armed", got.Phase)
	require.Equal(t, 2, got.Mode)
	require.Equal(t, 401, a.call(http.MethodPost, "/panels/1/partitions/1/disarm?user=1").Events[0].Code)
	require.Equal(t, 120, a.call(http.MethodPost, "/panels/1/partitions/2/panic").Events[0].Code)
	require.Equal(t, 406, a.call(http.MethodPost, "/panels/1/partitions/2/clear").Events[0].Code)
	a.call(http.MethodPost, "/panels/1/zones/5/violate")
	require.Len(t, a.call(http.MethodPost, "/panels/1/partitions/1/arm?force=true").Events, 2)
}

func TestControlOfEverythingElse(t *testing.T) {
	b := quick(t, capacity(12))
	s := serve(t, b.Panel)
	a := newAPI(t, s)
	require.Equal(t, 301, a.call(http.MethodPost, "/panels/1/trouble/mains").Events[0].Code)
	require.Equal(t, []string{"mains"}, a.call(http.MethodGet, "/panels/1").Troubles)
	require.True(t, a.call(http.MethodDelete, "/panels/1/trouble/mains").Events[0].Restore)

	burst := a.call(http.MethodPost, "/panels/1/burst?events=30")
	require.EqualValues(t, 3, burst.First)
	require.EqualValues(t, 32, burst.Last)
	require.EqualValues(t, 32, burst.Newest.Sequence)
	require.Equal(t, 12, b.Held())
	require.Equal(t, codeMemoryErased, a.call(http.MethodPost, "/panels/1/memory/erase").Newest.Code)
	require.Len(t, a.call(http.MethodGet, "/panels/1/events").Events, 33)
	big := a.call(http.MethodPost, "/panels/1/burst?events=2000&kind=mixed")
	require.Empty(t, big.Events)
	require.EqualValues(t, 2033, big.Last)

	a.call(http.MethodPost, "/panels/1/log/late?ms=5000")
	require.Equal(t, "late", b.State().LogMode)
	a.call(http.MethodPost, "/panels/1/log/missing")
	require.Equal(t, "missing", b.State().LogMode)
	a.call(http.MethodPost, "/panels/1/log/normal")
	require.Equal(t, "normal", b.State().LogMode)

	for act, mode := range map[string]LinkMode{"drop": LinkDropped, "hang": LinkHung, "garble": LinkGarbled} {
		a.call(http.MethodPost, "/panels/1/link/"+act)
		require.Equal(t, mode, b.Link())
		a.call(http.MethodPost, "/panels/1/link/restore")
		require.Equal(t, LinkNormal, b.Link())
	}
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	a.call(http.MethodPost, "/panels/1/link/hangup")
	w.gone()
	w = dial(t, s, 1)
	w.ask(satel.CmdClock)
	require.Equal(t, 305, a.call(http.MethodPost, "/panels/1/restart").Events[0].Code)
	w.gone()
}

func TestControlShowsConnectionsWithoutCodes(t *testing.T) {
	b := quick(t, func(c *Config) { c.Code = "47114711" })
	s := serve(t, b.Panel)
	a := newAPI(t, s)
	w := dial(t, s, 1)
	code, err := satel.EncodeUserCode("47114711", "", satel.UserCodeSize)
	require.NoError(t, err)
	w.ask(satel.CmdClock)
	w.ask(satel.CmdArm0, append(code, 3, 0, 0, 0)...)

	_, body := a.raw(http.MethodGet, "/panels/1/connections")
	require.NotContains(t, string(body), "47114711") // half of it may stand in an instant
	got := a.call(http.MethodGet, "/panels/1/connections")
	require.Len(t, got.Connections, 1)
	seen := got.Connections[0]
	require.Equal(t, w.LocalAddr().String(), seen.Remote)
	require.Equal(t, map[string]int{satel.CmdClock.String(): 1, satel.CmdArm0.String(): 1}, seen.Requests)
	require.Equal(t, "000000000000000003000000", seen.Recent[1].Data)
	require.Equal(t, []commandView{{
		At: "2026-08-22T10:00:00Z", Connection: 1, Command: satel.CmdArm0.String(), User: 1, Partitions: []int{1, 2}, Result: "ok",
	}}, got.Commands)
}

func TestControlListsPanels(t *testing.T) {
	one, two := quick(t), quick(t)
	s := serve(t, one.Panel, two.Panel)
	status, body := newAPI(t, s).raw(http.MethodGet, "/panels")
	require.Equal(t, http.StatusOK, status)
	var got struct{ Panels []summaryView }
	require.NoError(t, json.Unmarshal(body, &got))
	require.Len(t, got.Panels, 2)
	require.Equal(t, 2, got.Panels[1].Panel)
	require.Equal(t, s.PanelAddr(2), got.Panels[1].Address)
}

func TestControlRefusals(t *testing.T) {
	b := quick(t)
	a := newAPI(t, serve(t, b.Panel))
	b.do(b.Violate(5))
	for request, want := range map[string]struct {
		status int
		says   string
	}{
		"GET /":                                   {404, "no such path"},
		"GET /panels/2":                           {404, "there are 1 to 1"},
		"GET /panels/x/events":                    {404, "there are 1 to 1"},
		"DELETE /panels/1":                        {404, "DELETE /panels/1"},
		"GET /panels/1/events?after=-1":           {400, "after"},
		"GET /panels/1/events?limit=many":         {400, "limit"},
		"POST /panels/1/zones/99/violate":         {404, "zone 99"},
		"POST /panels/1/zones/one/violate":        {404, "zone"},
		"POST /panels/1/zones/1/break":            {404, "violate, restore, tamper"},
		"POST /panels/1/partitions/3/arm":         {404, "partition 3"},
		"POST /panels/1/partitions/1/arm?mode=4":  {400, "mode 4"},
		"POST /panels/1/partitions/1/arm?force=x": {400, "force"},
		"POST /panels/1/partitions/1/arm?user=77": {404, "user 77"},
		"POST /panels/1/partitions/1/arm":         {409, "cannot_arm_force_possible"},
		"POST /panels/1/partitions/1/paint":       {404, "arm, disarm, clear, panic"},
		"POST /panels/1/trouble/gremlins":         {404, "radio-battery"},
		"POST /panels/1/link/melt":                {404, "hangup"},
		"POST /panels/1/link/drop?ms=soon":        {400, "ms"},
		"POST /panels/1/burst":                    {400, "1 to"},
		"POST /panels/1/burst?events=5&kind=odd":  {400, "odd"},
		"POST /panels/1/log/late":                 {400, "ms"},
		"POST /panels/1/log/never":                {404, "late, missing, normal"},
	} {
		method, path, _ := strings.Cut(request, " ")
		status, body := a.raw(method, path)
		require.Equal(t, want.status, status, request)
		var problem struct{ Error string }
		require.NoError(t, json.Unmarshal(body, &problem), request)
		require.Contains(t, problem.Error, want.says, request)
	}
}
