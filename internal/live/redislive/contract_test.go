package redislive_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/live/livetest"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	record.Run(t, newPair, func(p *record.Pair) livetest.System { return &system{p} })
}

func newPair(t testing.TB) *record.Pair { return record.NewPair(t, "redis") }

type system struct{ *record.Pair }

// process is one with its own ways.
type process struct {
	store             *redislive.Store
	toRedis, toLedger *faultproxy.Proxy
}

// Process opens a store of its own, with a way of its own to each of the two servers.
func (s *system) Process(t testing.TB) livetest.Process {
	p := s.open(t)
	return livetest.Process{States: p.store, Leases: p.store, Fanout: p.store, Way: &ways{redis: p.toRedis, ledger: p.toLedger}}
}

func (s *system) open(t testing.TB) process {
	t.Helper()
	log := testkit.Logger(t)
	apart := s.Connect(t, log)
	toRedis := faultproxy.New(t, "unix", s.Server.SocketPath())
	store, err := redislive.New(redislive.Config{
		URL: s.Server.SocketURL(toRedis.Addr()), Ledger: pglive.NewLedger(apart.Pool), Log: log,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		store.Wait()
		require.NoError(t, store.Close())
		apart.Close()
	})
	return process{store: store, toRedis: toRedis, toLedger: apart.Way}
}

// ways breaks the way to Redis, to PostgreSQL, or both, in turn.
type ways struct {
	redis, ledger *faultproxy.Proxy
	mu            sync.Mutex
	faults        int
}

func (w *ways) fault(f func(*faultproxy.Proxy)) {
	w.mu.Lock()
	turn := w.faults % 3
	w.faults++
	w.mu.Unlock()
	if turn != 2 {
		f(w.redis)
	}
	if turn != 0 {
		f(w.ledger)
	}
}

func (w *ways) Cut()         { w.fault((*faultproxy.Proxy).Cut) }
func (w *ways) Stall()       { w.fault((*faultproxy.Proxy).Stall) }
func (w *ways) DropAnswers() { w.fault((*faultproxy.Proxy).DropAnswers) }

func (w *ways) Heal() {
	w.redis.Heal()
	w.ledger.Heal()
}

// Forget takes a frame from the buffer: what the record keeps is no affair of Redis.
func (s *system) Forget(t testing.TB, _, position int64) {
	p := strconv.FormatInt(position, 10)
	n, err := s.Behind.ZRemRangeByScore(context.Background(), "ws:events:buffer", p, p).Result()
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
