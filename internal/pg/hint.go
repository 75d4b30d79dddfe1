package pg

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// HintInterval is the shortest time between two notifications of one channel: one per
// commit takes four fifths of the throughput, since NOTIFY serialises commits.
const HintInterval = 10 * time.Millisecond

// Hints tells processes that there may be something to read. A hint is empty and
// several become one; it can be lost, so that everyone who follows a channel polls
// besides. It goes out in a transaction of its own, after the one that wrote.
//
// In the same process a hint wakes the followers directly, also when the database is
// away. Safe for concurrent use.
type Hints struct {
	pool   *Pool
	direct *Direct
	log    *slog.Logger

	mu        sync.Mutex
	followers map[string]map[*follower]struct{}
	pending   map[string]struct{} // channels to be notified

	send   chan struct{} // capacity 1: pending has grown
	listen chan struct{} // capacity 1: followers has a new channel
}

type follower struct{ wake chan struct{} }

// NewHints makes hints that are sent over pool and heard over direct. Nothing is sent
// to other processes, or heard from them, before Run.
func NewHints(pool *Pool, direct *Direct, log *slog.Logger) *Hints {
	return &Hints{
		pool: pool, direct: direct, log: log.With("component", "hints"),
		followers: map[string]map[*follower]struct{}{}, pending: map[string]struct{}{},
		send: make(chan struct{}, 1), listen: make(chan struct{}, 1),
	}
}

// Hint says that there is something new for those who follow channel. It never blocks:
// the first hint of a channel goes out at once, more within HintInterval become one.
// Call it after the commit.
func (h *Hints) Hint(channel string) {
	h.mu.Lock()
	h.pending[channel] = struct{}{}
	h.wakeLocked(channel)
	h.mu.Unlock()
	nudge(h.send)
}

// Subscribe follows a channel until stop is called. The channel returned has room for
// one wake-up, into which many flow together; it is never closed. After a lost
// connection it is woken once, since hints may have been missed.
func (h *Hints) Subscribe(channel string) (wake <-chan struct{}, stop func()) {
	f := &follower{wake: make(chan struct{}, 1)}
	h.mu.Lock()
	of := h.followers[channel]
	if of == nil {
		of = map[*follower]struct{}{}
		h.followers[channel] = of
		nudge(h.listen)
	}
	of[f] = struct{}{}
	h.mu.Unlock()
	return f.wake, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		// The empty set stays: the session listens to that channel anyway.
		delete(of, f)
	}
}

// Run sends and hears hints until ctx ends. It returns nil then: being without a
// database is not an error here, followers poll.
func (h *Hints) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { h.notify(ctx); return nil })
	g.Go(func() error { h.hear(ctx); return nil })
	return g.Wait()
}

func (h *Hints) wake(channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLocked(channel)
}

func (h *Hints) wakeLocked(channel string) {
	for f := range h.followers[channel] {
		nudge(f.wake)
	}
}

func (h *Hints) channels() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := make([]string, 0, len(h.followers))
	for name := range h.followers {
		names = append(names, name)
	}
	return names
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
