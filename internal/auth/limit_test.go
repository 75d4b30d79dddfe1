package auth

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheLimiterForgetsByTimeAndIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, time.Minute, 3)
	at := time.Now()
	take := func(key string, after time.Duration) bool { _, ok := l.take(key, at.Add(after)); return ok }
	require.True(t, take("a", 0))
	require.True(t, take("a", time.Second))
	wait, ok := l.take("a", at.Add(20*time.Second))
	require.False(t, ok)
	require.Equal(t, 40*time.Second, wait)
	require.True(t, take("a", time.Minute), "the window is over")

	for i := range 100 {
		require.True(t, take(fmt.Sprint("k", i), time.Minute))
	}
	require.Len(t, l.byKey, 3)
	require.Equal(t, 3, l.oldest.Len())
	l.forget("k99")
	l.forget("nobody")
	require.Len(t, l.byKey, 2)
}

// The work is counted, not the time: a timing test would fail now and then.
func TestAnUnknownLoginCostsWhatAKnownOneCosts(t *testing.T) {
	t.Parallel()
	h := newHasher(Params{MemoryKiB: 64, Passes: 1, Threads: 1})
	p, salt, sum, err := decode(h.decoy)
	require.NoError(t, err)
	require.Equal(t, h.params, p)
	require.Len(t, salt, passwordSaltSize)
	require.Len(t, sum, passwordHashSize)
	ok, _, err := h.verify(context.Background(), "", "anything")
	require.NoError(t, err)
	require.False(t, ok)

	require.NoError(t, h.turns.Acquire(context.Background(), 1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 1024 { // whoever waits in vain is told so, known or not
		if !h.turns.TryAcquire(1) {
			break
		}
	}
	for _, stored := range []string{"", h.decoy} {
		_, _, err = h.verify(ctx, stored, "anything")
		require.ErrorIs(t, err, errBusy)
	}
}
