package child_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/child"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func account(t *testing.T) child.Account {
	t.Helper()
	run, err := child.Unprivileged("nobody")
	require.NoError(t, err)
	return run
}

func TestPlaceIsTheAccountsOwn(t *testing.T) {
	t.Parallel()
	run := account(t)
	dir, err := run.MakePlace(filepath.Join(t.TempDir(), "server"), "kind")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	again, err := run.MakePlace(dir, "kind")
	require.NoError(t, err, "one that exists is taken over")
	require.Equal(t, dir, again)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	cmd := exec.Command("touch", filepath.Join(dir, "file"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: run.Credential()}
	require.NoError(t, cmd.Run(), "the account reaches its place")
}

func TestSocketsPathFits(t *testing.T) {
	t.Parallel()
	run := account(t)
	short, err := run.SocketDir("/srv/server", "a.sock")
	require.NoError(t, err)
	require.Equal(t, "/srv/server/socket", short)
	long := "/srv/" + strings.Repeat("a-long-name/", 10)
	replaced, err := run.SocketDir(long, "a.sock")
	require.NoError(t, err)
	require.Less(t, len(replaced), 60)
	same, err := run.SocketDir(long, "a.sock")
	require.NoError(t, err)
	require.Equal(t, replaced, same)
}

func TestProcessEndsWhenTold(t *testing.T) {
	t.Parallel()
	p, err := child.Start(exec.Command("cat", "/dev/zero"), account(t), syscall.SIGKILL)
	require.NoError(t, err)
	require.False(t, p.Ended())
	require.Positive(t, p.PID())
	require.Empty(t, p.Outcome())
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	require.True(t, p.Ended())
	require.Equal(t, "signal: terminated", p.Outcome())
	p.Signal(syscall.SIGTERM)

	_, err = child.Start(exec.Command("/nonexistent"), account(t), syscall.SIGKILL)
	require.Error(t, err)
}
