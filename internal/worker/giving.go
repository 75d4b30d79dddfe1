package worker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// Panels move a few at a time: each is asked nothing for the moment between two workers,
// and a module is dialled anew.
const (
	// givenAtOnce bounds the panels on their way to another worker; a worker gives some
	// each followRound, which makes ten a second at most.
	givenAtOnce = 5
	// takenWithin is how long others may leave what was given to them. Then this worker
	// gives nothing for a while: it seems that they don't take.
	takenWithin = 2 * leaseRound
	// keepAdoptedFor is how long a worker that took what nobody wanted gives nothing: who
	// should have taken it would leave that too.
	keepAdoptedFor = 30 * time.Second

	// A worker that is to end moves its panels within drainFor, and hangs up on the rest:
	// the whole process has twenty seconds. Its leases, renewed before, outlast it.
	drainFor   = 6 * time.Second
	drainSteps = 40
	drainStep  = drainFor / drainSteps
)

// sharing is what a worker knows of how the panels are shared. It belongs to the
// goroutine that keeps the leases.
type sharing struct {
	crew      live.Crew
	met       time.Time // when the crew was last heard of
	unheld    time.Time // since when there are panels that nobody says to hold; zero: there are none
	refused   bool      // the store granted nothing but an error
	leaving   bool
	keepUntil time.Time // nothing is given away before
	given     map[ids.PanelID]gift
}

// gift is a panel that was given away and is not known to be taken yet.
type gift struct {
	fence int64
	at    time.Time
}

// self is what this worker says of itself. What it passed on a moment ago counts as if it
// were held: it will be again, if nobody else can reach it, and meanwhile nobody is to
// give something up for it.
func (w *Worker) self() live.Worker {
	self := live.Worker{Instance: w.cfg.Instance, Capacity: w.cfg.MaxPanels}
	w.mu.Lock()
	defer w.mu.Unlock()
	self.Held = len(w.sessions)
	for _, p := range w.passedOn {
		if p.counts {
			self.Load++
		}
	}
	for _, h := range w.sessions {
		if h.counts() {
			self.Load++
		}
	}
	if w.leaving {
		self.Load, self.Capacity = self.Held, 0
	}
	return self
}

// counts reports whether a panel counts against the worker's share. One that was adopted
// does once it answers: else it goes from worker to worker, and a good one with it.
func (h *held) counts() bool { return !h.adopted || h.session.answered.Load() > 0 }

// meet notes what was heard of the others.
func (w *Worker) meet(crew live.Crew, self live.Worker) {
	now := w.cfg.Clock()
	held := self.Held
	for _, o := range crew.Others {
		held += o.Held
	}
	switch {
	case held >= crew.Panels:
		w.unheld = time.Time{}
	case w.unheld.IsZero():
		w.unheld = now
	}
	w.crew, w.met = crew, now
}

// giveAway hangs up on panels that belong to another's share, so that there are at most so
// many on their way, and gives their leases back.
func (w *Worker) giveAway(ctx context.Context, most int) {
	now := w.cfg.Clock()
	if now.Sub(w.met) > thereFor || now.Before(w.keepUntil) {
		return
	}
	p := decide(w.self(), w.crew, 0)
	if p.give == 0 && len(w.given) == 0 {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if !w.settleGiven(bounded, now) {
		return
	}
	n := min(p.give, most-len(w.given))
	if n <= 0 {
		return
	}
	going := w.choose(n, now)
	if len(going) == 0 {
		return
	}
	w.cfg.Logger.Info("giving panels to other workers", "panels", len(going))
	w.handBack(bounded, going)
	for _, h := range going {
		w.given[h.lease.PanelID] = gift{fence: h.lease.Fence, at: now}
	}
}

// settleGiven looks which of the panels given away were taken: their fences are higher
// than this worker's were. It reports whether more may be given.
func (w *Worker) settleGiven(ctx context.Context, now time.Time) bool {
	if len(w.given) == 0 {
		return true
	}
	panels := make([]ids.PanelID, 0, len(w.given))
	for panel := range w.given {
		panels = append(panels, panel)
	}
	fences, err := w.cfg.Leases.Fences(ctx, panels)
	if err != nil {
		return false // nobody can be granted anything then either
	}
	for panel, g := range w.given {
		switch {
		case fences[panel] > g.fence:
			delete(w.given, panel)
		case now.Sub(g.at) > takenWithin:
			delete(w.given, panel)
			w.keepUntil = now.Add(keepAdoptedFor)
		}
	}
	return now.After(w.keepUntil)
}

// choose picks sessions that may end now: nothing that was read waits to be stored, no
// command is on its way. Panels without a link go first, since they lose nothing. A
// session that just begins is let be, unless the worker is to end.
func (w *Worker) choose(n int, now time.Time) []*held {
	if !w.claiming.TryLock() {
		return nil // commands are just being claimed
	}
	defer w.claiming.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	var idle []*held
	for _, h := range w.sessions {
		s := h.session
		if s.held.Load() > 0 || s.taken.Load() || !w.leaving && !s.ready.Load() && now.Sub(h.since) < silentTooMax {
			continue
		}
		idle = append(idle, h)
	}
	slices.SortFunc(idle, func(a, b *held) int {
		return cmp.Or(downFirst(a, b), cmp.Compare(a.lease.PanelID, b.lease.PanelID))
	})
	idle = idle[:min(n, len(idle))]
	for _, h := range idle {
		h.session.leaving.Store(true)
	}
	return idle
}

func downFirst(a, b *held) int {
	switch up, other := a.session.ready.Load(), b.session.ready.Load(); {
	case up == other:
		return 0
	case other:
		return -1
	default:
		return 1
	}
}

// drain moves the panels to the other workers before this one ends, each for itself, so
// that none is asked nothing for longer than it takes to dial it. Alone, or when the
// others have no room, there is nothing to wait for.
func (w *Worker) drain(ctx, sessions context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	w.leaving, w.keepUntil = true, time.Time{}
	if err := w.leaseRound(ctx, sessions); err != nil {
		return
	}
	most := max(givenAtOnce, len(w.sessions)/(drainSteps/2)+1)
	step, round := time.NewTicker(drainStep), time.NewTicker(leaseRound)
	defer step.Stop()
	defer round.Stop()
	for decide(w.self(), w.crew, 0).give > 0 {
		w.giveAway(ctx, most)
		select {
		case <-ctx.Done():
			return
		case <-step.C:
		case <-round.C:
			if err := w.leaseRound(ctx, sessions); err != nil {
				return
			}
		}
	}
}
