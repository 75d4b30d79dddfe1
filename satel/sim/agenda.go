package sim

import (
	"container/heap"
	"time"
)

// task is something that a panel will do at a set time unless it is cancelled before.
type task struct {
	due       time.Time
	order     uint64
	do        func()
	cancelled bool
}

// cancel makes the task do nothing when its time comes. A nil task may be cancelled.
func (t *task) cancel() {
	if t != nil {
		t.cancelled = true
	}
}

// agenda holds what a panel will do later. It has no goroutine and no timer: the panel runs what is due whenever
// somebody looks at it or acts on it, each task at its own time and in order. Nobody can see a difference to a
// panel that acts by itself, and a test that shifts the clock needs no waiting.
type agenda struct {
	tasks taskHeap
	next  uint64
}

// add plans do for the time due. Tasks of the same time run in the order they were added.
func (a *agenda) add(due time.Time, do func()) *task {
	a.next++
	t := &task{due: due, order: a.next, do: do}
	heap.Push(&a.tasks, t)
	return t
}

// pop takes the earliest task that is due at now, or nil.
func (a *agenda) pop(now time.Time) *task {
	for len(a.tasks) > 0 && (a.tasks[0].cancelled || !a.tasks[0].due.After(now)) {
		if t := heap.Pop(&a.tasks).(*task); !t.cancelled {
			return t
		}
	}
	return nil
}

// soonest returns when the earliest task is due, or false when there is none.
func (a *agenda) soonest() (time.Time, bool) {
	for len(a.tasks) > 0 {
		if t := a.tasks[0]; !t.cancelled {
			return t.due, true
		}
		heap.Pop(&a.tasks)
	}
	return time.Time{}, false
}

type taskHeap []*task

func (h taskHeap) Len() int { return len(h) }

func (h taskHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].order < h[j].order
	}
	return h[i].due.Before(h[j].due)
}

func (h taskHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *taskHeap) Push(x any) { *h = append(*h, x.(*task)) }

func (h *taskHeap) Pop() any {
	old := *h
	last := len(old) - 1
	t := old[last]
	old[last] = nil
	*h = old[:last]
	return t
}
