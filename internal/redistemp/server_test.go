package redistemp_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/redistemp"
)

// holdServer names the directory in which a copy of this test program starts a server.
const holdServer = "REDISTEMP_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdServer); dir != "" {
		s, err := redistemp.Start(context.Background(), redistemp.Config{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.PID())
		select {}
	}
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, cfg redistemp.Config) *redistemp.Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "redis")
	}
	s, err := redistemp.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Stop(context.Background()))
		require.NoError(t, redistemp.Remove(s.Dir()))
	})
	return s
}

// ask sends lines, the password first, and returns the answer to the last one.
func ask(t *testing.T, network, address, password string, lines ...string) string {
	t.Helper()
	conn, err := net.DialTimeout(network, address, 5*time.Second)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	answers := bufio.NewReader(conn)
	var answer string
	for _, line := range append([]string{"AUTH " + password}, lines...) {
		_, err := fmt.Fprintf(conn, "%s\r\n", line)
		require.NoError(t, err)
		answer, err = answers.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(answer, "$") && !strings.HasPrefix(answer, "$-1") {
			answer, err = answers.ReadString('\n')
			require.NoError(t, err)
		}
	}
	return strings.TrimSpace(answer)
}

func TestWhatWasConfirmedOutlivesKillAndStop(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := start(t, redistemp.Config{})
	require.Equal(t, "+OK", ask(t, "unix", s.SocketPath(), s.Password(), "SET kept 1"))
	require.NoError(t, s.Kill(ctx))
	require.Zero(t, s.PID())
	require.NoError(t, s.Kill(ctx), "again is nothing")
	require.NoError(t, s.Restart(ctx))
	require.Equal(t, "1", ask(t, "unix", s.SocketPath(), s.Password(), "GET kept"))
	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "again is nothing")
	again := start(t, redistemp.Config{Dir: s.Dir()})
	require.Equal(t, "1", ask(t, "unix", again.SocketPath(), again.Password(), "GET kept"))
}

func TestOnlyThePasswordOpens(t *testing.T) {
	t.Parallel()
	s := start(t, redistemp.Config{TCP: true})
	require.Contains(t, ask(t, "tcp", s.Addr(), "wrong", "GET kept"), "NOAUTH")
	require.Equal(t, "+PONG", ask(t, "tcp", s.Addr(), s.Password(), "PING"))
	for _, address := range []string{s.URL(), s.TCPURL()} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		password, _ := u.User.Password()
		require.Equal(t, s.Password(), password)
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.PID()))
	require.NoError(t, err)
	require.NotContains(t, string(cmdline), s.Password())
	info, err := os.Stat(filepath.Join(s.Dir(), "redis.conf"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestFrozenServerAnswersAfterThaw(t *testing.T) {
	t.Parallel()
	s := start(t, redistemp.Config{})
	s.Freeze()
	answered := make(chan string, 1)
	go func() {
		conn, err := net.Dial("unix", s.SocketPath())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "PING\r\n")
		answer, _ := bufio.NewReader(conn).ReadString('\n')
		answered <- answer
	}()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
		return err == nil && strings.Contains(string(stat), ") T ")
	}, 5*time.Second, time.Millisecond)
	require.Empty(t, answered)
	s.Thaw()
	require.Contains(t, <-answered, "NOAUTH")
}

func TestStopEndsAFrozenServer(t *testing.T) {
	t.Parallel()
	s := start(t, redistemp.Config{})
	s.Freeze()
	require.NoError(t, s.Stop(t.Context()))
	require.Zero(t, s.PID())
}

// The server of a process that was killed ends too, and the next one takes its place.
func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "redis")
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdServer+"="+dir)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	require.NoError(t, holder.Process.Kill())
	_ = holder.Wait()
	s := start(t, redistemp.Config{Dir: dir})
	require.NotEqual(t, pid, s.PID())
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.True(t, err != nil || strings.Contains(string(stat), ") Z "), "gone, or dead and not yet taken note of: %s", stat)
}

func TestWrongSettingIsTold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "redis")
	s, err := redistemp.Start(t.Context(), redistemp.Config{Dir: dir, Settings: map[string]string{"no-such-setting": "1"}})
	require.ErrorContains(t, err, "no-such-setting")
	require.Nil(t, s)
	require.NoError(t, redistemp.Remove(dir))
}

func TestNothingButAServersDataIsRemoved(t *testing.T) {
	t.Parallel()
	s := start(t, redistemp.Config{})
	require.ErrorContains(t, redistemp.Remove(s.Dir()), "is running")
	dir := t.TempDir()
	require.NoError(t, redistemp.Remove(dir))
	require.DirExists(t, dir)
}
