package push_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/obs"
	"dozor/internal/outbox"
	"dozor/internal/push"
	"dozor/internal/wire"
)

func TestAlarmReachesTheClient(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	c := s.resume(s.head())
	c.until(func(m said) bool { return m.Type == "heartbeat" })
	trace := obs.NewTrace()
	s.append(outbox.Row{Type: wire.AlarmNew, SiteID: 1, Ring: 1, Data: json.RawMessage(`{"alarm":{"id":5}}`), Trace: trace, AnsweredAt: time.Now()})
	got := c.until(isFrame)
	frame := got[len(got)-1]
	require.Equal(t, wire.AlarmNew, frame.Type)
	shown := wire.StreamPosition{Epoch: frame.Epoch, Position: frame.Position}
	require.Equal(t, s.head(), shown)
	require.JSONEq(t, `{"alarm":{"id":5}}`, string(frame.Data))
	beat := c.until(func(m said) bool { return m.Type == "heartbeat" })
	require.Equal(t, frame.Position, beat[len(beat)-1].Position)
	require.WithinDuration(t, time.Now(), beat[len(beat)-1].At, time.Minute)

	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), `"trace_id":"`+obs.TraceID(trace)+`"`) }, 5*time.Second, 5*time.Millisecond)
	share := s.histogram("dozor_own_share_seconds")
	require.EqualValues(t, 1, share.GetSampleCount())
	require.Less(t, share.GetSampleSum(), 5.0)
}

func (s *station) histogram(name string) *dto.Histogram {
	s.t.Helper()
	families, err := s.metrics.Gather()
	require.NoError(s.t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetHistogram()
		}
	}
	s.t.Fatalf("no metric %s", name)
	return nil
}

func TestClientResumesWithoutAGapOverConnections(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	have := s.head()
	var got []int64
	for round := range 4 {
		s.emit(100, round)
		c := s.resume(have)
		for range 60 { // leaves in the middle, without a farewell
			m, err := c.read()
			require.NoError(t, err)
			if isFrame(m) {
				got = append(got, m.Position)
				have.Position = m.Position
			}
		}
		require.NoError(t, c.ws.CloseNow())
	}
	c := s.resume(have)
	c.until(func(m said) bool {
		if isFrame(m) {
			got = append(got, m.Position)
		}
		return m.Position == 400
	})
	require.Len(t, got, 400)
	for i, p := range got {
		require.EqualValues(t, i+1, p)
	}
}

func TestResetAndResumeOnTheSameConnection(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	s.emit(3, 1)
	require.Eventually(t, func() bool { return s.head().Position == 3 }, 10*time.Second, 5*time.Millisecond)
	head := s.head()
	c := s.resume(wire.StreamPosition{Epoch: head.Epoch - 1, Position: 700})
	got := c.until(func(m said) bool { return m.Type != "heartbeat" })
	require.Equal(t, said{Type: "reset", Epoch: head.Epoch, Position: head.Position}, got[len(got)-1])
	c.send(map[string]any{"resume": wire.StreamPosition{Epoch: head.Epoch, Position: 1}})
	got = c.until(func(m said) bool { return m.Position == 3 && isFrame(m) })
	require.EqualValues(t, 2, got[len(got)-2].Position)
}

func TestPanelStatesOfSubscribedPanels(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	_, panel := sitePanel(s)
	c := s.resume(s.head())
	state := func(seq int64) []live.PanelState {
		return []live.PanelState{{PanelID: panel, Fence: 1, Seq: seq, Link: live.LinkUp, Armed: []int{int(seq)}}, {PanelID: panel + 1, Fence: 1, Seq: seq}}
	}
	s.hub.PublishState(state(1))
	c.send(map[string]any{"subscribe": map[string]any{"panels": []int64{int64(panel)}}})
	isState := func(m said) bool { return m.Type == wire.PanelState }
	got := c.until(isState)
	var p live.PanelState
	require.NoError(t, json.Unmarshal(got[len(got)-1].Data, &p))
	require.Equal(t, live.PanelState{PanelID: panel, Link: live.LinkUp, Armed: []int{1}}, p)

	c.send(map[string]any{"subscribe": map[string]any{"panels": "all"}})
	c.until(isState)
	c.until(isState)
	c.send(map[string]any{"subscribe": map[string]any{"panels": []int64{}}})
	c.send(map[string]any{"resume": s.head()}) // the order before is taken with this one
	c.until(func(m said) bool { return m.Type == "heartbeat" })
	c.until(func(m said) bool { return m.Type == "heartbeat" })
	s.hub.PublishState(state(2))
	for _, m := range c.until(func(m said) bool { return m.Type == "heartbeat" }) {
		require.NotEqual(t, wire.PanelState, m.Type)
	}
}

