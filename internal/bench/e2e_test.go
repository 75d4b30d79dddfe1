package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

// TestWholeRuns measures a dozor that is built for it, with few panels and for seconds.
func TestWholeRuns(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "dozor")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "dozor/cmd/dozor").CombinedOutput()
	require.NoError(t, err, "%s", said)
	settings := func(t *testing.T) Settings {
		return Settings{Binary: binary, Dir: t.TempDir(), Logger: testkit.Logger(t)}
	}
	panels := AlarmOptions{
		Panels: 2, Clients: 2, Rate: 5, Duration: 4 * time.Second, Limit: 20 * time.Second,
		PollInterval: 250 * time.Millisecond, AnswerDelay: 5 * time.Millisecond, MinGap: 2 * time.Millisecond,
	}

	t.Run("every alarm of a rate is on every screen once", func(t *testing.T) {
		t.Parallel()
		o := panels
		o.Settings = settings(t)
		report, err := Alarm(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 40, report.Events, "20 alarms and their ends")
		require.Zero(t, report.Lost)
		require.Zero(t, report.Duplicated)
		require.InDelta(t, 264, report.FloorMS, 0.01)
		require.Positive(t, report.Latency.P50)
		require.LessOrEqual(t, report.Latency.P50, report.Latency.Max)
		require.NotNil(t, report.Own)
		require.NotNil(t, report.Disk)
		require.Positive(t, report.Disk.P50)
		require.Nil(t, report.Burst)
		requireProcesses(t, report.Processes, "postgres", "dozor", "sim", "bench")
		require.Contains(t, printed(t, &report), "lost 0, doubled 0; 40 to 40 events a client")
		requireEmpty(t, o.Dir)
	})

	t.Run("every alarm of a burst is on every screen of a dozor that runs already", func(t *testing.T) {
		t.Parallel()
		own := panels
		own.Settings = settings(t)
		s, err := newStation(t.Context(), own.Settings)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.close(t.Context())) }()
		running := &alarmRun{o: own, log: own.logger()}
		require.NoError(t, running.start(t.Context(), s))
		running.api.close()
		running.sim.close()

		o := panels
		o.Settings, o.Burst = settings(t), 41
		o.URL, o.MetricsURL, o.SimControl = running.api.base, running.metrics, running.sim.base
		o.Login, o.PasswordFile = benchLogin, filepath.Join(t.TempDir(), "password")
		require.NoError(t, os.WriteFile(o.PasswordFile, []byte(s.password.Reveal()+"\n"), 0o600))
		report, err := Alarm(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 41, report.Events)
		require.NotNil(t, report.Burst)
		require.InDelta(t, 0.147, *report.Floor, 0.0001, "21 records of one panel, 7 ms each")
		require.Greater(t, *report.Burst, *report.Floor)
		requireProcesses(t, report.Processes, "bench")
		require.Equal(t, []string{
			"burst_s", "clients", "disk_ms", "duplicated", "events", "floor_ms", "floor_s", "latency_ms", "lost",
			"own_ms", "panels", "processes", "state_read_ms",
		}, keys(t, &report))
	})

	t.Run("every event of the bus is on the wire once", func(t *testing.T) {
		t.Parallel()
		o := IngestOptions{Events: 2000, Panels: 10, Settings: settings(t)}
		report, err := Ingest(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 2000, report.Events)
		require.Zero(t, report.Lost)
		require.Zero(t, report.Duplicated)
		require.Positive(t, report.PerSecond)
		require.Positive(t, report.Postgres)
		require.InDelta(t, report.PerSecond/report.Postgres, report.Ratio, 0.001)
		require.Len(t, report.baselines, 4)
		require.Contains(t, printed(t, &report), "PostgreSQL alone after, 4 at once")
		require.Equal(t, []string{"duplicated", "events", "events_per_s", "lost", "postgres_events_per_s", "ratio_to_postgres"}, keys(t, &report))
		requireEmpty(t, o.Dir)
	})

	t.Run("every event of panels that two workers hold is on the bus, and stored once", func(t *testing.T) {
		t.Parallel()
		o := PanelsOptions{
			Panels: 6, Workers: 2, Rate: 10, Duration: 4 * time.Second, Limit: 20 * time.Second,
			PollInterval: 250 * time.Millisecond, AnswerDelay: 5 * time.Millisecond, MinGap: 2 * time.Millisecond,
			Settings: settings(t),
		}
		report, err := Panels(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 40, report.Events, "20 alarms and their ends")
		require.Zero(t, report.Lost)
		require.Zero(t, report.Duplicated)
		require.InDelta(t, 264, report.FloorMS, 0.01)
		require.Positive(t, report.Latency.P50)
		require.InDelta(t, 4, report.PollHz, 1.5)
		require.Positive(t, report.WorkerRSS)
		requireProcesses(t, report.Processes, "postgres", "dozor", "dozor", "sim", "bench")
		require.Contains(t, printed(t, &report), "lost 0, stored twice 0")
		require.Equal(t, []string{
			"bare_cpu_us_per_panel_second", "cpu_us_per_panel_second", "duplicated", "events", "floor_ms", "latency_ms", "lost",
			"panels", "poll_hz", "processes", "ratio_to_bare", "worker_cpu_percent", "worker_rss_mib", "workers",
		}, keys(t, &report))
		requireEmpty(t, o.Dir)
	})

	t.Run("over RabbitMQ and Redis too", func(t *testing.T) {
		t.Parallel()
		o := panels
		o.Settings, o.Adapters = settings(t), WithBoth
		alarms, err := Alarms(t.Context(), o)
		require.NoError(t, err)
		require.Len(t, alarms.Runs, 1)
		require.Equal(t, 40, alarms.Runs[0].Report.Events)
		require.Positive(t, alarms.Runs[0].Report.States.Redis.P95)
		requireProcesses(t, alarms.Runs[0].Report.Processes, "postgres", "rabbitmq", "redis", "dozor", "sim", "bench")
		requireEmpty(t, o.Dir)

		i := IngestOptions{Events: 2000, Panels: 10, Settings: settings(t), Adapters: WithRabbit}
		ingested, err := Ingests(t.Context(), i)
		require.NoError(t, err)
		require.Equal(t, 2000, ingested.Runs[0].Report.Events)
		requireEmpty(t, i.Dir)
	})

	t.Run("every alarm is painted by a browser", func(t *testing.T) {
		t.Parallel()
		o := ScreenOptions{Open: 30, Panels: 2, Rate: 2, Duration: 3 * time.Second, Settings: settings(t)}
		report, err := Screen(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 6, report.Alarms)
		require.Positive(t, report.Painted)
		require.Zero(t, report.Lost)
		require.Positive(t, report.Paint.P50)
		require.Positive(t, report.Frame.P50)
		require.Contains(t, printed(t, &report), "6 alarms with 30 open")
		requireEmpty(t, o.Dir)
	})

	t.Run("every notification is at every client that reads, and at the peer's", func(t *testing.T) {
		t.Parallel()
		peer := filepath.Join(t.TempDir(), "pushpeer")
		said, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../../tools/pushpeer", "-o", peer, ".").CombinedOutput()
		require.NoError(t, err, "%s", said)
		o := PushOptions{Clients: 20, Slow: .2, Rate: 20, Bytes: 512, Duration: 4 * time.Second, Peer: peer, Settings: settings(t)}
		report, err := Push(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, 4, report.Slow)
		require.Zero(t, report.Lost)
		require.Zero(t, report.Duplicated)
		require.Equal(t, int64(16*80), report.dozor.messages)
		require.Equal(t, report.dozor.messages, report.peer.messages)
		require.Positive(t, report.P99)
		require.Positive(t, report.PerCPUSecond)
		require.InDelta(t, report.PerCPUSecond / *report.PeerPerCPUSecond, *report.Ratio, 0.001)
		requireProcesses(t, report.Processes, "dozor", "postgres", "bench")
		require.Contains(t, printed(t, &report), "20 clients, 4 of them slow")
		require.Equal(t, []string{
			"clients", "duplicated", "kib_per_client", "lost", "messages_per_cpu_s", "messages_per_s", "p99_ms",
			"peer_kib_per_client", "peer_messages_per_cpu_s", "peer_p99_ms", "processes", "ratio_to_peer", "slow_clients", "slow_let_go",
		}, keys(t, &report))
		requireEmpty(t, o.Dir)
	})

	t.Run("an interrupted run leaves nothing behind", func(t *testing.T) {
		t.Parallel()
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		o := panels
		o.Duration, o.Settings = time.Hour, settings(t)
		o.Logger = slog.New(&onMessage{"screens are connected", interrupt, o.Logger.Handler()})
		_, err := Alarm(ctx, o)
		require.ErrorIs(t, err, context.Canceled)
		require.Error(t, ctx.Err(), "it got as far as that")
		requireEmpty(t, o.Dir)
		require.Empty(t, processesOf(t, o.Dir))
	})
}

