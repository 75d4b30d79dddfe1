package station

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/pgtemp"
)

// shared is what all tests of a process use, made by the first that asks.
var shared struct {
	binary   onceValue[string]
	postgres onceValue[*pgtemp.Server]

	mu    sync.Mutex
	dir   string
	plain bool
}

// onceValue is made once; whoever asks while it is made waits.
type onceValue[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (o *onceValue[T]) get(t testing.TB, makeIt func() (T, error)) T {
	t.Helper()
	o.once.Do(func() { o.value, o.err = makeIt() })
	require.NoError(t, o.err)
	return o.value
}

func sharedDir() (string, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.dir != "" {
		return shared.dir, nil
	}
	dir, err := os.MkdirTemp("", "dozor-station-")
	if err != nil {
		return "", err
	}
	shared.dir = dir
	return dir, os.Chmod(dir, 0o755) // PostgreSQL runs as somebody else when the tests run as root
}

const buildTimeout = 5 * time.Minute

// Binary builds dozor with failpoints and, unless the package measures times, with the race detector.
func Binary(t testing.TB) string {
	t.Helper()
	return shared.binary.get(t, func() (string, error) {
		dir, err := sharedDir()
		if err != nil {
			return "", err
		}
		ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
		defer cancel()
		path := filepath.Join(dir, "dozor")
		args := []string{"build", "-tags", "failpoints", "-o", path}
		if !shared.plain {
			args = append(args, "-race")
		}
		out, err := exec.CommandContext(ctx, "go", append(args, "dozor/cmd/dozor")...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build dozor: %w: %s", err, out)
		}
		return path, nil
	})
}

// sharedPostgres is a cluster for stations that leave it alone; each has a database of its own.
func sharedPostgres(t testing.TB) *pgtemp.Server {
	t.Helper()
	return shared.postgres.get(t, func() (*pgtemp.Server, error) {
		dir, err := sharedDir()
		if err != nil {
			return nil, err
		}
		return startPostgres(filepath.Join(dir, "postgres"))
	})
}

// startPostgres starts a cluster that keeps what it has confirmed: no short cuts.
func startPostgres(dir string) (*pgtemp.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return pgtemp.Start(ctx, pgtemp.Config{Dir: dir, Settings: map[string]string{"max_connections": "400"}})
}

// parallel is how many tests run at once unless the command line says otherwise: they wait for panels, leases and deadlines
// most of the time, so that a core has room for more than one.
var parallel = "3"

// MainTimed is Main for tests that measure how long people wait: dozor is built without the race detector, which makes it
// several times slower than what people have, and has room for one more test at once.
func MainTimed(m *testing.M) {
	shared.plain, parallel = true, "4"
	Main(m)
}

// Main runs a package's tests, removes what they shared, and looks for goroutines that nobody ended.
func Main(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", parallel); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if shared.postgres.value != nil {
		err = shared.postgres.value.Stop(ctx)
	}
	if shared.dir != "" {
		err = errors.Join(err, os.RemoveAll(shared.dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "station:", err)
		code = max(code, 1)
	}
	if code == 0 {
		// pgxpool's health check ends a moment after its pool was closed.
		if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck")); err != nil {
			fmt.Fprintln(os.Stderr, "station: goroutines left:", err)
			code = 1
		}
	}
	os.Exit(code)
}
