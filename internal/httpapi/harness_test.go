package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/bus/pgbus"
	"dozor/internal/command"
	"dozor/internal/deadletter"
	"dozor/internal/desk"
	"dozor/internal/httpapi"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/pg"
	"dozor/internal/presence"
	"dozor/internal/roster"
	"dozor/internal/secret"
	"dozor/internal/selfwatch"
	"dozor/internal/site"
	"dozor/internal/stream"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const password = secret.Redacted("correct horse")

// station is the whole interface over a real database: users anna and jan (operators),
// ewa (supervisor), adam (admin); a site with a panel that is up and one that is down;
// alarm 10.
type station struct {
	t        *testing.T
	db       *testkit.Database
	server   *httptest.Server
	auth     *auth.Auth
	commands *command.Commands
	logged   *syncBuffer
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func open(t *testing.T, change ...func(*httpapi.Deps)) *station {
	t.Helper()
	db := testkit.DB(t)
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	s := &station{t: t, db: db, logged: &syncBuffer{}}
	log := slog.New(slog.NewJSONHandler(s.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	record := audit.New(ring, "test")
	states := pglive.New(db.Pool, pg.NewHints(db.Pool, db.Direct, log), log)
	s.auth = auth.New(auth.Deps{Pool: db.Pool, Keyring: ring, Audit: record, Passwords: auth.Params{MemoryKiB: 64, Passes: 1, Threads: 1}})
	sites := site.New(site.Deps{Pool: db.Pool, Keyring: ring, Audit: record, States: states})
	s.commands = command.New(command.Deps{Pool: db.Pool, Audit: record, Links: states})
	queue := pgbus.New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)
	deps := httpapi.Deps{
		Pool: db.Pool, Auth: s.auth, Desk: desk.New(desk.Deps{Pool: db.Pool, Audit: record}), Sites: sites, Commands: s.commands,
		Letters: deadletter.New(deadletter.Deps{Pool: db.Pool, Audit: record, Logger: log}),
		Log:     log, Version: "1.2.3", Instance: "test",
		Hub:      stream.NewHub(stream.Config{Fanout: states, Reader: stream.NewTable(db.Pool), Log: log}),
		Roster:   roster.New(roster.Config{Pool: db.Pool, Logger: log}),
		Queues:   map[string]httpapi.Depths{"postgres": queue},
		Presence: presence.New(presence.Config{Pool: db.Pool, Instance: "test", Logger: log}),
		Self: selfwatch.New(selfwatch.Config{
			Pool: db.Pool, Queue: queue, Logger: log, LeaseTTL: 10 * time.Second,
		}),
	}
	for _, c := range change {
		c(&deps)
	}
	s.server = httptest.NewServer(httpapi.New(deps))
	t.Cleanup(s.server.Close)

	cli := access.Station("cli")
	for _, u := range []auth.NewUser{
		{Login: "anna", Name: "Anna Nowak", Role: access.Operator},
		{Login: "jan", Name: "Jan Lis", Role: access.Operator},
		{Login: "ewa", Name: "Ewa Kot", Role: access.Supervisor},
		{Login: "adam", Name: "Adam Byk", Role: access.Admin},
	} {
		u.Password = password
		_, err := s.auth.CreateUser(t.Context(), cli, u)
		require.NoError(t, err)
	}
	id, err := sites.CreateSite(t.Context(), cli, site.NewSite{Name: "Apteka", Address: "Polna 1", City: "Poznań"})
	require.NoError(t, err)
	for port := 1; port <= 2; port++ {
		_, err := sites.CreatePanel(t.Context(), cli, site.NewPanel{SiteID: id, Name: "P", Host: "10.0.0.5", Port: port, Code: "987654", Enabled: true})
		require.NoError(t, err)
	}
	require.NoError(t, states.PutStates(t.Context(), []live.PanelState{
		{PanelID: 1, Fence: 1, Seq: 1, Link: live.LinkUp, Armed: []int{1}}, {PanelID: 2, Fence: 1, Seq: 1, Link: live.LinkDown, LinkReason: "busy_stranger"},
	}))
	db.Exec(t, `INSERT INTO alarms (id, site_id, panel_id, kind, priority, joinable, code, zone, first_effective_at, last_effective_at)
		VALUES (10, 1, 1, 'burglary', 2, true, 130, 3, dozor_now(), dozor_now())`)
	return s
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (a answer) json(path ...string) any {
	a.t.Helper()
	var v any
	require.NoError(a.t, json.Unmarshal([]byte(a.body), &v), a.body)
	for _, name := range path {
		m, ok := v.(map[string]any)
		require.True(a.t, ok, "%v in %s", path, a.body)
		v = m[name]
	}
	return v
}

// problem expects a problem document of a status and code.
func (a answer) problem(status int, code string) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
	require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"))
	require.Equal(a.t, code, a.json("code"), a.body)
	require.EqualValues(a.t, status, a.json("status"))
	require.NotEmpty(a.t, a.json("detail"))
	require.NotEmpty(a.t, a.json("title"))
	return a
}

func (a answer) ok(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
	return a
}

type option func(*http.Request)

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }

// client is somebody at a browser, or a bearer of a token.
type client struct {
	*station
	cookie string
	bearer string
}

func (s *station) anonymous() client { return client{station: s} }

func (s *station) signIn(login string) client {
	s.t.Helper()
	a := s.anonymous().send("POST", "/api/session", map[string]string{"login": login, "password": password.Reveal()}).ok(200)
	value, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return client{station: s, cookie: value}
}

// send sends a body as it is when it is a string, else as JSON; nil sends none.
func (c client) send(method, path string, body any, options ...option) answer {
	c.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(c.t, err)
		reader = bytes.NewReader(raw)
	}
	a, err := c.try(method, path, reader, options...)
	require.NoError(c.t, err)
	return a
}

// try is send for other goroutines than the test's own.
func (c client) try(method, path string, body io.Reader, options ...option) (answer, error) {
	r, err := http.NewRequest(method, c.server.URL+path, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cookie != "" {
		r.Header.Set("Cookie", c.cookie)
	}
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for _, o := range options {
		o(r)
	}
	res, err := c.server.Client().Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = httpapi.Described(r, res.StatusCode, raw)
	}
	return answer{t: c.t, status: res.StatusCode, header: res.Header, body: string(raw)}, err
}

func (s *station) count(query string, args ...any) int {
	s.t.Helper()
	return testkit.One[int](s.t, s.db, query, args...)
}
