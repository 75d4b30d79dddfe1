package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

// parentDir, when set, makes this process a bench that starts a child there and waits
// to be killed.
const parentDir = "BENCH_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		c, err := startChild("/bin/sleep", "sleep", dir, nil, "600")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(c.pid())
		<-c.done
		os.Exit(0)
	}
	testkit.Main(m)
}

func isRunning(pid int) bool {
	s, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(s), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestAChildDiesWithTheBench(t *testing.T) {
	bench := exec.CommandContext(t.Context(), os.Args[0])
	bench.Env = append(os.Environ(), parentDir+"="+t.TempDir())
	out, err := bench.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, bench.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	require.True(t, isRunning(pid))

	require.NoError(t, bench.Process.Kill())
	require.Error(t, bench.Wait(), "killed")
	require.Eventually(t, func() bool { return !isRunning(pid) }, 10*time.Second, 5*time.Millisecond)
}

func TestAChildThatEndsByItselfIsQuoted(t *testing.T) {
	t.Setenv("DOZOR_ROLES", "cook")
	c, err := startChild("/bin/sh", "shell", t.TempDir(), []string{"WORD=good bye"}, "-c", `echo "$WORD$DOZOR_ROLES"; exit 3`)
	require.NoError(t, err)
	err = until(t.Context(), c, 10*time.Second, "it", func(context.Context) error { return errors.New("not ready") })
	require.ErrorContains(t, err, "shell ended (exit status 3): good bye")
	require.NotContains(t, err.Error(), "cook", "the environment of the bench does not configure its children")
	require.NoError(t, c.stop(t.Context()), "once more is no error")
}

func TestAChildThatIsStoppedIsAskedFirst(t *testing.T) {
	c, err := startChild("/bin/sh", "shell", t.TempDir(), nil, "-c", `trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.01; done`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return lastWords(c.log) == "here" }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, c.ended())
	require.NoError(t, c.stop(t.Context()))
	require.Equal(t, "here | bye", lastWords(c.log))
}

func TestAProgramThatIsNotThereIsNotStarted(t *testing.T) {
	_, err := startChild("/nowhere/dozor", "dozor", t.TempDir(), nil)
	require.ErrorContains(t, err, "start dozor")
}