func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	used := s.ticket()
	ws, _, err := s.dial(nil, push.Protocol, "ticket."+used)
	require.NoError(t, err)
	require.NoError(t, ws.CloseNow())
	expired := s.ticket()
	s.Exec(t, "UPDATE ws_tickets SET expires_at = dozor_now() - interval '1 second'")

	foreign := http.Header{"Origin": {"https://evil.example"}}
	for name, c := range map[string]struct {
		headers   http.Header
		protocols []string
		status    int
		code      string
	}{
		"no ticket":     {nil, []string{push.Protocol}, 401, "bad_ticket"},
		"empty ticket":  {nil, []string{push.Protocol, "ticket."}, 401, "bad_ticket"},
		"two tickets":   {nil, []string{push.Protocol, "ticket.a", "ticket.b"}, 401, "bad_ticket"},
		"wrong":         {nil, []string{push.Protocol, "ticket." + strings.Repeat("x", 43)}, 401, "bad_ticket"},
		"used":          {nil, []string{push.Protocol, "ticket." + used}, 401, "bad_ticket"},
		"expired":       {nil, []string{push.Protocol, "ticket." + expired}, 401, "bad_ticket"},
		"no protocol":   {nil, []string{"ticket.abc"}, 400, "protocol_required"},
		"other origin":  {foreign, []string{push.Protocol, "ticket.abc"}, 403, "wrong_origin"},
		"opaque origin": {http.Header{"Origin": {"null"}}, []string{push.Protocol, "ticket.abc"}, 403, "wrong_origin"},
	} {
		_, answer, err := s.dial(c.headers, c.protocols...)
		require.Error(t, err, name)
		require.NotNil(t, answer, name)
		requireProblem(t, answer, c.status, c.code)
	}

	answer, err := http.Get(s.server.URL + "/api/ws")
	require.NoError(t, err)
	defer answer.Body.Close()
	requireProblem(t, answer, http.StatusUpgradeRequired, "upgrade_required")

	kept := s.ticket()
	_, _, err = s.dial(foreign, push.Protocol, "ticket."+kept)
	require.Error(t, err)
	own := http.Header{"Origin": {s.server.URL}}
	_, _, err = s.dial(own, push.Protocol, "ticket."+kept)
	require.NoError(t, err, "a refused request does not use the ticket up")
	require.NotContains(t, s.log.String(), kept)
	require.NotContains(t, s.log.String(), used)
}

func requireProblem(t *testing.T, answer *http.Response, status int, code string) {
	t.Helper()
	require.Equal(t, status, answer.StatusCode)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var p struct {
		Status int    `json:"status"`
		Code   string `json:"code"`
		Title  string `json:"title"`
	}
	require.NoError(t, json.Unmarshal(body, &p), "%s", body)
	require.Equal(t, status, p.Status)
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Title)
}

func TestBadMessagesCloseWith4400(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	resume := `{"resume":{"epoch":1,"position":1}}`
	many := `{"subscribe":{"panels":[` + strings.TrimSuffix(strings.Repeat("1,", 501), ",") + `]}}`
	for name, messages := range map[string][]string{
		"no JSON":             {`{`},
		"no object":           {`[]`},
		"neither":             {`{"hello":1}`},
		"subscribe first":     {`{"subscribe":{"panels":[]}}`},
		"no position":         {`{"resume":{"epoch":1}}`},
		"negative":            {`{"resume":{"epoch":1,"position":-1}}`},
		"not a number":        {`{"resume":{"epoch":1,"position":"1"}}`},
		"second is bad":       {resume, `nonsense`},
		"panels of no kind":   {resume, `{"subscribe":{"panels":"some"}}`},
		"panels missing":      {resume, `{"subscribe":{}}`},
		"too many panels":     {resume, many},
		"longer than allowed": {`{"resume":{"epoch":1,"position":1},"pad":"` + strings.Repeat("x", 4096) + `"}`},
		"far too long":        {strings.Repeat(" ", 3<<20)},
	} {
		c := s.connect()
		for _, m := range messages {
			// The server may have hung up in the middle of a message that is far too long.
			_ = c.ws.Write(context.Background(), websocket.MessageText, []byte(m))
		}
		if name == "far too long" {
			_, err := c.read()
			require.Error(t, err, name)
			continue
		}
		require.Equal(t, websocket.StatusCode(4400), c.closed(), name)
	}
	c := s.connect()
	require.NoError(t, c.ws.Write(context.Background(), websocket.MessageBinary, []byte(resume)))
	require.Equal(t, websocket.StatusCode(4400), c.closed(), "binary")

	c = s.connect()
	c.send(map[string]any{"resume": s.head(), "later": "unknown members are ignored"})
	c.until(func(m said) bool { return m.Type == "heartbeat" })
}

func TestFirstMessageIsDue(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{First: 100 * time.Millisecond})
	require.Equal(t, websocket.StatusCode(4400), s.connect().closed())
}

func TestSigningOutEndsTheConnection(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	c := s.resume(s.head())
	c.until(func(m said) bool { return m.Type == "heartbeat" })
	require.NoError(t, s.auth.SignOut(context.Background(), s.who))
	require.Equal(t, websocket.StatusCode(4003), c.closed())
}

