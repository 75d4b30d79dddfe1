package tiers_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/testkit"
)

// listener keeps what a subscription delivers.
type listener struct {
	mu        sync.Mutex
	positions []int64
}

func (p process) listen(t testing.TB) *listener {
	t.Helper()
	l := &listener{}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	require.NoError(t, p.store.Subscribe(ctx, func(frames []live.Frame) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, f := range frames {
			l.positions = append(l.positions, f.Position)
		}
	}))
	return l
}

// hears waits until everything up to a position has come, and requires that it came once and
// in order.
func (l *listener) hears(t testing.TB, after, upTo int64) {
	t.Helper()
	heard := func() []int64 {
		l.mu.Lock()
		defer l.mu.Unlock()
		return append([]int64(nil), l.positions...)
	}
	require.Eventually(t, func() bool { return int64(len(heard())) >= upTo-after }, 20*time.Second, time.Millisecond)
	var want []int64
	for p := after + 1; p <= upTo; p++ {
		want = append(want, p)
	}
	require.Equal(t, want, heard())
}

// The relay's process has lost Redis, the listener's has not, so that it looks nowhere by
// itself: PostgreSQL's hint is what it hears.
func TestListenerHearsOfWhatTheRelayCouldNotPublishInRedis(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	relay, api := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	l := api.listen(t)
	require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 6)))
	l.hears(t, 0, 6)

	relay.toRedis.Stall() // not noticed yet
	require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 3)))
	l.hears(t, 0, 9)
	relay.loseRedis(t)
	for range 5 {
		require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 2)))
	}
	l.hears(t, 0, 19)

	relay.findRedis(t)
	require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 2)))
	l.hears(t, 0, 21)
}

// The other way round: the relay publishes in Redis, and tells PostgreSQL nothing.
func TestListenerWithoutRedisMissesNothing(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	relay, api := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	api.loseRedis(t)
	deaf := api.listen(t) // it never heard Redis
	require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 4)))
	deaf.hears(t, 0, 4)

	api.findRedis(t)
	require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 4)))
	deaf.hears(t, 0, 8)
	require.Eventually(t, func() bool { return api.redis.Stats().Listening == 1 }, 20*time.Second, 5*time.Millisecond)
	for range 3 {
		api.toRedis.Stall() // it hangs where it was heard
		require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 2)))
		require.Eventually(t, func() bool { return !api.breaker.Closed() }, 20*time.Second, 5*time.Millisecond)
		require.NoError(t, relay.store.Publish(ctx, s.Commit(t, 2)))
		api.findRedis(t)
	}
	deaf.hears(t, 0, 20)
}

// Whoever resumes is answered by the buffer in Redis where it is whole, else by the outbox.
func TestResumeCrossesTiers(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	p := s.open(t, testkit.Logger(t))
	frames := s.Commit(t, 60)
	require.NoError(t, p.store.Publish(ctx, frames))
	epoch := frames[0].Epoch
	resume := func(after int64) ([]live.Frame, bool) {
		got, complete, err := p.store.Range(ctx, epoch, after, 60, 100)
		require.NoError(t, err)
		return got, complete
	}

	// The outbox has trimmed what the buffer still has.
	s.DB.Exec(t, "DELETE FROM outbox WHERE position <= 20")
	got, complete := resume(0)
	require.True(t, complete)
	require.Equal(t, frames, got)

	// The buffer has a hole, which the outbox has not.
	hole := strconv.Itoa(40)
	require.NoError(t, s.Behind.ZRemRangeByScore(ctx, "ws:events:buffer", hole, hole).Err())
	got, complete = resume(30)
	require.True(t, complete)
	require.Equal(t, frames[30:], got)

	// Neither has it.
	s.DB.Exec(t, "DELETE FROM outbox WHERE position = 50")
	require.NoError(t, s.Behind.ZRemRangeByScore(ctx, "ws:events:buffer", "50", "50").Err())
	got, complete = resume(48)
	require.True(t, !complete || len(got) == 1, "what is missing is not passed over")

	// Without Redis.
	p.loseRedis(t)
	got, complete = resume(50)
	require.True(t, complete)
	require.Equal(t, frames[50:], got)
}
