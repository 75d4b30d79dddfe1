package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/lifecycle"
	"dozor/internal/lifecycle/lifecycletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// diary notes what happened in which order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// lasting is a service that takes takes to end once it was told.
func (d *diary) lasting(name string, takes time.Duration) lifecycle.Service {
	return lifecycle.Service{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		<-time.After(takes)
		d.note(name)
		return ctx.Err()
	}}
}

func TestStagesEndInReverseEachAfterTheOneThatNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		g := lifecycle.NewGroup(quiet, lifecycle.Options{})
		g.Add(d.lasting("pool", 0))
		g.Add(d.lasting("relay", 3*time.Second), d.lasting("ingest", time.Second))
		g.Add(d.lasting("http", 5*time.Second))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		began := time.Now()
		require.NoError(t, g.Run(ctx))
		require.Equal(t, []string{"http", "ingest", "relay", "pool"}, d.read())
		require.Equal(t, time.Hour+8*time.Second, time.Since(began))
	})
}

func TestAHangingStageIsNamedAndTakesNobodysTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		g := lifecycle.NewGroup(quiet, lifecycle.Options{Drain: 20 * time.Second})
		g.Add(d.lasting("leases", 4*time.Second))
		g.Add(lifecycle.Service{Name: "stuck", Run: func(context.Context) error { <-release; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		err := g.Run(ctx)
		require.ErrorContains(t, err, "stuck did not end in time")
		require.NotContains(t, err.Error(), "leases")
		require.Equal(t, []string{"leases"}, d.read())
		require.LessOrEqual(t, time.Since(began), 20*time.Second)
		close(release)
	})
}

func TestAFailingServiceIsStartedAgainWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		var restarts atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		g := lifecycle.NewGroup(quiet, lifecycle.Options{Restarted: func(name string) {
			require.Equal(t, "flaky", name)
			restarts.Add(1)
		}})
		g.Add(lifecycle.Service{Name: "flaky", Run: func(context.Context) error {
			starts = append(starts, time.Now())
			switch len(starts) {
			case 3:
				panic("out of its mind")
			case 12:
				cancel()
				return nil
			}
			return errors.New("no database")
		}})
		require.NoError(t, g.Run(ctx))
		require.Len(t, starts, 12)
		require.EqualValues(t, 11, restarts.Load())
		require.Less(t, starts[1].Sub(starts[0]), 101*time.Millisecond)
		last := starts[11].Sub(starts[10])
		require.GreaterOrEqual(t, last, 7500*time.Millisecond)
		require.LessOrEqual(t, last, 15*time.Second)
	})
}

func TestAServiceThatRanLongBeginsAgainWithAShortPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed, started []time.Time
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		g := lifecycle.NewGroup(quiet, lifecycle.Options{})
		g.Add(lifecycle.Service{Name: "daily", Run: func(context.Context) error {
			started = append(started, time.Now())
			if len(started) == 6 {
				cancel()
				return nil
			}
			<-time.After(24 * time.Hour)
			failed = append(failed, time.Now())
			return errors.New("gone")
		}})
		require.NoError(t, g.Run(ctx))
		require.LessOrEqual(t, started[5].Sub(failed[4]), 100*time.Millisecond)
	})
}

func TestAServiceThatIsDoneIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		g := lifecycle.NewGroup(quiet, lifecycle.Options{})
		g.Add(lifecycle.Service{Name: "once", Run: func(context.Context) error { runs.Add(1); return nil }})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.NoError(t, g.Run(ctx))
		require.EqualValues(t, 1, runs.Load())
	})
}

func TestAnEssentialServiceEndsTheGroup(t *testing.T) {
	boom := errors.New("port taken")
	for name, c := range map[string]struct {
		run  func(context.Context) error
		want string
	}{
		"by an error": {func(context.Context) error { return boom }, "http: port taken"},
		"by a panic":  {func(context.Context) error { panic("nil map") }, "http: panic: nil map"},
		"by itself":   {func(context.Context) error { return nil }, "http: ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			var d diary
			g := lifecycle.NewGroup(quiet, lifecycle.Options{})
			g.Add(d.lasting("pool", 0))
			g.Add(lifecycle.Service{Name: "http", Essential: true, Run: c.run})
			require.EqualError(t, g.Run(t.Context()), c.want)
			require.Equal(t, []string{"pool"}, d.read())
		})
	}
}

func TestAGroupRunsOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := lifecycle.NewGroup(quiet, lifecycle.Options{})
	require.NoError(t, g.Run(ctx))
	require.Error(t, g.Run(ctx))
}

func TestAGroupIsAServiceItself(t *testing.T) {
	lifecycletest.Stress(t, func(*testing.T) func(context.Context) error {
		var d diary
		g := lifecycle.NewGroup(quiet, lifecycle.Options{FirstPause: time.Microsecond})
		for range 4 {
			g.Add(d.lasting("a", 0), d.lasting("a", 0), lifecycle.Service{
				Name: "failing",
				Run:  func(context.Context) error { return errors.New("again") },
			})
		}
		return g.Run
	}, 20*time.Millisecond)
}

func TestGuardKeepsWhatTheFunctionReturns(t *testing.T) {
	want := errors.New("as it is")
	require.Equal(t, want, lifecycle.Guard(func(context.Context) error { return want })(t.Context()))
	err := lifecycle.Guard(func(context.Context) error { panic("loud") })(t.Context())
	p, ok := errors.AsType[*lifecycle.PanicError](err)
	require.True(t, ok)
	require.Contains(t, string(p.Stack), "group_test.go")
}

func TestTheFirstSignalDrainsTheSecondLeaves(t *testing.T) {
	left := make(chan int, 1)
	ctx, stop := lifecycle.UntilSignal(t.Context(), func(code int) { left <- code })
	defer stop()
	require.NoError(t, ctx.Err())
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), lifecycle.InterruptedError{Signal: syscall.SIGTERM})
	require.Empty(t, left)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	require.Equal(t, 130, <-left)
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	for n := 1; n < 100; n++ {
		p := lifecycle.Backoff(n, time.Millisecond, time.Second)
		require.GreaterOrEqual(t, p, 500*time.Microsecond, n)
		require.LessOrEqual(t, p, time.Second, n)
	}
}
