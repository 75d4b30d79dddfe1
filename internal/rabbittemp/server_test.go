package rabbittemp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/rabbittemp"
)

// ownerDir tells the test's program that it is the process that owns a broker and will
// be killed.
const ownerDir = "RABBITTEMP_OWNER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		own(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func own(dir string) {
	s, err := rabbittemp.Start(context.Background(), rabbittemp.Config{Dir: dir})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("pid", s.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func publish(t *testing.T, url string) {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	require.NoError(t, ch.Confirm(false))
	// A classic queue: a quorum queue of this version does not outlive a kill in its first seconds.
	_, err = ch.QueueDeclare("kept", true, false, false, false, nil)
	require.NoError(t, err)
	confirm, err := ch.PublishWithDeferredConfirm("", "kept", true, false, amqp.Publishing{Body: []byte("b"), DeliveryMode: amqp.Persistent})
	require.NoError(t, err)
	require.True(t, confirm.Wait())
}

func count(t *testing.T, url string) int {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	queue, err := ch.QueueDeclarePassive("kept", true, false, false, false, nil)
	require.NoError(t, err)
	return queue.Messages
}

// A broker dies with the process that started it, leaves nobody behind, and comes back
// elsewhere with what it had confirmed and the same password.
func TestBrokerEndsWithItsOwnerAndKeepsWhatItConfirmed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "dozor-rabbittemp-") //nolint:usetesting // the folders above a test's own are closed to the broker's user
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	dir := filepath.Join(folder, "broker")

	owner := exec.CommandContext(ctx, os.Args[0])
	owner.Env = append(os.Environ(), ownerDir+"="+dir)
	stdin, err := owner.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscanf(line, "pid %d", &pid)
	require.NoError(t, err, line)
	require.Len(t, processesOf(t, dir), 2, "the broker and the port mapper")
	require.ErrorContains(t, rabbittemp.Remove(dir), "is running")
	require.NoError(t, owner.Process.Kill())
	_ = owner.Wait()

	s, err := rabbittemp.Start(ctx, rabbittemp.Config{Dir: dir})
	require.NoError(t, err)
	require.NotEqual(t, pid, s.PID())
	require.Len(t, processesOf(t, dir), 2, "the first broker is gone")
	for _, name := range []string{"password", "rabbitmq.conf", "home/.erlang.cookie"} {
		info, err := os.Stat(filepath.Join(s.Dir(), name))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is closed to others", name)
	}

	require.NoError(t, s.AddVhost(ctx, "mine"))
	publish(t, s.URL("mine"))
	// The broker confirms a message that it has on disk, but notes a new queue only a moment later.
	noted, err := s.Eval(ctx, "mnesia:sync_log().")
	require.NoError(t, err)
	require.Equal(t, "ok", noted)
	s.Kill()
	require.Zero(t, s.PID())
	require.Empty(t, processesOf(t, dir))
	_, err = amqp.Dial(s.URL("mine"))
	require.Error(t, err)
	require.NoError(t, s.Restart(ctx))
	require.Equal(t, 1, count(t, s.URL("mine")))

	s.Freeze()
	_, err = amqp.DialConfig(s.URL("mine"), amqp.Config{Dial: amqp.DefaultDial(300 * time.Millisecond)})
	require.ErrorContains(t, err, "timeout", "a frozen broker says nothing")
	s.Thaw()
	require.Equal(t, 1, count(t, s.URL("mine")))
	require.NoError(t, s.DeleteVhost(ctx, "mine"))
	_, err = s.Eval(ctx, "no_such:thing().")
	require.ErrorContains(t, err, "undef")

	require.NoError(t, s.Stop(ctx))
	require.NoError(t, s.Stop(ctx), "stopping twice is no error")
	require.Empty(t, processesOf(t, dir))
	require.NoError(t, rabbittemp.Remove(dir))
	require.NoDirExists(t, dir)
}

func TestNothingButABrokerIsRemoved(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, rabbittemp.Remove(dir))
	require.DirExists(t, dir)
}

// processesOf are the living processes that have a broker's folder as their own.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	var names []string
	for _, link := range found {
		if at, err := os.Readlink(link); err != nil || at != dir {
			continue
		}
		if line, err := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline")); err == nil && len(line) > 0 {
			name, _, _ := strings.Cut(string(line), "\x00")
			if base := filepath.Base(name); base == "beam.smp" || base == "epmd" {
				names = append(names, base)
			}
		}
	}
	return names
}