func TestStopTellsEveryoneToReconnect(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	var clients []*client
	for range 20 {
		clients = append(clients, s.resume(s.head()))
	}
	for _, c := range clients {
		c.until(func(m said) bool { return m.Type == "heartbeat" })
	}
	clients = append(clients, s.connect()) // has not said anything yet
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- s.handler.Stop(ctx)
	}()
	for _, c := range clients {
		require.Equal(t, websocket.StatusCode(4000), c.closed())
	}
	require.NoError(t, <-stopped)
	_, answer, err := s.dial(nil, push.Protocol, "ticket."+s.ticket())
	require.Error(t, err)
	requireProblem(t, answer, http.StatusServiceUnavailable, "stopping")
}

func TestEndOfTheHubTellsEveryoneToReconnect(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	c := s.resume(s.head())
	c.until(func(m said) bool { return m.Type == "heartbeat" })
	s.stopHub()
	require.Equal(t, websocket.StatusCode(4000), c.closed())
}

// Clients that stop reading are let go, are told so if they read again in time, slow
// nobody, and have everything after it resumed.
func TestSlowClientsAreLetGoAndRecover(t *testing.T) {
	t.Parallel()
	const stall = 3 * time.Second
	s := newStation(t, push.Timeouts{Stall: stall, Close: 20 * time.Second})
	start := s.head()
	late, never, quick := s.resume(start), s.resume(start), s.resume(start)
	const n = 40
	began := time.Now()
	s.emit(n, strings.Repeat("x", 100_000)) // 4 MB: more than sockets hold of which nobody reads
	for last := int64(0); last < n; {
		position, err := quick.skim()
		require.NoError(t, err)
		last = max(last, position)
	}
	require.Less(t, time.Since(began), 15*time.Second, "the others are not slowed")
	require.NoError(t, quick.ws.CloseNow())

	drain := func(c *client) (wire.StreamPosition, websocket.StatusCode) {
		have := start
		for {
			require.Less(t, time.Since(began), time.Minute, "it was not let go")
			position, err := c.skim()
			if err != nil {
				require.Less(t, have.Position, int64(n))
				return have, websocket.CloseStatus(err)
			}
			if position > 0 {
				require.Equal(t, have.Position+1, position)
				have.Position = position
			}
		}
	}
	// Both have been stuck since before the quick one had everything. The library tries to
	// say farewell for five seconds.
	stuck := time.Now()
	require.Eventually(t, func() bool { return time.Since(stuck) > stall+time.Second }, 2*stall, time.Millisecond)
	_, code := drain(late)
	require.Equal(t, websocket.StatusCode(4001), code)

	require.Eventually(t, func() bool { return s.closed("4001") == 2 }, 20*time.Second, 10*time.Millisecond)
	have, code := drain(never)
	require.Equal(t, websocket.StatusCode(-1), code, "cut off: it did not listen to the farewell")

	for again := s.resume(have); have.Position < n; {
		position, err := again.skim()
		require.NoError(t, err)
		if position > 0 {
			require.Equal(t, have.Position+1, position)
			have.Position = position
		}
	}
}

var framePosition = regexp.MustCompile(`^{"epoch":\d+,"position":(\d+),`)

// skim reads a message without looking into its data and returns a frame's position, 0
// of any other.
func (c *client) skim() (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, data, err := c.ws.Read(ctx)
	if err != nil {
		return 0, err
	}
	found := framePosition.FindSubmatch(data[:min(len(data), 80)])
	if found == nil {
		return 0, nil
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}

func (s *station) closed(code string) float64 {
	families, err := s.metrics.Gather()
	require.NoError(s.t, err)
	for _, f := range families {
		if f.GetName() != "dozor_push_closed_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == code {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// A stopped process: its sockets still take what comes.
func TestFrozenClientIsFoundByPing(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{Stall: 300 * time.Millisecond})
	c := s.resume(s.head())
	// Nothing is read, so no pong goes out; too little is sent for the sockets to fill.
	require.Eventually(t, func() bool { return s.closed("4001") == 1 }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, websocket.StatusCode(4001), c.closed())
}

func TestClientThatOnlyClaimsALongMessageCannotHoldTheConnection(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{First: 100 * time.Millisecond, Close: 200 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /api/ws HTTP/1.1\r\nHost: "+strings.TrimPrefix(s.server.URL, "http://")+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Protocol: dozor.v1, ticket."+s.ticket()+"\r\n\r\n")
	require.NoError(t, err)
	// A masked text frame of 2 GiB, of which one byte comes.
	_, err = conn.Write([]byte{0x81, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 1, 2, 3, 4, 'x'})
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.Copy(io.Discard, conn)
	require.False(t, err != nil && strings.Contains(err.Error(), "timeout"), "the server holds on: %v", err)
}
