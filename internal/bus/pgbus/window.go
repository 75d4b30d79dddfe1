package pgbus

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"dozor/internal/bus"
)

// row is a message as it lies in a table.
type row struct {
	place int16 // 0 or 1: which of the lane's tables
	id    int64
	msg   bus.Message
}

// item is a message that is not settled.
type item struct {
	row
	attempt int
	size    int    // of the body, 0 while put off
	tag     uint64 // of its delivery, 0 while it is not handed out
	due     time.Time
	since   time.Time // when it was read or last moved
	ready   bool
}

// window is what the active consumer knows of its lane during one term. It is not safe
// for concurrent use.
type window struct {
	limits limits
	top    int64 // highest id that was looked for
	holes  holes

	items   map[int64]*item  // by id
	handed  map[uint64]*item // by tag
	ready   []*item
	later   laterHeap
	nextTag uint64
	bytes   int
	held    [2]int // items by table
	rows    [2]int64
	// Copies of messages that were settled while they were moved: to be passed over.
	void map[int64]struct{}
}

func newWindow(l limits, settled int64) *window {
	return &window{
		limits: l, top: settled, items: map[int64]*item{}, handed: map[uint64]*item{}, void: map[int64]struct{}{},
	}
}

// space is how many messages may be read now, whichever. A little space counts as none,
// so that each reading is worth its round trip.
func (w *window) space() int {
	space := min(w.limits.window-w.resident(), w.limits.readRows)
	if w.bytes >= w.limits.windowBytes || space < w.limits.worthReading() {
		return 0
	}
	return space
}

// room is how many rows above top may be read now.
func (w *window) room() int {
	if len(w.later) >= w.limits.maxPutOff || len(w.holes.spans) >= w.limits.maxHoles {
		return 0
	}
	return w.space()
}

// resident is how many items have their body in memory.
func (w *window) resident() int { return len(w.ready) + len(w.handed) }

// scanned takes the rows above top, ascending, and returns how many intervals of ids
// were missing between them.
func (w *window) scanned(rows []row, now time.Time) (missing int) {
	for _, r := range rows {
		if r.id > w.top+1 {
			w.holes.add(w.top+1, r.id-1)
			missing++
		}
		w.top = r.id
		w.admit(r, now)
	}
	return missing
}

// found takes rows of ids that were missing.
func (w *window) found(rows []row, now time.Time) {
	for _, r := range rows {
		if w.holes.fill(r.id) {
			w.admit(r, now)
		}
	}
}

func (w *window) admit(r row, now time.Time) {
	w.rows[r.place]++
	if _, ok := w.void[r.id]; ok {
		delete(w.void, r.id)
		return
	}
	if _, ok := w.items[r.id]; ok {
		return // a copy that this consumer made
	}
	it := &item{row: r, size: len(r.msg.Body), since: now}
	w.items[r.id] = it
	w.held[r.place]++
	w.enqueue(it)
}

func (w *window) enqueue(it *item) {
	it.ready = true
	w.bytes += it.size
	w.ready = append(w.ready, it)
}

// take hands out at most n ready items, each under a tag of its own.
func (w *window) take(n int) []*item {
	n = min(n, len(w.ready))
	taken := slices.Clone(w.ready[:n])
	w.ready = slices.Delete(w.ready, 0, n)
	for _, it := range taken {
		w.nextTag++
		it.tag, it.ready = w.nextTag, false
		it.attempt++
		w.handed[it.tag] = it
	}
	return taken
}

// settle forgets a delivery for good; false: it was settled before.
func (w *window) settle(tag uint64) bool {
	it, ok := w.handed[tag]
	if !ok {
		return false
	}
	delete(w.handed, tag)
	delete(w.items, it.id)
	w.held[it.place]--
	w.bytes -= it.size
	return true
}

// putOff takes a delivery back until due. The body is read again then, so that many
// messages may be put off for long.
func (w *window) putOff(tag uint64, due time.Time) bool {
	it, ok := w.handed[tag]
	if !ok {
		return false
	}
	delete(w.handed, tag)
	w.bytes -= it.size
	it.tag, it.size, it.msg, it.due = 0, 0, bus.Message{}, due
	heap.Push(&w.later, it)
	return true
}

// due returns the ids of at most n items whose time has come, which stay put off until
// their rows are handed to restored.
func (w *window) due(now time.Time, n int) []int64 {
	var ids []int64
	var back []*item
	for len(ids) < n && len(w.later) > 0 && !w.later[0].due.After(now) {
		it := heap.Pop(&w.later).(*item)
		back = append(back, it)
		ids = append(ids, it.id)
	}
	for _, it := range back {
		heap.Push(&w.later, it)
	}
	return ids
}

// nextDue is when the next item put off wants to come back.
func (w *window) nextDue() (time.Time, bool) {
	if len(w.later) == 0 {
		return time.Time{}, false
	}
	return w.later[0].due, true
}

// restored makes items put off ready again, with the bodies that were read for them,
// and returns which of the ids asked for were not among the rows.
func (w *window) restored(asked []int64, rows []row) (gone []int64) {
	back := make(map[*item]struct{}, len(asked))
	for _, r := range rows {
		if it, ok := w.items[r.id]; ok && it.tag == 0 && !it.ready {
			it.msg, it.size = r.msg, len(r.msg.Body)
			w.enqueue(it)
			back[it] = struct{}{}
		}
	}
	for _, id := range asked {
		it, ok := w.items[id]
		if !ok || it.ready {
			continue
		}
		gone = append(gone, id)
		back[it] = struct{}{}
		delete(w.items, id)
		w.held[it.place]--
	}
	w.later = slices.DeleteFunc(w.later, func(it *item) bool { _, ok := back[it]; return ok })
	heap.Init(&w.later)
	return gone
}

// floor is the highest id of which it and everything below is settled.
func (w *window) floor() int64 {
	floor := w.top
	if len(w.holes.spans) > 0 {
		floor = min(floor, w.holes.spans[0].low-1)
	}
	for id := range w.items {
		floor = min(floor, id-1)
	}
	return floor
}

// atRest says that nothing up to top is unsettled.
func (w *window) atRest() bool { return len(w.items) == 0 && len(w.holes.spans) == 0 }

// stragglers are ids of items that stay unsettled for long and are in the way: in the
// table that is to be emptied, or far behind top. Those still ready are not among them:
// their turn comes.
func (w *window) stragglers(now time.Time, draining int16) []int64 {
	wide := w.top-w.floor() > w.limits.moveSpan+4*int64(len(w.items))
	var ids []int64
	for id, it := range w.items {
		if !it.ready && now.Sub(it.since) >= w.limits.moveAfter && (wide || it.place == draining) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), w.limits.moveRows)]
}

// moved notes that messages have got copies in a table, by their old id.
func (w *window) moved(copies map[int64]int64, place int16, now time.Time) {
	for from, to := range copies {
		it, ok := w.items[from]
		if !ok {
			w.void[to] = struct{}{}
			continue
		}
		delete(w.items, from)
		w.held[it.place]--
		it.id, it.place, it.since = to, place, now
		w.items[to] = it
		w.held[place]++
	}
}

// laterHeap orders items put off by when they are due.
type laterHeap []*item

func (h laterHeap) Len() int { return len(h) }
func (h laterHeap) Less(i, j int) bool {
	return cmp.Compare(h[i].due.UnixNano(), h[j].due.UnixNano()) < 0
}
func (h laterHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *laterHeap) Push(x any)   { *h = append(*h, x.(*item)) }
func (h *laterHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return it
}
