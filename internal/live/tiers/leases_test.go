package tiers_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/live/tiers"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

const (
	ttl = 10 * time.Second
	// moveWait is more than a move of the right to grant waits, quiet more than nobody
	// may have complained before it returns.
	moveWait = ttl + 4*time.Second
	quiet    = 61 * time.Second
)

func alone(t *testing.T) (*system, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return &system{newPair(t)}, ctx
}

// pass lets time pass for the database.
func (s *system) pass(t testing.TB, d time.Duration) {
	s.DB.Exec(t, "UPDATE station_clock SET shift = shift + $1::interval", d)
}

func (s *system) mandate(t testing.TB) (store string, epoch int64) {
	return testkit.One[string](t, s.DB, "SELECT store FROM lease_authority"), testkit.One[int64](t, s.DB, "SELECT epoch FROM lease_authority")
}

// loseRedis takes Redis away from one process, until it has put it aside.
func (p process) loseRedis(t testing.TB) {
	t.Helper()
	p.toRedis.Cut()
	require.Eventually(t, func() bool { return !p.breaker.Closed() }, 20*time.Second, 5*time.Millisecond)
}

// findRedis gives it back.
func (p process) findRedis(t testing.TB) {
	t.Helper()
	p.toRedis.Heal()
	require.Eventually(t, p.breaker.Closed, 20*time.Second, 5*time.Millisecond)
}

func (p process) acquire(ctx context.Context, t testing.TB, holder string, most int, except ...ids.PanelID) []live.Lease {
	t.Helper()
	leases, err := p.store.Acquire(ctx, holder, most, except, ttl)
	require.NoError(t, err)
	return leases
}

// keeps renews leases, of which all must still be held.
func (p process) keeps(ctx context.Context, t testing.TB, holder string, held []live.Lease) {
	t.Helper()
	renewed, err := p.store.Renew(ctx, holder, held, ttl)
	require.NoError(t, err)
	require.Len(t, renewed, len(held))
	fences := map[ids.PanelID]int64{}
	for _, l := range renewed {
		fences[l.PanelID] = l.Fence
	}
	for _, l := range held {
		require.Equal(t, l.Fence, fences[l.PanelID])
	}
}

func TestMandateMovesAndReturns(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	a, b := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	s.Panels(t, 2)
	first := a.acquire(ctx, t, "a", 1)
	require.Len(t, first, 1, "where nobody holds anything there is nothing to wait for")
	store, began := s.mandate(t)
	require.Equal(t, "redis", store)

	b.loseRedis(t)
	require.Empty(t, b.acquire(ctx, t, "b", 5), "after a move nothing is granted for a while")
	store, moved := s.mandate(t)
	require.Equal(t, "postgres", store)
	require.Equal(t, began+1, moved)
	a.keeps(ctx, t, "a", first)
	require.Empty(t, a.acquire(ctx, t, "a", 5), "to nobody")

	s.pass(t, moveWait)
	a.keeps(ctx, t, "a", first)
	second := b.acquire(ctx, t, "b", 5)
	require.Len(t, second, 1, "what nobody holds")
	require.NotEqual(t, first[0].PanelID, second[0].PanelID)

	// Two processes that disagree move nothing to and fro.
	for range 5 {
		a.keeps(ctx, t, "a", first)
		b.keeps(ctx, t, "b", second)
		s.pass(t, quiet/10)
	}
	store, epoch := s.mandate(t)
	require.Equal(t, "postgres", store)
	require.Equal(t, moved, epoch)

	b.findRedis(t)
	a.keeps(ctx, t, "a", first)
	b.keeps(ctx, t, "b", second)
	store, _ = s.mandate(t)
	require.Equal(t, "postgres", store, "a complaint of just now counts")
	s.pass(t, quiet)
	a.keeps(ctx, t, "a", first)
	store, epoch = s.mandate(t)
	require.Equal(t, "redis", store, "nobody has complained for a minute")
	require.Equal(t, moved+1, epoch)
	b.keeps(ctx, t, "b", second)
	for _, l := range append(first, second...) {
		n, err := s.Behind.Exists(ctx, leaseKey(l.PanelID)).Result()
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "holders have put their leases there")
	}

	s.Panels(t, 1)
	require.Empty(t, a.acquire(ctx, t, "a", 5))
	s.pass(t, moveWait)
	a.keeps(ctx, t, "a", first)
	b.keeps(ctx, t, "b", second)
	require.Len(t, a.acquire(ctx, t, "a", 5), 1, "the new panel and no other")
}

