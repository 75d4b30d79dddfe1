package amqpbus

import (
	"container/heap"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/bus"
)

// item is a message that the broker sent and that is not settled.
type item struct {
	msg      bus.Message
	delivery uint64 // the broker's tag, ascending within a session
	attempt  int
	tag      uint64 // of its handing out, 0 while it is not
	due      time.Time
	settled  bool
	cameAt   time.Time
}

// window is what a consumer holds during one session. It is not safe for concurrent use,
// but for channel and settling.
type window struct {
	conn    *conn
	channel *amqp.Channel
	// settling is held while acks are chosen and written: one for all up to a tag must not
	// overtake one for a single tag below it. Capacity 1.
	settling chan struct{}

	order     []*item // as they came, without those at the front that are settled
	ready     []*item
	handed    map[uint64]*item
	later     laterHeap
	nextTag   uint64
	unsettled int
}

func newWindow(c *conn, ch *amqp.Channel) *window {
	return &window{conn: c, channel: ch, settling: make(chan struct{}, 1), handed: map[uint64]*item{}}
}

func (w *window) admit(it *item) {
	it.cameAt = time.Now()
	w.order = append(w.order, it)
	w.ready = append(w.ready, it)
	w.unsettled++
}

// oldest is when the longest held of the unsettled came; zero when nothing is unsettled.
func (w *window) oldest() time.Time {
	for _, it := range w.order {
		if !it.settled {
			return it.cameAt
		}
	}
	return time.Time{}
}

// take hands out at most n items whose time has come, each under a tag of its own.
func (w *window) take(n int, now time.Time) []*item {
	for len(w.later) > 0 && !w.later[0].due.After(now) {
		it, _ := heap.Pop(&w.later).(*item)
		w.ready = append(w.ready, it)
	}
	n = min(n, len(w.ready))
	taken := slices.Clone(w.ready[:n])
	w.ready = slices.Delete(w.ready, 0, n)
	for _, it := range taken {
		w.nextTag++
		it.tag = w.nextTag
		it.attempt++
		w.handed[it.tag] = it
	}
	return taken
}

// nextDue is when the next item put off wants to come back.
func (w *window) nextDue() (time.Time, bool) {
	if len(w.later) == 0 {
		return time.Time{}, false
	}
	return w.later[0].due, true
}

// putOff takes a delivery back until due; false: it was settled before.
func (w *window) putOff(tag uint64, due time.Time) bool {
	it, ok := w.handed[tag]
	if !ok {
		return false
	}
	delete(w.handed, tag)
	it.tag, it.due = 0, due
	heap.Push(&w.later, it)
	return true
}

// settle forgets deliveries and says what the broker must be told: all up to a tag, if it
// is not zero, and single ones above it.
func (w *window) settle(tags []uint64) (n int, upTo uint64, single []uint64) {
	for _, tag := range tags {
		it, ok := w.handed[tag]
		if !ok {
			continue
		}
		delete(w.handed, tag)
		it.settled, it.msg = true, bus.Message{}
		single = append(single, it.delivery)
	}
	n = len(single)
	w.unsettled -= n
	slices.Sort(single)
	front := 0
	for front < len(w.order) && w.order[front].settled {
		front++
	}
	if front > 0 {
		// The last of the front may have been told before; one of these was not.
		last := w.order[front-1].delivery
		w.order = slices.Delete(w.order, 0, front)
		below, found := slices.BinarySearch(single, last)
		if found {
			below++
		}
		if below > 0 {
			upTo, single = single[below-1], single[below:]
		}
	}
	if len(w.order) > 2*w.unsettled+64 {
		w.order = slices.DeleteFunc(w.order, func(it *item) bool { return it.settled })
	}
	return n, upTo, single
}

// laterHeap orders items put off by when they are due.
type laterHeap []*item

func (h laterHeap) Len() int           { return len(h) }
func (h laterHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h laterHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *laterHeap) Push(x any) {
	it, _ := x.(*item)
	*h = append(*h, it)
}

func (h *laterHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}
