package pglive_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

func open(t *testing.T) (*system, *pglive.Store, context.Context) {
	t.Helper()
	s := &system{record.New(t, "postgres")}
	log := testkit.Logger(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return s, pglive.New(s.DB.Pool, pg.NewHints(s.DB.Pool, s.DB.Direct, log), log), ctx
}

func TestStateOfUnknownPanelSpoilsNothing(t *testing.T) {
	t.Parallel()
	s, store, ctx := open(t)
	known := s.Panels(t, 1)[0]
	require.NoError(t, store.PutStates(ctx, []live.PanelState{{PanelID: known + 1, Fence: 1}, {PanelID: known, Fence: 1}}))
	states, err := store.States(ctx)
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.Equal(t, known, states[0].PanelID)
}

func TestLapsedLeaseThatNobodyTookIsRenewed(t *testing.T) {
	t.Parallel()
	s, store, ctx := open(t)
	s.Panels(t, 1)
	held, err := store.Acquire(ctx, "a", 1, nil, time.Minute)
	require.NoError(t, err)
	require.Len(t, held, 1)
	s.DB.Exec(t, "UPDATE station_clock SET shift = '1 hour'")
	renewed, err := store.Renew(ctx, "a", held, time.Minute)
	require.NoError(t, err)
	require.Len(t, renewed, 1)
	require.Equal(t, held[0].Fence, renewed[0].Fence)
	free, err := store.Acquire(ctx, "b", 1, nil, time.Minute)
	require.NoError(t, err)
	require.Empty(t, free)
}

func TestFenceIsTheDatabaseClockOrOneMore(t *testing.T) {
	t.Parallel()
	s, store, ctx := open(t)
	s.Panels(t, 1)
	last := int64(0)
	for range 20 {
		before := testkit.One[int64](t, s.DB, "SELECT dozor_now_ms()")
		held, err := store.Acquire(ctx, "a", 1, nil, time.Minute)
		require.NoError(t, err)
		require.Len(t, held, 1)
		require.GreaterOrEqual(t, held[0].Fence, max(before, last+1))
		last = held[0].Fence
		require.NoError(t, store.Release(ctx, "a", held))
	}
	s.DB.Exec(t, "UPDATE station_clock SET shift = '-1 hour'")
	s.DB.Exec(t, "UPDATE leases SET expires_at = dozor_now()")
	held, err := store.Acquire(ctx, "a", 1, nil, time.Minute)
	require.NoError(t, err)
	require.Equal(t, last+1, held[0].Fence, "a clock that goes back gives no fence twice")
}

// A subscriber that is far slower than the relay gets everything, from the outbox.
func TestSlowSubscriberMissesNothing(t *testing.T) {
	t.Parallel()
	s, store, ctx := open(t)
	running, stop := context.WithCancel(ctx)
	defer store.Wait()
	defer stop()
	var mu sync.Mutex
	var positions []int64
	resume := make(chan struct{})
	require.NoError(t, store.Subscribe(running, func(frames []live.Frame) {
		<-resume
		mu.Lock()
		defer mu.Unlock()
		for _, f := range frames {
			positions = append(positions, f.Position)
		}
	}))
	const total = 6000
	for range 6 {
		require.NoError(t, store.Publish(ctx, s.Commit(t, total/6)))
	}
	require.Positive(t, store.Stats().Overflows)
	close(resume)
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(positions) == total
	}, 20*time.Second, 5*time.Millisecond)
	for i, position := range positions {
		require.EqualValues(t, i+1, position)
	}
}

func TestDeliveryEndsWithTheSubscription(t *testing.T) {
	t.Parallel()
	s, store, ctx := open(t)
	running, stop := context.WithCancel(ctx)
	delivered := make(chan int, 10)
	require.NoError(t, store.Subscribe(running, func(frames []live.Frame) { delivered <- len(frames) }))
	require.NoError(t, store.Publish(ctx, s.Commit(t, 2)))
	require.Equal(t, 2, <-delivered)
	stop()
	store.Wait()
	require.NoError(t, store.Publish(ctx, s.Commit(t, 2)))
	require.Empty(t, delivered)
	stats := store.Stats()
	require.EqualValues(t, 2, stats.HandedOver+stats.ReadBack)
}
