package outage

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// breakerTime is how long it takes at most until a part that is back is used again: a breaker's 30 s, the look for it, the
// canary, and the time until everybody has said so.
const breakerTime = 45 * time.Second

// A part that is dead says so at once.
func TestAlarmsArriveWithoutRabbitMQAndRedis(t *testing.T) {
	t.Parallel()
	outages(t, func(h *house, rabbit, redis bool) (back func()) {
		ctx := context.Background()
		if rabbit {
			h.Rabbit.Kill()
		}
		if redis {
			require.NoError(t, h.Redis.Kill(ctx))
		}
		return func() {
			if redis {
				require.NoError(t, h.Redis.Restart(ctx))
			}
			if rabbit {
				require.NoError(t, h.Rabbit.Restart(ctx))
			}
		}
	})
}

// A part that hangs says nothing, and keeps what it was given.
func TestAlarmsArriveWhileRabbitMQAndRedisHang(t *testing.T) {
	t.Parallel()
	outages(t, func(h *house, rabbit, redis bool) (back func()) {
		if rabbit {
			h.Rabbit.Freeze()
		}
		if redis {
			h.Redis.Freeze()
		}
		return func() {
			if redis {
				h.Redis.Thaw()
			}
			if rabbit {
				h.Rabbit.Thaw()
			}
		}
	})
}

// outages takes RabbitMQ, Redis, and both away, while hold-ups are pressed before, meanwhile and after. What comes back is
// waited for only before it goes again.
func outages(t *testing.T, take func(h *house, rabbit, redis bool) (back func())) {
	h := open(t, 1, station.Options{Panels: 6, Rabbit: true, Redis: true})
	lasts := seconds(t, "DOZOR_OUTAGE", 10*time.Second)
	for _, outage := range []struct {
		name          string
		rabbit, redis bool
	}{{"RabbitMQ", true, false}, {"Redis", false, true}, {"RabbitMQ and Redis", true, true}} {
		h.inUse(lasts, outage.rabbit, outage.redis)
		back := take(h, outage.rabbit, outage.redis)
		h.holdUps("without "+outage.name, after(lasts))
		for part, gone := range map[string]bool{"rabbitmq": outage.rabbit, "redis": outage.redis} {
			if gone {
				require.True(t, h.allSee(part, "down", "aside"), "everybody says that %s is gone", part)
			}
		}
		for _, i := range h.all {
			require.True(t, i.IsReady(), "%s is ready without", i.Name())
		}
		if outage.redis {
			require.Equal(t, "postgres", station.One[string](h.Station, "SELECT store FROM lease_authority"), "the right to grant has moved")
			h.Connected(time.Second)
		}
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			back()
		}()
		h.holdUps(outage.name+" returns", func() bool {
			select {
			case <-returned:
				return true
			default:
				return false
			}
		})
	}
	h.inUse(lasts, true, true)
	h.holdUps("after all", after(3*rest))
	h.unnoticed()
	h.compare()
}

// inUse waits, while hold-ups are pressed, until every process uses RabbitMQ or Redis or both again.
func (h *house) inUse(lasted time.Duration, rabbit, redis bool) {
	h.T.Helper()
	h.holdUps("on the way back", h.once("everybody uses it again", lasted+breakerTime, func() bool {
		return (!rabbit || h.allSee("rabbitmq", "")) && (!redis || h.allSee("redis", ""))
	}))
	if !redis {
		return
	}
	const granting = "SELECT store = 'redis' FROM lease_authority"
	if !h.Is(granting) {
		// A minute without a complaint, which a run of this test has no time for.
		h.Exec("UPDATE lease_authority SET complained_at = complained_at - interval '1 minute'")
	}
	h.holdUps("Redis grants again", h.once("the right to grant returns", 20*time.Second, func() bool { return h.Is(granting) }))
	h.Connected(time.Second)
}

// While both hang, and nobody has noticed yet, dozor ends as it is told to and begins anew: hung servers hold up neither.
func TestDozorEndsAndBeginsWhileRabbitMQAndRedisHang(t *testing.T) {
	t.Parallel()
	const panels = 3
	h := open(t, 0, station.Options{Panels: panels, Rabbit: true, Redis: true})
	i := h.Instance("dozor", station.AllRoles)
	h.all = append(h.all, i)
	i.Start("")
	h.ready()
	h.desks = append(h.desks, h.Desk(i))
	h.screens = append(h.screens, h.desks[0].Screen())
	h.AddPanels(panels)
	h.Connected(time.Minute)
	h.holdUps("before both hang", after(3*rest))
	for range 2 {
		h.Rabbit.Freeze()
		h.Redis.Freeze()
		i.Signal(syscall.SIGTERM)
		code, signal := i.WaitEnd(10 * time.Second)
		require.Zero(t, signal)
		require.Zero(t, code)
		i.Start("")
		i.Ready(10 * time.Second)
		h.Connected(15 * time.Second)
		h.holdUps("begun while both hang", after(5*rest))
		h.Redis.Thaw()
		h.Rabbit.Thaw()
		h.holdUps("both go on", after(5*rest))
	}
	h.compare()
}
