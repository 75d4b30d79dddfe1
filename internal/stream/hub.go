package stream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/wire"
)

const (
	// RingSize is how many of the newest frames an instance keeps.
	RingSize = 5000
	// headEvery is how often the head is read on the primary.
	headEvery = 500 * time.Millisecond
	// headTimeout bounds that, so that a frozen host does not stop the hub for long.
	headTimeout = 3 * time.Second
	// inboxSize is how many publications may wait for the hub; more are dropped, and
	// read again as a hole.
	inboxSize = 64
	// subscribeAgainAfter is the pause between attempts to reach the fan-out.
	subscribeAgainAfter = 2 * time.Second
	// belowSlots is how many subscriptions may read below the ring at once.
	belowSlots = 8
)

// ErrStopping ends subscriptions when the instance stops: reconnect elsewhere.
var ErrStopping = errs.New(errs.Unavailable, "stopping", "This instance is stopping.")

// ErrAccessEnded ends subscriptions of a revoked session or user.
var ErrAccessEnded = errs.New(errs.Unauthorized, "access_ended", "Access has ended: sign in again.")

// ErrClosed ends a subscription that its owner closed.
var ErrClosed = errors.New("subscription closed")

// Config of a hub.
type Config struct {
	Fanout  live.Fanout
	Reader  Reader
	Log     *slog.Logger
	Metrics *Metrics // may be nil
}

// Hub is the stream in one API instance. Run makes it follow; everything else is safe
// for concurrent use, before and after too.
type Hub struct {
	cfg   Config
	inbox chan []live.Frame
	poke  chan struct{} // capacity 1: read the head now
	below chan struct{} // slots for reads below the ring
	ready atomic.Bool

	mu      sync.RWMutex
	epoch   int64 // 0: not known yet
	ring    ring
	last    int64 // highest position of the epoch that PostgreSQL told
	subs    map[*Subscription]struct{}
	states  stateLog
	notices []notice                   // the newest of each type
	sites   map[ids.PanelID]ids.SiteID // nil until somebody needs it
	revoked []revocation
	stopped bool

	// The hub's goroutine only.
	behind    bool  // WARN once
	preloaded int64 // frames up to here are old news
}

// NewHub makes a hub; it holds nothing before Run.
func NewHub(cfg Config) *Hub {
	cfg.Log = cfg.Log.With("component", "stream")
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	return &Hub{
		cfg: cfg, inbox: make(chan []live.Frame, inboxSize), poke: make(chan struct{}, 1), below: make(chan struct{}, belowSlots),
		ring: newRing(RingSize), subs: map[*Subscription]struct{}{}, states: newStateLog(),
	}
}

// Head returns where the stream stands on the primary. Lists ask before their query, so
// that a client that resumes from there misses nothing.
func (h *Hub) Head(ctx context.Context) (wire.StreamPosition, error) { return h.cfg.Reader.Head(ctx) }

// Ready reports whether the hub has followed the stream to a head of its own reading.
func (h *Hub) Ready() bool { return h.ready.Load() }

