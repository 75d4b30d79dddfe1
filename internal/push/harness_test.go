package push_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/ids"
	"dozor/internal/live/pglive"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/push"
	"dozor/internal/secret"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// station is a whole way from the outbox to WebSockets.
type station struct {
	*testkit.Database
	t       testing.TB
	log     *lines
	auth    *auth.Auth
	who     access.Principal
	relay   *outbox.Relay
	hub     *stream.Hub
	handler *push.Handler
	metrics *prometheus.Registry
	server  *httptest.Server
	stopHub func()
	browser *http.Client
}

// readBuffer bounds what the kernel takes for a client that does not read, in bytes: its
// own choice may be all that a test sends.
const readBuffer = 64 << 10

func newBrowser(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return conn, conn.(*net.TCPConn).SetReadBuffer(readBuffer)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// lines is a log that a test can look into.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

const password = secret.Redacted("correct horse")

func newStation(t testing.TB, timeouts push.Timeouts) *station {
	s := &station{Database: testkit.DB(t), t: t, log: &lines{}, metrics: prometheus.NewRegistry(), browser: newBrowser(t)}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))

	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	hints := pg.NewHints(s.Pool, s.Direct, log)
	store := pglive.New(s.Pool, hints, log)
	s.relay = outbox.NewRelay(outbox.Config{DB: s.Direct, Fanout: store, Log: log})
	s.auth = auth.New(auth.Deps{
		Pool: s.Pool, Keyring: ring, Audit: audit.New(ring, "test"), Notified: s.relay.Wake,
		Passwords: auth.Params{MemoryKiB: 64, Passes: 1, Threads: 1},
	})
	_, err = s.auth.CreateUser(t.Context(), access.Station("cli"), auth.NewUser{Login: "anna", Name: "Anna", Role: access.Operator, Password: password})
	require.NoError(t, err)
	s.who, _, err = s.auth.SignIn(t.Context(), auth.Credentials{Login: "anna", Password: password, Address: "192.0.2.1"}, "test")
	require.NoError(t, err)

	s.hub = stream.NewHub(stream.Config{Fanout: store, Reader: stream.NewTable(s.Pool), Log: log})
	s.handler = push.New(push.Config{Hub: s.hub, Tickets: s.auth, Log: log, Metrics: push.NewMetrics(s.metrics), Timeouts: timeouts})
	mux := http.NewServeMux()
	mux.Handle("GET /api/ws", s.handler)
	s.server = httptest.NewServer(mux)
	s.run(hints.Run)
	s.run(s.relay.Run)
	s.stopHub = s.run(func(ctx context.Context) error { defer store.Wait(); return s.hub.Run(ctx) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, s.handler.Stop(ctx))
		s.server.Close()
	})
	return s
}

func (s *station) run(service func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := service(ctx); err != nil {
			s.t.Errorf("a service ended: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	s.t.Cleanup(stop)
	return stop
}

func (s *station) ticket() string {
	s.t.Helper()
	ticket, err := s.auth.Ticket(context.Background(), s.who)
	require.NoError(s.t, err)
	return ticket.Reveal()
}

func (s *station) append(rows ...outbox.Row) {
	s.t.Helper()
	require.NoError(s.t, s.Pool.InTx(context.Background(), func(tx pgx.Tx) error {
		return outbox.Append(context.Background(), tx, rows...)
	}))
	s.relay.Wake()
}

func (s *station) emit(n int, data any) {
	s.t.Helper()
	rows := make([]outbox.Row, n)
	for i := range rows {
		rows[i] = outbox.Row{Type: wire.EventRecorded, SiteID: 1, Data: data}
	}
	s.append(rows...)
}

func (s *station) head() wire.StreamPosition {
	s.t.Helper()
	head, err := s.hub.Head(context.Background())
	require.NoError(s.t, err)
	return head
}

// dial opens a connection with these subprotocols and headers.
func (s *station) dial(headers http.Header, protocols ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	url := "ws" + strings.TrimPrefix(s.server.URL, "http") + "/api/ws"
	ws, answer, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: headers, HTTPClient: s.browser})
	if ws != nil {
		ws.SetReadLimit(8 << 20)
		s.t.Cleanup(func() { _ = ws.CloseNow() })
	}
	return ws, answer, err
}

// client is a connected WebSocket.
type client struct {
	t  testing.TB
	ws *websocket.Conn
}

func (s *station) connect() *client {
	s.t.Helper()
	ws, answer, err := s.dial(nil, push.Protocol, "ticket."+s.ticket())
	require.NoError(s.t, err)
	require.Equal(s.t, push.Protocol, answer.Header.Get("Sec-WebSocket-Protocol"))
	require.Empty(s.t, answer.Header.Get("Sec-WebSocket-Extensions"), "no compression")
	return &client{s.t, ws}
}

// resume connects and resumes.
func (s *station) resume(from wire.StreamPosition) *client {
	s.t.Helper()
	c := s.connect()
	c.send(map[string]any{"resume": from})
	return c
}

func (c *client) send(message any) {
	c.t.Helper()
	data, err := json.Marshal(message)
	require.NoError(c.t, err)
	require.NoError(c.t, c.ws.Write(context.Background(), websocket.MessageText, data))
}

type said struct {
	Type     string          `json:"type"`
	Epoch    int64           `json:"epoch"`
	Position int64           `json:"position"`
	At       time.Time       `json:"at"`
	Data     json.RawMessage `json:"data"`
}

func (c *client) read() (said, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	kind, data, err := c.ws.Read(ctx)
	if err != nil {
		return said{}, err
	}
	require.Equal(c.t, websocket.MessageText, kind)
	var m said
	require.NoError(c.t, json.Unmarshal(data, &m), "%s", data)
	return m, nil
}

// until reads up to a message that stop accepts.
func (c *client) until(stop func(said) bool) []said {
	c.t.Helper()
	var out []said
	for {
		m, err := c.read()
		require.NoError(c.t, err)
		if out = append(out, m); stop(m) {
			return out
		}
	}
}

// closed reads until the server closes and returns its code.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			code := websocket.CloseStatus(err)
			require.NotEqual(c.t, websocket.StatusCode(-1), code, "%v", err)
			return code
		}
	}
}

func isFrame(m said) bool { return strings.Contains(m.Type, ".") && m.Type != wire.PanelState }

func sitePanel(s *station) (ids.SiteID, ids.PanelID) {
	site := testkit.One[ids.SiteID](s.t, s.Database, "INSERT INTO sites (name) VALUES ('site') RETURNING id")
	return site, testkit.One[ids.PanelID](s.t, s.Database, `INSERT INTO panels (site_id, name, host, port, code_secret)
		VALUES ($1, 'panel', 'host', 7094, '') RETURNING id`, int64(site))
}
