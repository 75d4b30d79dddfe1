package tiers_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/testkit"
)

// soon is when Redis is whole again after it has lost something.
const soon = 3 * time.Second

func leaseKey(panel ids.PanelID) string { return "lease:panel:" + strconv.FormatInt(int64(panel), 10) }

// inRedis is how new Redis's value of a panel is; 0 when it has none.
func (s *system) inRedis(t testing.TB, panel ids.PanelID) int64 {
	t.Helper()
	text, _ := s.Behind.HGet(context.Background(), "panel:"+strconv.FormatInt(int64(panel), 10)+":zones", "seq").Result()
	seq, err := strconv.ParseInt("0"+text, 10, 64)
	require.NoError(t, err)
	return seq
}

func TestOlderValueInRedisIsReadFromPostgreSQLAndPutRight(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	reader, writer := s.open(t, testkit.Logger(t)), s.open(t, testkit.Logger(t))
	panel := s.Panels(t, 1)[0]
	put := func(seq int64) {
		require.NoError(t, writer.store.PutStates(ctx, []live.PanelState{{PanelID: panel, Fence: 1, Seq: seq, Link: live.LinkUp}}))
	}
	newest := func(of ...ids.PanelID) int64 {
		states, err := reader.store.States(ctx, of...)
		require.NoError(t, err)
		require.Len(t, states, 1)
		return states[0].Seq
	}
	put(1)
	require.EqualValues(t, 1, s.inRedis(t, panel))

	// Whoever writes has lost Redis, whoever reads has not.
	writer.loseRedis(t)
	put(2)
	require.EqualValues(t, 2, testkit.One[int64](t, s.DB, "SELECT seq FROM panel_states"))
	require.Eventually(t, func() bool { return newest() == 2 && newest(panel) == 2 }, soon, time.Millisecond)
	require.Eventually(t, func() bool { return s.inRedis(t, panel) == 2 }, soon, time.Millisecond)
	require.EqualValues(t, 2, newest(), "once seen it does not go back")

	// What Redis has is read there: PostgreSQL is not needed for it.
	require.Eventually(t, func() bool {
		reader.toBase.Cut()
		defer reader.toBase.Heal()
		states, err := reader.store.States(ctx, panel)
		return err == nil && len(states) == 1 && states[0].Seq == 2
	}, 20*time.Second, 300*time.Millisecond)
}

func TestEmptiedRedisIsWholeAgainSoon(t *testing.T) {
	t.Parallel()
	s, ctx := alone(t)
	p := s.open(t, testkit.Logger(t))
	panels := s.Panels(t, 40)
	var states []live.PanelState
	for i, panel := range panels {
		states = append(states, live.PanelState{PanelID: panel, Fence: 1, Seq: int64(i) + 1, Link: live.LinkUp, ZonesViolated: []int{1, i + 2}})
	}
	require.NoError(t, p.store.PutStates(ctx, states))
	held := p.acquire(ctx, t, "a", len(panels))
	require.Len(t, held, len(panels))
	frames := s.Commit(t, 1300)
	require.NoError(t, p.store.Publish(ctx, frames))
	epoch, last := frames[0].Epoch, frames[len(frames)-1].Position
	whole := func() bool {
		n, err := p.redis.Buffered(ctx, epoch, 0, last)
		if err != nil || n != last {
			return false
		}
		for i, panel := range panels {
			if s.inRedis(t, panel) != int64(i)+1 {
				return false
			}
		}
		return true
	}
	require.Eventually(t, whole, soon, 5*time.Millisecond)
	// Long enough in use that Redis is read.
	require.Eventually(t, func() bool {
		got, err := p.store.States(ctx)
		return err == nil && len(got) == len(panels)
	}, soon, 5*time.Millisecond)

	for range 2 {
		select {
		case <-p.store.Shaken():
		default:
		}
		emptied := time.Now()
		require.NoError(t, s.Behind.FlushAll(ctx).Err())
		for time.Since(emptied) < time.Second {
			got, err := p.store.States(ctx)
			require.NoError(t, err)
			require.Len(t, got, len(panels), "no panel is missing %v after", time.Since(emptied))
			part, complete, err := p.store.Range(ctx, epoch, 100, 200, 500)
			require.NoError(t, err)
			require.True(t, complete)
			require.Len(t, part, 100)
		}
		select {
		case <-p.store.Shaken():
		case <-time.After(soon):
			require.Fail(t, "holders are not told to renew")
		}
		p.keeps(ctx, t, "a", held)
		for _, l := range held {
			n, err := s.Behind.Exists(ctx, leaseKey(l.PanelID)).Result()
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}
		require.Eventually(t, whole, soon-time.Since(emptied), 5*time.Millisecond)
	}
}
