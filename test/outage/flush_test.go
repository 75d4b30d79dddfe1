package outage

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// whole is when Redis has everything again after it was emptied.
const whole = 3 * time.Second

// Redis is emptied in the middle of it all: nobody notices, and it is whole again soon.
func TestRedisIsEmptied(t *testing.T) {
	t.Parallel()
	const panels = 12
	h := open(t, 2, station.Options{Panels: panels, Redis: true})
	options, err := redis.ParseURL(h.Redis.URL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	ctx := context.Background()
	h.Eventually(20*time.Second, "Redis grants leases", "SELECT store = 'redis' FROM lease_authority")

	missing := func() string {
		last := station.One[int64](h.Station, "SELECT last FROM stream_head")
		if n := client.ZCount(ctx, "ws:events:buffer", "1", strconv.FormatInt(last, 10)).Val(); n < last {
			return fmt.Sprintf("the buffer has %d frames of %d", n, last)
		}
		for _, p := range h.Panels {
			keys := []string{fmt.Sprintf("lease:panel:%d", p.ID)}
			for _, part := range []string{"session", "zones", "partitions", "outputs", "troubles"} {
				keys = append(keys, fmt.Sprintf("panel:%d:%s", p.ID, part))
			}
			if n := client.Exists(ctx, keys...).Val(); int(n) < len(keys) {
				return fmt.Sprintf("of panel %d there are %d keys of %d", p.ID, n, len(keys))
			}
		}
		return ""
	}
	require.Eventually(t, func() bool { return missing() == "" }, 20*time.Second, 20*time.Millisecond)
	for range 3 {
		h.Sim.Act(1, "burst?kind=mixed&events=100")
		h.holdUps("before Redis is emptied", after(2*rest))
		require.NoError(t, client.FlushAll(ctx).Err())
		emptied := time.Now()
		h.holdUps("Redis is emptied", func() bool {
			lacks := missing()
			require.True(t, lacks == "" || time.Since(emptied) < whole, "%v after Redis was emptied %s", time.Since(emptied), lacks)
			return lacks == ""
		})
		t.Logf("whole again after %v at the latest", time.Since(emptied).Round(time.Millisecond))
		h.Connected(time.Second)
	}
	h.unnoticed()
	h.compare()
}
