package ingest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/pgbus"
	"dozor/internal/ingest"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

// openBus makes the PostgreSQL bus with running hints.
func (s *station) openBus(t *testing.T) *pgbus.Bus {
	t.Helper()
	hints := pg.NewHints(s.Pool, s.Direct, testkit.Logger(t))
	background(t, hints.Run)
	return pgbus.New(s.Pool, s.Direct, hints, testkit.Logger(t))
}

// background runs a service until the test ends, or until stop is called, and demands
// that it ends well.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	var done atomic.Bool
	stop = func() {
		if !done.Swap(true) {
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return stop
}

func (s *station) ingestOver(t *testing.T, b bus.Bus, expected ...string) *ingest.Ingest {
	return ingest.New(ingest.Deps{Pool: s.Pool, Logger: testkit.Logger(t, expected...), Metrics: prometheus.NewRegistry(), Buses: []bus.Bus{b}})
}

func (s *station) publish(t *testing.T, b bus.Bus, msgs ...bus.Message) {
	t.Helper()
	for i, o := range b.Publish(context.Background(), msgs) {
		require.Equal(t, bus.Confirmed, o, "message %d", i)
	}
}

func (s *station) requireEvents(t *testing.T, want int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events") == want
	}, 20*time.Second, 20*time.Millisecond)
}

func requireEmpty(t *testing.T, b bus.Bus) {
	t.Helper()
	for _, lane := range bus.Lanes {
		require.Eventually(t, func() bool {
			n, err := b.Depth(context.Background(), lane)
			return err == nil && n == 0
		}, 20*time.Second, 20*time.Millisecond, "lane %s", lane)
	}
}

func TestRunEmptiesBothLanes(t *testing.T) {
	t.Parallel()
	s := newStation(t, 5)
	b := s.openBus(t)
	var msgs []bus.Message
	for i := range 700 {
		g := signal{panel: 1 + i%5, code: codeFire, source: 1 + i%50, at: s.now.Add(time.Duration(i) * time.Millisecond)}
		if i%2 == 1 {
			g.lane = bus.Backfill
		}
		msgs = append(msgs, s.message(t, g))
	}
	poison := bus.Message{Key: bus.Key{9}, Lane: bus.Live, Topic: "satel.event.1", Body: []byte("?")}
	s.publish(t, b, append(msgs, poison)...)
	stop := background(t, s.ingestOver(t, b).Run)
	s.requireEvents(t, 701)
	requireEmpty(t, b)
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters"))

	s.publish(t, b, msgs[:100]...)
	requireEmpty(t, b)
	stop()
	require.Equal(t, 700, testkit.One[int](t, s.Database, "SELECT sum(ring)::int FROM alarms WHERE kind = 'fire'"))
	s.check(t)
}

func TestRunWaitsForADatabaseThatDoesNotTakeEvents(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	b := s.openBus(t)
	s.Exec(t, "ALTER TABLE events RENAME COLUMN kind TO sort")
	background(t, s.ingestOver(t, b, "for a reason that waiting does not mend").Run)
	s.publish(t, b, s.message(t, signal{code: codeFire, source: 30, at: s.now}))
	require.Eventually(t, func() bool {
		return testkit.One[int64](t, s.Database, "SELECT coalesce(sum(xact_rollback), 0)::bigint FROM pg_stat_database WHERE datname = current_database()") > 0
	}, 20*time.Second, 20*time.Millisecond)
	n, err := b.Depth(context.Background(), bus.Live)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "it stays on the bus")
	s.Exec(t, "ALTER TABLE events RENAME COLUMN sort TO kind")
	s.requireEvents(t, 1)
	requireEmpty(t, b)
}

func TestRunFinishesTheBatchInHand(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	b := s.openBus(t)
	inHand, release := make(chan struct{}), make(chan struct{})
	in := ingest.New(ingest.Deps{
		Pool: s.Pool, Logger: testkit.Logger(t), Metrics: prometheus.NewRegistry(), Buses: []bus.Bus{b},
		Hit: func(point string) {
			if point == "ingest.before_commit" {
				close(inHand)
				<-release
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx) }()
	s.publish(t, b, s.message(t, signal{code: codeFire, source: 30, at: s.now}))
	<-inHand
	cancel()
	close(release)
	require.NoError(t, <-ended)
	require.Len(t, s.alarms(t), 1)
	requireEmpty(t, b)
}
