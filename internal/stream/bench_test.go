package stream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/wire"
)

// BenchmarkHubDeliver measures from the fan-out's delivery to every subscription having
// its message; one operation is one frame to all of them. Frames come alone, as single
// alarms do, or 500 at once, as in a burst.
func BenchmarkHubDeliver(b *testing.B) {
	for _, subscriptions := range []int{20, 1000} {
		for _, together := range []int{1, 500} {
			b.Run(fmt.Sprintf("%d subscriptions/%d together", subscriptions, together), func(b *testing.B) {
				benchDeliver(b, subscriptions, together)
			})
		}
	}
}

func benchDeliver(b *testing.B, subscriptions, together int) {
	s := newStation(b)
	var deliver func([]live.Frame)
	ready := make(chan struct{})
	h := s.hub(func(f live.Fanout) live.Fanout {
		return tapped{deaf{f}, func(d func([]live.Frame)) { deliver = d; close(ready) }}
	})
	<-ready
	require.Eventually(b, h.Ready, 10*time.Second, time.Millisecond)
	epoch := s.head().Epoch
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	defer func() { cancel(); clients.Wait() }()
	arrived := make(chan struct{}, subscriptions)
	for range subscriptions {
		sub, err := h.Attach(ctx, everyone(), at(epoch, 0))
		require.NoError(b, err)
		clients.Go(func() {
			defer sub.Close()
			for {
				messages, err := sub.Next(ctx)
				if err != nil {
					return
				}
				for _, m := range messages {
					if m.Position > 0 && m.Position%int64(together) == 0 {
						arrived <- struct{}{}
					}
				}
			}
		})
	}
	data := json.RawMessage(`{"alarm":{"id":48213,"version":3,"site":{"id":7,"name":"Jubiler","address":"Złota 4","city":"Łódź"},"kind":"panic"}}`)
	b.ReportAllocs()
	b.ResetTimer()
	for position := int64(0); position < int64(b.N); {
		frames := make([]live.Frame, together)
		for i := range frames {
			position++
			frames[i] = live.Frame{Epoch: epoch, Position: position, Type: wire.AlarmNew, At: time.Now(), Ring: 1, Data: data, Audience: wire.Operators}
		}
		deliver(frames)
		for range subscriptions {
			<-arrived
		}
	}
}
