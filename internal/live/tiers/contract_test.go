package tiers_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"dozor/internal/live/livetest"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/live/tiers"
	"dozor/internal/redistemp"
	"dozor/internal/resilience"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// The contract holds whatever happens on the way to Redis, and on the way to PostgreSQL
// too as far as the port promises anything then.
func TestContract(t *testing.T) {
	t.Parallel()
	free := make(chan servers, 3)
	for range cap(free) {
		free <- newServers(t)
	}
	livetest.Run(t, func(t testing.TB) livetest.System {
		with := <-free
		t.Cleanup(func() {
			with.empty(t)
			free <- with
		})
		return newSystem(t, with)
	})
}

type servers struct {
	*record.Record
	redis *redistemp.Server
}

func newServers(t testing.TB) servers {
	return servers{record.New(t, "postgres"), testkit.Redis(t, redistemp.Config{})}
}

// empty makes them as good as new.
func (s servers) empty(t testing.TB) {
	s.Empty(t)
	client := connect(t, s.redis)
	defer client.Close()
	require.NoError(t, client.FlushAll(context.Background()).Err())
}

// connect reaches a Redis directly, to look behind the port.
func connect(t testing.TB, server *redistemp.Server) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL())
	require.NoError(t, err)
	return redis.NewClient(options)
}

type system struct {
	servers
	client *redis.Client
}

func newSystem(t testing.TB, with servers) *system {
	s := &system{servers: with, client: connect(t, with.redis)}
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

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
	toRedis := faultproxy.New(t, "unix", s.servers.redis.SocketPath())
	inRedis, err := redislive.New(redislive.Config{URL: s.servers.redis.SocketURL(toRedis.Addr()), Ledger: pglive.NewLedger(apart.Pool), Log: log})
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
	require.NoError(t, s.client.ZRemRangeByScore(context.Background(), "ws:events:buffer", p, p).Err())
}