// onMessage calls back when a message is logged.
type onMessage struct {
	message string
	call    func()
	slog.Handler
}

func (h *onMessage) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.call()
	}
	return h.Handler.Handle(ctx, r)
}

func (h *onMessage) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &onMessage{h.message, h.call, h.Handler.WithAttrs(attrs)}
}

type printer interface {
	Print(w io.Writer, asJSON bool) error
}

// printed is the table of a report.
func printed(t *testing.T, report printer) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.Print(&out, false))
	t.Log("\n" + out.String())
	return out.String()
}

func requireProcesses(t *testing.T, used []ProcessUse, names ...string) {
	t.Helper()
	var found []string
	for _, p := range used {
		found = append(found, p.Name)
		require.Positive(t, p.RSS, p.Name)
	}
	require.Equal(t, names, found)
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// processesOf are the processes that have something under dir on their command line or
// in their environment.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range all {
		if filepath.Base(p) == fmt.Sprint(os.Getpid()) {
			continue
		}
		for _, file := range []string{"cmdline", "environ"} {
			if text, err := os.ReadFile(filepath.Join(p, file)); err == nil && strings.Contains(string(text), dir) {
				found = append(found, string(text))
			}
		}
	}
	return found
}

// keys are the members of a report's JSON.
func keys(t *testing.T, report printer) []string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.Print(&out, true))
	var members map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &members))
	return slices.Sorted(maps.Keys(members))
}
