package tiers_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live/livetest"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/live/tiers"
	"dozor/internal/resilience"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// The contract holds whatever happens on the way to Redis, and on the way to PostgreSQL
// too as far as the port promises anything then.
func TestContract(t *testing.T) {
	t.Parallel()
	record.Run(t, newPair, func(p *record.Pair) livetest.System { return &system{p} })
}

func newPair(t testing.TB) *record.Pair { return record.NewPair(t, "postgres") }

type system struct{ *record.Pair }

// process is one of the station, with a way of its own to each server.
type process struct {
	store           *tiers.Store
	redis           *redislive.Store
	breaker         *resilience.Breaker
	toRedis, toBase *faultproxy.Proxy
}

// Process opens the port as a process does. What breaks is the way to Redis.
func (s *system) Process(t testing.TB) livetest.Process {
	p := s.open(t, testkit.Logger(t))
	return livetest.Process{States: p.store, Leases: p.store, Fanout: p.store, Way: p.toRedis}
}

// canaryAfter lets a breaker close within a test.
const canaryAfter = 500 * time.Millisecond

func (s *system) open(t testing.TB, log *slog.Logger) process {
	t.Helper()
	apart := s.Connect(t, log)
	toRedis := faultproxy.New(t, "unix", s.Server.SocketPath())
	inRedis, err := redislive.New(redislive.Config{URL: s.Server.SocketURL(toRedis.Addr()), Ledger: pglive.NewLedger(apart.Pool), Log: log})
	require.NoError(t, err)
	breaker := resilience.New("redis", log, resilience.WithDelay(canaryAfter))
	store := tiers.New(tiers.Config{
		Postgres: pglive.New(apart.Pool, apart.Hints, log), Hints: apart.Hints, Authority: pglive.NewAuthority(apart.Pool), Redis: inRedis, Breaker: breaker, Reads: true, Log: log,
	})
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- breaker.Run(running, inRedis.Check) }()
	go func() { ended <- store.Keep(running) }()
	t.Cleanup(func() {
		store.Wait()
		stop()
		for range cap(ended) {
			require.NoError(t, <-ended)
		}
		require.NoError(t, inRedis.Close())
		apart.Close()
	})
	return process{store: store, redis: inRedis, breaker: breaker, toRedis: toRedis, toBase: apart.Way}
}

// Forget takes a frame from both tiers.
func (s *system) Forget(t testing.TB, epoch, position int64) {
	s.Record.Forget(t, epoch, position)
	p := strconv.FormatInt(position, 10)
	require.NoError(t, s.Behind.ZRemRangeByScore(context.Background(), "ws:events:buffer", p, p).Err())
}
