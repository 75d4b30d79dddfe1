package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/demo/room"
	"dozor/internal/wire"
	"dozor/test/station"
)

func TestMain(m *testing.M) { station.Main(m) }

// facts are what is read of demo.json.
type facts struct {
	URL       string `json:"url"`
	Room      string `json:"room"`
	AMQPURL   string `json:"amqp_url"`
	RedisURL  string `json:"redis_url"`
	Processes []struct {
		Name string `json:"name"`
		Log  string `json:"log"`
	} `json:"processes"`
	Users []struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	} `json:"users"`
}

// visit is a demo that runs.
type visit struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	facts
}

// start runs the demo until it has said where everything is.
func start(t *testing.T, dir string) *visit {
	t.Helper()
	v := &visit{t: t, dir: dir}
	// One that was killed has left its facts.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "data", "demo.json")))
	log, err := os.OpenFile(filepath.Join(dir, "demo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()
	v.cmd = exec.Command(station.Binary(t), "demo", "--full", "--data", filepath.Join(dir, "data"), "--quiet-scenario",
		"--listen=localhost:0", "--control=127.0.0.1:0", "--room=localhost:0")
	v.cmd.Stdout, v.cmd.Stderr = log, log
	began := time.Now()
	require.NoError(t, v.cmd.Start())
	t.Cleanup(func() {
		_ = v.cmd.Process.Kill() // it has ended where all went well
		_ = v.cmd.Wait()
	})
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(filepath.Join(dir, "data", "demo.json"))
		return err == nil && json.Unmarshal(raw, &v.facts) == nil
	}, 2*time.Minute, 50*time.Millisecond, "the demo tells its facts")
	t.Logf("%5.1f s: the demo runs", time.Since(began).Seconds())
	return v
}

func (v *visit) look() room.View {
	var view room.View
	v.call(http.MethodGet, v.Room+"/api/room", "", nil, http.StatusOK, &view)
	return view
}

func (v *visit) order(path string) {
	v.t.Helper()
	v.call(http.MethodPost, v.Room+"/api/"+path, "", nil, http.StatusAccepted, nil)
}

// call is a request of a program that waits no longer than a person would.
func (v *visit) call(method, url, token string, body any, status int, answer any) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	encoded, err := json.Marshal(body)
	require.NoError(v.t, err)
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(encoded))
	require.NoError(v.t, err)
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	require.Equal(v.t, status, response.StatusCode, "%s %s", method, url)
	if answer != nil {
		require.NoError(v.t, json.NewDecoder(response.Body).Decode(answer))
	}
}

// until waits until what the room shows is so.
func (v *visit) until(within time.Duration, what string, so func(room.View) bool) room.View {
	v.t.Helper()
	var view room.View
	began := time.Now()
	require.Eventually(v.t, func() bool { view = v.look(); return so(view) }, within, 100*time.Millisecond, what)
	v.t.Logf("%5.1f s: %s", time.Since(began).Seconds(), what)
	return view
}

// seen reports whether every process sees a part as well, or none does.
func seen(part string, well bool) func(room.View) bool {
	return func(view room.View) bool {
		processes := 0
		for _, c := range view.Components {
			for _, s := range c.Sees {
				if s.Part == part {
					processes++
					if (s.State == "ok") != well {
						return false
					}
				}
			}
		}
		return processes == 6
	}
}

// is reports whether components are in a state, and if that is running, answer.
func is(state room.State, ids ...string) func(room.View) bool {
	return func(view room.View) bool {
		for _, c := range view.Components {
			if slices.Contains(ids, c.ID) && (c.State != state || c.Answered != (state == room.Running)) {
				return false
			}
		}
		return true
	}
}

var all = []string{"postgresql", "rabbitmq", "redis", "worker-1", "worker-2", "relay-1", "relay-2", "api-1", "api-2", "sites"}

// alarms asks the station itself.
func (v *visit) alarms() []wire.Alarm {
	v.t.Helper()
	var signed struct {
		Token string `json:"access_token"`
	}
	v.call(http.MethodPost, v.URL+"/api/tokens", "", v.Users[0], http.StatusOK, &signed)
	var list struct {
		Alarms []wire.Alarm `json:"alarms"`
	}
	v.call(http.MethodGet, v.URL+"/api/alarms", signed.Token, nil, http.StatusOK, &list)
	return list.Alarms
}

func (v *visit) heldUp() bool {
	return slices.ContainsFunc(v.alarms(), func(a wire.Alarm) bool { return a.Priority == 1 && a.Zone == 10 && a.State == "new" })
}

