package obs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/lifecycle/lifecycletest"
	"dozor/internal/obs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func TestALineCarriesTheStoryOfItsContext(t *testing.T) {
	var out bytes.Buffer
	log := obs.NewLogger(&out, obs.JSON, slog.LevelInfo).With("component", "ingest")
	ctx := obs.WithRequestID(obs.WithTrace(t.Context(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "r-17")
	log.InfoContext(ctx, "claimed", "alarm_id", 48213)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", line["trace_id"])
	require.Equal(t, "r-17", line["request_id"])
	require.Equal(t, "ingest", line["component"])
	require.EqualValues(t, 48213, line["alarm_id"])

	out.Reset()
	log.InfoContext(t.Context(), "outside of any story")
	require.NotContains(t, out.String(), "trace_id")
	require.NotContains(t, out.String(), "request_id")
	out.Reset()
	log.DebugContext(ctx, "detail")
	require.Empty(t, out.String())
}

func TestFormats(t *testing.T) {
	var out bytes.Buffer
	obs.NewLogger(&out, obs.Text, slog.LevelDebug).Debug("ready", "panel_id", 3)
	require.Contains(t, out.String(), "level=DEBUG msg=ready panel_id=3")
	var f obs.Format
	require.NoError(t, f.UnmarshalText([]byte("json")))
	require.Equal(t, obs.JSON, f)
	require.ErrorContains(t, f.UnmarshalText([]byte("xml")), "json or text")
	require.Equal(t, obs.JSON, f)
}

func TestTracesAreNewAndReadable(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		trace := obs.NewTrace()
		require.Len(t, trace, 55)
		id := obs.TraceID(trace)
		require.Len(t, id, 32)
		require.False(t, seen[id])
		seen[id] = true
	}
}

func TestForeignTracesAreOnlyTakenWhenWellFormed(t *testing.T) {
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, c := range map[string]struct{ in, want string }{
		"plain":             {"00-" + id + "-" + span + "-00", id},
		"a later version":   {"cc-" + id + "-" + span + "-01-more", id},
		"empty":             {"", ""},
		"too much":          {"00-" + id + "-" + span + "-01-more", ""},
		"forbidden version": {"ff-" + id + "-" + span + "-01", ""},
		"upper case":        {"00-" + strings.ToUpper(id) + "-" + span + "-01", ""},
		"no trace":          {"00-" + strings.Repeat("0", 32) + "-" + span + "-01", ""},
		"no span":           {"00-" + id + "-" + strings.Repeat("0", 16) + "-01", ""},
		"short":             {"00-" + id[1:] + "-" + span + "-01", ""},
		"line break":        {"00-" + id[1:] + "\n-" + span + "-01", ""},
	} {
		require.Equal(t, c.want, obs.TraceID(c.in), name)
	}
}

func TestReadinessNamesWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := obs.NewHealth(quiet, obs.NewRegistry("1.2.3", "a"))
		require.True(t, h.Ready(t.Context()).Ready)
		h.Add("stream", func(context.Context) (string, error) { return "0.2 s behind", nil })
		require.True(t, h.Ready(t.Context()).Ready)

		release := make(chan struct{})
		h.Add("database", func(context.Context) (string, error) { <-release; return "", nil })
		h.Add("broker", func(context.Context) (string, error) { return "", errors.New("connection refused") })
		h.Add("clock", func(context.Context) (string, error) { panic("no clock") })
		began := time.Now()
		r := h.Ready(t.Context())
		require.Equal(t, time.Second, time.Since(began), "a check that hangs is not waited for")
		require.False(t, r.Ready)
		require.Equal(t, []obs.Result{
			{Name: "broker", Error: "connection refused"},
			{Name: "clock", Error: "panic: no clock"},
			{Name: "database", Error: "no answer within 1s", Millis: 1000},
			{Name: "stream", OK: true, Detail: "0.2 s behind"},
		}, r.Checks)
		close(release)
	})
}

func TestTheHealthServer(t *testing.T) {
	registry := obs.NewRegistry("1.2.3", "mini")
	h := obs.NewHealth(quiet, registry)
	restarted := obs.Restarts(registry)
	restarted("relay")
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	get := func(path string) (int, string) {
		resp, err := server.Client().Get(server.URL + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}

	status, body := get("/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"ready": true, "checks": []}`, body)
	_, body = get("/metrics")
	require.Contains(t, body, `dozor_info{instance="mini",version="1.2.3"} 1`)
	require.Contains(t, body, `dozor_service_restarts_total{service="relay"} 1`)
	require.Contains(t, body, "go_goroutines")

	h.Drain()
	status, body = get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.JSONEq(t, `{"ready": false, "draining": true, "checks": []}`, body)
	status, _ = get("/healthz")
	require.Equal(t, http.StatusOK, status, "a draining process is alive")
	status, _ = get("/elsewhere")
	require.Equal(t, http.StatusNotFound, status)
}

func TestTheHealthServerEndsWithItsContext(t *testing.T) {
	lifecycletest.Stress(t, func(t *testing.T) func(context.Context) error {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		h := obs.NewHealth(quiet, obs.NewRegistry("1", "a"))
		return func(ctx context.Context) error {
			err := h.Serve(ctx, listener)
			_, again := net.Dial("tcp", listener.Addr().String())
			require.Error(t, again, "the listener is closed")
			return err
		}
	}, 10*time.Millisecond)
}

func TestRegistriesDoNotShare(t *testing.T) {
	require.NotPanics(t, func() {
		obs.Restarts(obs.NewRegistry("1", "a"))
		obs.Restarts(obs.NewRegistry("1", "a"))
	})
}
