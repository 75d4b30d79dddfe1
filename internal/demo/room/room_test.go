package room

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/child"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program is a process that does nothing, to be killed and frozen.
type program struct {
	run atomic.Pointer[child.Process]
}

func (p *program) start(context.Context) error {
	run, err := child.Start(exec.Command("cat", "/dev/zero"), child.Account{}, syscall.SIGKILL)
	if err == nil {
		p.run.Store(run)
	}
	return err
}

func (p *program) end(context.Context) error {
	p.run.Load().Signal(syscall.SIGKILL)
	<-p.run.Load().Done()
	return nil
}

func (p *program) pid() int { return p.run.Load().PID() }

func (p *program) signal(sig syscall.Signal) { p.run.Load().Signal(sig) }

func (p *program) server() Server {
	return Server{
		PID: p.pid, Start: p.start, Stop: p.end, Kill: p.end,
		Freeze: func() error { p.signal(syscall.SIGSTOP); return nil }, Thaw: func() { p.signal(syscall.SIGCONT) },
	}
}

// open runs a room with one component, worker-1, and returns its address.
func open(t *testing.T, change func(*Config)) (url string, p *program) {
	t.Helper()
	p = &program{}
	require.NoError(t, p.start(t.Context()))
	t.Cleanup(func() { require.NoError(t, p.end(context.Background())) })
	cfg := Config{
		Components: []Component{{
			ID: "worker-1", Kind: Worker, Server: p.server(),
			Ask: func(context.Context) (Answer, error) {
				return Answer{Sights: []Sight{{Part: "redis", State: "aside"}}}, nil
			},
		}},
		HoldUp: func(context.Context) error { return nil }, IsHoldUp: func(e wire.Event) bool { return e.Zone == 10 },
		Assets: http.NotFoundHandler(), Stylesheet: "/assets/console.css", Logger: testkit.Logger(t),
	}
	if change != nil {
		change(&cfg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(cfg).Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		http.DefaultClient.CloseIdleConnections()
	})
	return "http://" + l.Addr().String(), p
}

func send(t *testing.T, method, url string, header map[string]string) (status int, body string, answered http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for name, value := range header {
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(raw), response.Header
}

func look(t *testing.T, url string) (v View) {
	t.Helper()
	status, body, _ := send(t, http.MethodGet, url+"/api/room", nil)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	return v
}

// becomes waits until the component is in a state and nothing is being done to it.
func becomes(t *testing.T, url string, state State) (v View) {
	t.Helper()
	require.Eventually(t, func() bool {
		v = look(t, url)
		return v.Components[0].State == state && v.Components[0].Doing == ""
	}, 10*time.Second, 10*time.Millisecond, string(state))
	return v
}

func TestOrdersAreCarriedOutAndWhatTheKernelSaysIsShown(t *testing.T) {
	url, p := open(t, nil)
	order := func(path string) int {
		status, _, _ := send(t, http.MethodPost, url+"/api/components/"+path, nil)
		return status
	}
	v := becomes(t, url, Running)
	require.Equal(t, p.pid(), v.Components[0].PID)
	require.Equal(t, []Act{Stop, Kill, Freeze}, v.Components[0].Acts)
	require.Eventually(t, func() bool { return len(look(t, url).Components[0].Sees) == 1 }, 10*time.Second, 10*time.Millisecond)

	require.Equal(t, http.StatusConflict, order("worker-1/thaw"))
	require.Equal(t, http.StatusNotFound, order("worker-2/kill"))
	require.Equal(t, http.StatusNotFound, order("worker-1/paint"))
	require.Equal(t, http.StatusAccepted, order("worker-1/freeze"))
	v = becomes(t, url, Frozen)
	require.False(t, v.Components[0].Answered, "what it said before is no answer")
	require.Equal(t, []Act{Stop, Kill, Thaw}, v.Components[0].Acts)
	require.Equal(t, http.StatusAccepted, order("worker-1/thaw"))
	becomes(t, url, Running)
	require.Equal(t, http.StatusAccepted, order("worker-1/kill"))
	v = becomes(t, url, Dead)
	require.Zero(t, v.Components[0].PID)
	require.Equal(t, []Act{Start}, v.Components[0].Acts)
	require.Eventually(t, func() bool { return order("worker-1/start") == http.StatusAccepted }, 10*time.Second, 10*time.Millisecond)
	becomes(t, url, Running)

	p.signal(syscall.SIGKILL)
	becomes(t, url, Dead)
	var told []string
	require.Eventually(t, func() bool {
		told = nil
		for _, e := range look(t, url).Journal {
			told = append(told, e.What)
		}
		return len(told) == 5
	}, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{"gone", "start", "kill", "thaw", "freeze"}, told)
}

func TestOnlyItsOwnPageAndProgramsMayOrder(t *testing.T) {
	url, _ := open(t, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		want         int
	}{
		"a program":                          {http.MethodPost, "/api/hold-up", nil, http.StatusAccepted},
		"its own page":                       {http.MethodPost, "/api/hold-up", map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusAccepted},
		"its own page, an old browser":       {http.MethodPost, "/api/hold-up", map[string]string{"Host": "localhost:" + port, "Origin": "http://localhost:" + port}, http.StatusAccepted},
		"another page":                       {http.MethodPost, "/api/hold-up", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"another page of this machine":       {http.MethodPost, "/api/hold-up", map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		"another page, an old browser":       {http.MethodPost, "/api/components/worker-1/kill", map[string]string{"Origin": "http://evil.example"}, http.StatusForbidden},
		"a name that leads here":             {http.MethodGet, "/api/room", map[string]string{"Host": "evil.example:" + port}, http.StatusMisdirectedRequest},
		"an order by a name that leads here": {http.MethodPost, "/api/hold-up", map[string]string{"Host": "evil.example", "Sec-Fetch-Site": "same-origin"}, http.StatusMisdirectedRequest},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, _ := send(t, c.method, url+c.path, c.header)
			require.Equal(t, c.want, status)
		})
	}
	require.Equal(t, Running, look(t, url).Components[0].State)
}

func TestThePageSpeaksBothLanguagesAndRunsNothingInline(t *testing.T) {
	url, _ := open(t, nil)
	for accept, title := range map[string]string{"en-GB,en;q=0.9": english.Title, "pl": polish.Title, "de, pl;q=0.5": polish.Title, "": polish.Title} {
		status, body, header := send(t, http.MethodGet, url+"/", map[string]string{"Accept-Language": accept})
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "<h1>"+title+"</h1>", accept)
		require.Contains(t, body, `href="/assets/console.css"`)
		require.Contains(t, header.Get("Content-Security-Policy"), "script-src 'self'; style-src 'self'")
		require.NotContains(t, body, " style=")
	}
	_, body, _ := send(t, http.MethodGet, url+"/?lang=en", map[string]string{"Accept-Language": "pl"})
	require.Contains(t, body, english.Lead)
	for _, file := range []string{"/room.js", "/room.css", "/theme.js"} {
		status, _, _ := send(t, http.MethodGet, url+file, nil)
		require.Equal(t, http.StatusOK, status, file)
	}
}

