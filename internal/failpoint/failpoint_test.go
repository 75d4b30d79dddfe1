package failpoint_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/failpoint"
)

// program builds the test program as it is built for failure tests, or as it is
// delivered.
func program(t *testing.T, tags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hits")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-o", path, "./testdata/hits").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// hits runs the program and returns what it printed, stderr included, and its end.
func hits(t *testing.T, path, orders string, names ...string) (string, syscall.WaitStatus) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, names...)
	cmd.Env = append(os.Environ(), failpoint.Variable+"="+orders)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		require.NoError(t, err)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	return out.String(), status
}

func TestAnOrderedPointBreaksTheProgramThere(t *testing.T) {
	path := program(t, "failpoints")
	trace := filepath.Join(t.TempDir(), "trace")

	t.Run("kill at the second hit", func(t *testing.T) {
		out, status := hits(t, path, "a=2:kill", "a", "b", "a", "b")
		require.Equal(t, "passed a\npassed b\n", out)
		require.True(t, status.Signaled())
		require.Equal(t, syscall.SIGKILL, status.Signal())
	})
	t.Run("a program runs once, before the point is passed", func(t *testing.T) {
		out, status := hits(t, path, "a=1:run:cp /dev/null "+trace+" ; b=1:run:rm "+trace, "a", "a", "b", "b")
		require.Equal(t, "passed a\npassed a\npassed b\npassed b\n", out)
		require.Zero(t, status.ExitStatus())
	})
	t.Run("several orders for one point", func(t *testing.T) {
		out, status := hits(t, path, "a=1:run:echo first;a=3:kill", "a", "a", "a")
		require.Equal(t, "first\npassed a\npassed a\n", out)
		require.True(t, status.Signaled())
	})
	t.Run("a program that fails is no quiet pass", func(t *testing.T) {
		out, status := hits(t, path, "a=1:run:false", "a")
		require.Equal(t, failpoint.ExitBroken, status.ExitStatus())
		require.Contains(t, out, "at a: run false")
	})
	t.Run("no orders", func(t *testing.T) {
		out, status := hits(t, path, "", "a")
		require.Equal(t, "passed a\n", out)
		require.Zero(t, status.ExitStatus())
	})
	for _, bad := range []string{"a", "a=1", "a=0:kill", "a=x:kill", "=1:kill", "a=1:sleep", "a=1:run:", "b=1:kill;oops"} {
		t.Run("refused: "+bad, func(t *testing.T) {
			out, status := hits(t, path, bad, "a")
			require.Equal(t, failpoint.ExitBroken, status.ExitStatus(), out)
			require.Contains(t, out, failpoint.Variable)
		})
	}
}

func TestADeliveredBuildObeysNobody(t *testing.T) {
	require.False(t, failpoint.Enabled)
	out, status := hits(t, program(t, ""), "a=1:kill;oops", "a")
	require.Equal(t, "passed a\n", out)
	require.Zero(t, status.ExitStatus())
	require.Zero(t, testing.AllocsPerRun(100, func() { failpoint.Hit(failpoint.WorkerMidWalk) }))
}

func TestPointsAreNamedPackageDotMoment(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range failpoint.Points {
		room, moment, ok := strings.Cut(p, ".")
		require.True(t, ok && room != "" && moment != "" && !seen[p], p)
		seen[p] = true
	}
}