// left are the processes that have to do with the demo's folder.
func left(dir string) []string {
	var found []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		environment, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		where, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if strings.Contains(string(line)+string(environment)+where, dir) {
			found = append(found, fmt.Sprintf("%d %s", pid, strings.ReplaceAll(string(line), "\x00", " ")))
		}
	}
	return found
}

// poll asks until the answer is yes, or the time is over.
func poll(within time.Duration, ask func() bool) bool {
	for end := time.Now().Add(within); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if ask() {
			return true
		}
	}
	return false
}

func TestAHoldUpComesWhileBrokerAndRedisAreDead(t *testing.T) {
	built := time.Now()
	station.Binary(t) // outside of what is waited for
	t.Logf("%5.1f s: the program is built", time.Since(built).Seconds())
	dir, err := os.MkdirTemp("", "dozor-demo-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) // PostgreSQL runs as somebody else when the tests run as root
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs are kept in %s", dir)
			return
		}
		require.NoError(t, os.RemoveAll(dir))
	})
	v := start(t, dir)
	require.NotEmpty(t, v.AMQPURL)
	require.NotEmpty(t, v.RedisURL)
	require.Len(t, v.Processes, 7)
	require.FileExists(t, v.Processes[0].Log)
	v.until(30*time.Second, "everything runs, and the room hears both APIs", func(view room.View) bool {
		hears := 0
		for _, c := range view.Components {
			if c.Hears {
				hears++
			}
		}
		return is(room.Running, all...)(view) && hears == 2 && seen("rabbitmq", true)(view) && seen("redis", true)(view) &&
			view.Gauges["panels.up"] == "5 / 5"
	})
	require.False(t, v.heldUp())

	v.order("components/rabbitmq/kill")
	v.order("components/redis/kill")
	view := v.until(20*time.Second, "both are dead, and every process sees that", func(view room.View) bool {
		return is(room.Dead, "rabbitmq", "redis")(view) && seen("rabbitmq", false)(view) && seen("redis", false)(view)
	})
	require.NotContains(t, view.Gauges, "queue.rabbitmq.live", "nobody knows")
	require.Contains(t, view.Gauges, "queue.postgresql.live")
	v.order("hold-up")
	view = v.until(10*time.Second, "the alarm is here through both APIs", func(view room.View) bool {
		return view.Alarms.HoldUp != nil && len(view.Alarms.HoldUp.Took) == 2
	})
	require.Equal(t, 10, view.Alarms.Last.Zone)
	require.True(t, v.heldUp(), "the station's list has it")
	t.Logf("from the button to the room with RabbitMQ and Redis dead: %v ms", view.Alarms.HoldUp.Took)

	v.order("components/rabbitmq/start")
	v.order("components/redis/start")
	view = v.until(90*time.Second, "both run", is(room.Running, all...))

	// Somebody kills one from a terminal: that is seen too.
	i := slices.IndexFunc(view.Components, func(c room.ComponentView) bool { return c.ID == "relay-2" })
	require.NoError(t, syscall.Kill(view.Components[i].PID, syscall.SIGKILL))
	view = v.until(5*time.Second, "a relay is dead", is(room.Dead, "relay-2"))
	require.Equal(t, "gone", view.Journal[0].What)

	v.order("components/postgresql/freeze")
	view = v.until(20*time.Second, "the database is frozen, and all that is known of it is that", func(view room.View) bool {
		_, queue := view.Gauges["queue.postgresql.live"]
		_, position := view.Gauges["stream.position"] // each is asked by itself
		return is(room.Frozen, "postgresql")(view) && !queue && !position
	})
	require.Contains(t, view.Gauges, "queue.rabbitmq.live")

	// kill -9 of the demo, with the database frozen: nothing stays, and nothing is lost.
	killed := time.Now()
	require.NoError(t, v.cmd.Process.Kill())
	_ = v.cmd.Wait()
	if !poll(30*time.Second, func() bool { return len(left(dir)) == 0 }) {
		require.Empty(t, left(dir))
	}
	t.Logf("%5.1f s: nothing is left", time.Since(killed).Seconds())

	v = start(t, dir)
	require.True(t, v.heldUp(), "it goes on with what there was")
	stopped := time.Now()
	require.NoError(t, v.cmd.Process.Signal(syscall.SIGINT))
	ended := make(chan error, 1)
	go func() { ended <- v.cmd.Wait() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(45 * time.Second):
		require.Fail(t, "the demo does not end")
	}
	t.Logf("%5.1f s: it ends", time.Since(stopped).Seconds())
	require.Empty(t, left(dir))
	require.NoFileExists(t, filepath.Join(dir, "data", "demo.json"))
}
