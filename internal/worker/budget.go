package worker

import (
	"sync"
	"time"
)

// Limits of records that a worker holds unsettled, over all its panels. The difference is
// kept free for news: what a look finds, an alarm perhaps, never waits for what walks read.
const (
	maxUnsettled       = 2000
	maxUnsettledWalked = 1500
)

// walkOver is how long after its last question for room a walk that holds nothing counts
// as one that goes on.
const walkOver = time.Second

// budget counts the unsettled records of a worker, and shares the room for them between
// the panels whose memories are walked: each holds at most an equal part, so that a panel
// with thousands of unread records holds up none with five. Safe for concurrent use.
type budget struct {
	mu     sync.Mutex
	held   int
	walks  map[*account]struct{}
	pruned time.Time
}

// account is one panel's part of the budget.
type account struct {
	budget *budget
	held   int
	asked  time.Time // when a walk last asked for room
}

func newBudget() *budget { return &budget{walks: map[*account]struct{}{}} }

func (b *budget) open() *account { return &account{budget: b} }

func (b *budget) unsettled() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

func (a *account) change(delta int) {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.held += delta
	a.budget.held += delta
}

// room reports whether one more record may be held: one that a walk has read, or news.
func (a *account) room(walked bool) bool {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if !walked {
		return b.held < maxUnsettled
	}
	now := time.Now()
	a.asked = now
	b.walks[a] = struct{}{}
	if now.Sub(b.pruned) > walkOver/10 {
		b.pruned = now
		for other := range b.walks {
			if other.held == 0 && now.Sub(other.asked) > walkOver {
				delete(b.walks, other)
			}
		}
	}
	part := max(1, maxUnsettledWalked/len(b.walks))
	return a.held < part && b.held < maxUnsettledWalked
}