// What a holder gives back while the right to grant moves would else be watched by nobody until the wait is over.
func TestPanelGivenBackIsGrantedAtOnceAfterAMove(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	a, b := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	s.Panels(t, 3)
	held := a.acquire(ctx, t, "a", 3)
	require.Len(t, held, 3)
	require.NoError(t, a.store.Release(ctx, "a", held[:1]))
	b.loseRedis(t)
	first := b.acquire(ctx, t, "b", 5)
	store, _ := s.mandate(t)
	require.Equal(t, "postgres", store)
	require.Len(t, first, 1, "given back before the move")
	require.Equal(t, held[0].PanelID, first[0].PanelID)
	require.Greater(t, first[0].Fence, held[0].Fence)
	a.keeps(ctx, t, "a", held[1:])
	require.NoError(t, a.store.Release(ctx, "a", held[1:2]))
	second := b.acquire(ctx, t, "b", 5)
	require.Len(t, second, 1, "given back after it, and not what is held")
	require.Equal(t, held[1].PanelID, second[0].PanelID)

	b.findRedis(t)
	s.pass(t, quiet)
	a.keeps(ctx, t, "a", held[2:])
	store, _ = s.mandate(t)
	require.Equal(t, "redis", store)
	require.NoError(t, b.store.Release(ctx, "b", second))
	s.Panels(t, 1) // has never been held, and waits
	back := a.acquire(ctx, t, "a", 1)
	require.Len(t, back, 1, "the same on the way back")
	require.Equal(t, second[0].PanelID, back[0].PanelID)
	require.Greater(t, back[0].Fence, second[0].Fence)
}

// While PostgreSQL can't be asked holders renew in Redis alone, and their rows grow old. Whoever
// then moves the right to grant to PostgreSQL must not take these for the truth.
func TestHolderWhoseRowIsOldIsNotRobbedByAMove(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	a, b := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	s.Panels(t, 1)
	held := a.acquire(ctx, t, "a", 1)
	require.Len(t, held, 1)
	a.toBase.Cut()
	a.keeps(ctx, t, "a", held)
	s.pass(t, 10*ttl) // as far as the rows know, nobody has renewed for long
	a.keeps(ctx, t, "a", held)

	b.loseRedis(t)
	require.Empty(t, b.acquire(ctx, t, "b", 1), "it is held")
	a.toBase.Heal()
	require.Eventually(t, func() bool {
		renewed, err := a.store.Renew(ctx, "a", held, ttl)
		return err == nil && len(renewed) == 1
	}, 20*time.Second, 10*time.Millisecond)
	s.pass(t, moveWait)
	a.keeps(ctx, t, "a", held)
	require.Empty(t, b.acquire(ctx, t, "b", 1))
}

// A process that was never told of Redis is one that can't use it.
func TestProcessWithoutRedisTakesTheMandate(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	a := s.open(t, testkit.Logger(t))
	s.Panels(t, 2)
	held := a.acquire(ctx, t, "a", 1)
	require.Len(t, held, 1)

	log := testkit.Logger(t)
	hints := pg.NewHints(s.DB.Pool, s.DB.Direct, log)
	plain := process{store: tiers.New(tiers.Config{
		Postgres: pglive.New(s.DB.Pool, hints, log), Hints: hints, Authority: pglive.NewAuthority(s.DB.Pool), Log: log,
	})}
	require.Empty(t, plain.acquire(ctx, t, "plain", 5))
	store, _ := s.mandate(t)
	require.Equal(t, "postgres", store)
	a.keeps(ctx, t, "a", held)
	store, _ = s.mandate(t)
	require.Equal(t, "postgres", store, "its word counts as a complaint")
	s.pass(t, moveWait)
	a.keeps(ctx, t, "a", held)
	free := plain.acquire(ctx, t, "plain", 5)
	require.Len(t, free, 1)
	require.NotEqual(t, held[0].PanelID, free[0].PanelID)
}

// A worker dies, and Redis with it: its panel goes to another, once.
func TestPanelOfADeadHolderIsGrantedAfterAMove(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	dead, other := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	s.Panels(t, 1)
	held := dead.acquire(ctx, t, "dead", 1)
	require.Len(t, held, 1)
	other.loseRedis(t)
	require.Empty(t, other.acquire(ctx, t, "other", 1))
	// The row says until when it was last known of: at most two times to live.
	s.pass(t, 2*ttl+moveWait)
	taken := other.acquire(ctx, t, "other", 1)
	require.Len(t, taken, 1)
	require.Greater(t, taken[0].Fence, held[0].Fence)
	// It was only frozen, and can even use Redis: it is told that it lost.
	renewed, err := dead.store.Renew(ctx, "dead", held, ttl)
	require.NoError(t, err)
	require.Empty(t, renewed)
}
