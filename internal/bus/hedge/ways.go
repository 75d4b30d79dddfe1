package hedge

import (
	"sync"
	"time"

	"dozor/internal/bus"
)

// way is the bus that a message took last.
type way byte

const (
	firstWay way = iota + 1
	secondWay
)

// A message that nobody saw the effect of is published again within a minute; beyond so
// many remembered ones the oldest are forgotten, which costs only the change of way.
const (
	remembered  = 20_000
	rememberFor = time.Minute
)

// ways remembers which bus took a message, so that its repetition takes the other one: a
// bus may confirm, and yet nobody consume what it holds.
type ways struct {
	mu    sync.Mutex
	last  map[bus.Key]went
	order []bus.Key // as they were remembered first, the oldest in front
}

type went struct {
	by way
	at time.Time
}

func newWays() *ways { return &ways{last: map[bus.Key]went{}} }

// split says which messages go by the first bus and which by the second, and remembers it
// for those that go by the first.
func (w *ways) split(msgs []bus.Message, now time.Time) (first, second []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range msgs {
		if before, ok := w.last[m.Key]; ok && before.by == firstWay && now.Sub(before.at) < rememberFor {
			second = append(second, i)
			continue
		}
		first = append(first, i)
		w.put(m.Key, firstWay, now)
	}
	return first, second
}

func (w *ways) went(msgs []bus.Message, by way, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range msgs {
		w.put(m.Key, by, now)
	}
}

func (w *ways) put(key bus.Key, by way, now time.Time) {
	if _, known := w.last[key]; !known {
		if len(w.order) >= remembered {
			delete(w.last, w.order[0])
			w.order = w.order[1:]
		}
		w.order = append(w.order, key)
	}
	w.last[key] = went{by, now}
}