// Run follows the stream until ctx ends; then every subscription ends with ErrStopping,
// and it returns nil. It is called once.
func (h *Hub) Run(ctx context.Context) error {
	defer h.stop()
	tick := time.NewTicker(headEvery)
	defer tick.Stop()
	subscribed := false
	var tried time.Time
	sitesAge := 0
	for {
		if !subscribed && time.Since(tried) >= subscribeAgainAfter {
			subscribed = h.subscribe(ctx, tried.IsZero())
			tried = time.Now()
			h.refresh(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case frames := <-h.inbox:
			h.take(ctx, frames)
		case <-h.poke:
			h.refresh(ctx)
		case <-tick.C:
			h.refresh(ctx)
			if sitesAge++; sitesAge%sitesEvery == 0 {
				h.refreshSites(ctx)
			}
		}
	}
}

func (h *Hub) subscribe(ctx context.Context, first bool) bool {
	err := h.cfg.Fanout.Subscribe(ctx, h.deliver)
	if err != nil && ctx.Err() == nil && first {
		h.cfg.Log.Warn("the fan-out can't be heard: frames are read from the outbox", "err", err)
	}
	if err == nil && !first {
		h.cfg.Log.Info("the fan-out is heard again")
	}
	return err == nil
}

// deliver takes a publication. It never blocks the fan-out: what does not fit is a hole.
func (h *Hub) deliver(frames []live.Frame) {
	select {
	case h.inbox <- frames:
	default:
		h.pokeNow()
	}
}

func (h *Hub) pokeNow() {
	select {
	case h.poke <- struct{}{}:
	default:
	}
}

// take adds a publication to the ring: what is known is dropped, a hole is read first.
func (h *Hub) take(ctx context.Context, frames []live.Frame) {
	var run []*entry
	next := h.ring.top + 1 // only this goroutine writes epoch and ring
	for _, f := range frames {
		if f.Epoch > h.epoch {
			// Another epoch is believed on PostgreSQL's word alone; reading it fills up
			// to its head, and with that over this frame.
			h.add(run)
			run = nil
			if h.refresh(ctx); f.Epoch != h.epoch {
				return
			}
			next = h.ring.top + 1
		}
		if f.Epoch < h.epoch || f.Position < next {
			continue
		}
		if f.Position > next {
			h.add(run)
			run = nil
			if !h.fill(ctx, f.Position-1) {
				return
			}
			if next = h.ring.top + 1; f.Position != next {
				continue
			}
		}
		e, err := encode(f)
		if err != nil {
			// Broken on the way; the table has it whole.
			h.cfg.Log.Warn("a frame of the fan-out can't be sent on", "position", f.Position, "err", err)
			break
		}
		run = append(run, e)
		next++
	}
	h.add(run)
}

// add appends entries that follow top and wakes everyone.
func (h *Hub) add(run []*entry) {
	if len(run) == 0 {
		return
	}
	h.mu.Lock()
	for _, e := range run {
		h.ring.add(e)
	}
	h.last = max(h.last, h.ring.top)
	h.mu.Unlock()
	h.wake()
	h.cfg.Metrics.position.Set(float64(h.ring.top))
	for _, e := range run {
		if e.kind == wire.AccessChanged && e.position > h.preloaded {
			h.accessChanged(e)
		}
	}
}

// wake says to everyone that there may be something to send. It comes after the change and
// outside of its lock: whoever is woken wants that lock, to read.
func (h *Hub) wake() {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.subs {
		s.nudge()
	}
}

// refresh compares with the head on the primary and reads what is missing.
func (h *Hub) refresh(ctx context.Context) {
	had := h.ring.top
	headCtx, cancel := context.WithTimeout(ctx, headTimeout)
	head, err := h.cfg.Reader.Head(headCtx)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			h.warnBehind("the stream's head can't be read: holes wait", "err", err)
		}
		return
	}
	h.cfg.Metrics.lastHead.SetToCurrentTime()
	switch {
	case head.Epoch < h.epoch:
		h.warnBehind("PostgreSQL tells of an older epoch: it is not followed", "position", head.Position)
		return
	case head.Epoch > h.epoch:
		h.follow(head)
	case head.Position < had:
		// A failover whose relay has not begun the new epoch yet, or a copy put back
		// without a reset of the stream.
		h.warnBehind("the stream's head lies before what was already sent", "position", head.Position)
		return
	default:
		h.mu.Lock()
		h.last = max(h.last, head.Position)
		h.mu.Unlock()
	}
	if !h.fill(ctx, head.Position) {
		return
	}
	if h.behind {
		h.behind = false
		h.cfg.Log.Info("the stream is followed again", "position", h.ring.top)
	}
	h.ready.Store(true)
}

func (h *Hub) warnBehind(why string, attrs ...any) {
	if !h.behind {
		h.behind = true
		h.cfg.Log.Warn("the stream can't be followed for now", append(attrs, "why", why)...)
	}
}

// follow turns to a higher epoch. The ring is filled with its newest frames, so that an
// instance that has just started does not send every client to the table.
func (h *Hub) follow(head wire.StreamPosition) {
	if h.epoch != 0 {
		h.cfg.Log.Warn("the stream has a new epoch: clients load anew", "epoch", head.Epoch)
	}
	h.preloaded = head.Position
	h.mu.Lock()
	h.epoch, h.last = head.Epoch, head.Position
	h.ring.reset(max(0, head.Position-int64(len(h.ring.slots))))
	h.mu.Unlock()
	h.wake()
}

// fill reads frames up to a position below the ring; false when it could not.
func (h *Hub) fill(ctx context.Context, upTo int64) bool {
	for h.ring.top < upTo {
		entries, err := h.fetch(ctx, h.epoch, h.ring.top, upTo)
		if trimmed, ok := errors.AsType[trimmedError](err); ok {
			h.jump(trimmed.first - 1)
			continue
		}
		if err != nil {
			if ctx.Err() == nil {
				h.warnBehind("frames that did not come can't be read", "position", h.ring.top+1, "err", err)
			}
			return false
		}
		if len(entries) == 0 {
			return false
		}
		h.cfg.Metrics.holes.Add(float64(len(entries)))
		h.add(entries)
	}
	return true
}

// jump leaves out what is no longer kept; whoever needed it is reset.
func (h *Hub) jump(top int64) {
	h.mu.Lock()
	h.ring.reset(top)
	h.mu.Unlock()
	h.wake()
}

func (h *Hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	for s := range h.subs {
		s.end(ErrStopping)
	}
}