func TestNoWordIsMissing(t *testing.T) {
	t.Parallel()
	var compare func(t *testing.T, where string, pl, en reflect.Value)
	compare = func(t *testing.T, where string, pl, en reflect.Value) {
		switch pl.Kind() {
		case reflect.Struct:
			for i := range pl.NumField() {
				compare(t, where+"."+pl.Type().Field(i).Name, pl.Field(i), en.Field(i))
			}
		case reflect.Map:
			require.Equal(t, pl.Len(), en.Len(), where)
			for _, key := range pl.MapKeys() {
				require.True(t, en.MapIndex(key).IsValid(), "%s[%v]", where, key)
				compare(t, where, pl.MapIndex(key), en.MapIndex(key))
			}
		default:
			require.NotEmpty(t, pl.String(), where)
			require.NotEmpty(t, en.String(), where)
		}
	}
	compare(t, "words", reflect.ValueOf(polish), reflect.ValueOf(english))
	for _, act := range Acts {
		require.Contains(t, polish.Script.Acts, act)
		require.Contains(t, polish.Script.Doing, act)
		require.Contains(t, polish.Hints, act)
		require.Contains(t, polish.Script.Entries, string(act))
	}
	for _, state := range []State{Running, Frozen, Dead} {
		require.Contains(t, polish.Script.States, state)
	}
	for _, kind := range []Kind{PostgreSQL, RabbitMQ, Redis, Worker, Relay, API, Sites} {
		require.Contains(t, polish.Kinds, kind)
	}
}

func TestAFigureThatHangsIsNotKnownAndDelaysNoOther(t *testing.T) {
	hangs := make(chan struct{})
	url, _ := open(t, func(cfg *Config) {
		cfg.Gauges = []Gauge{
			{ID: "hangs", Read: func(ctx context.Context) (string, error) {
				select {
				case <-hangs:
					<-ctx.Done()
					return "", ctx.Err()
				default:
					return "1", nil
				}
			}},
			{ID: "works", Read: func(context.Context) (string, error) { return "2", nil }},
		}
	})
	require.Eventually(t, func() bool { return len(look(t, url).Gauges) == 2 }, 10*time.Second, 10*time.Millisecond)
	close(hangs)
	require.Eventually(t, func() bool {
		v := look(t, url)
		_, known := v.Gauges["hangs"]
		return !known && v.Gauges["works"] == "2"
	}, 10*time.Second, 10*time.Millisecond)
}

func TestTheTimeOfAHoldUpIsNeverFlattering(t *testing.T) {
	t.Parallel()
	a := newAlarms()
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	place := func(n int64) wire.StreamPosition { return wire.StreamPosition{Epoch: 1, Position: n} }
	alarm := wire.Alarm{Priority: 1}

	a.pressed(at(10))
	_, first := a.seen("api-1", at(11), place(1), alarm, at(9))
	require.False(t, first, "a worker read that one before the button was pressed")
	_, first = a.seen("api-1", at(11), place(2), alarm, time.Time{})
	require.False(t, first, "another alarm")
	a.pressed(at(15))
	took, first := a.seen("api-1", at(17), place(3), alarm, at(16))
	require.True(t, first)
	require.Equal(t, 7*time.Second, took, "from the first that nothing had come of")
	took, first = a.seen("api-2", at(18), place(3), alarm, at(16))
	require.True(t, first)
	require.Equal(t, 8*time.Second, took)
	_, first = a.seen("api-2", at(19), place(4), alarm, at(18))
	require.False(t, first, "the second one")

	a.pressed(at(30))
	v := a.read(at(31))
	require.Equal(t, 4, v.LastMinute, "each counts once, through however many APIs it came")
	require.Empty(t, v.HoldUp.Took)
	require.Equal(t, at(30), v.HoldUp.At)
	a.notPressed(at(30))
	require.Nil(t, a.read(at(31)).HoldUp)
	require.Zero(t, a.read(at(120)).LastMinute)
}
