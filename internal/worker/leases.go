package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/internal/ids"
	"dozor/internal/lifecycle"
	"dozor/internal/live"
	"dozor/internal/site"
)

// keepLeases renews and takes leases, a round at a time. Between rounds it follows what is
// edited, takes what others give back, and gives away what another's share wants.
func (w *Worker) keepLeases(ctx, sessions context.Context) {
	round, edits := time.NewTicker(leaseRound), time.NewTicker(followRound)
	defer round.Stop()
	defer edits.Stop()
	var blind, failing bool
	for due := true; ; {
		// Edits first: a renewal refuses what was disabled without saying why.
		err := w.follow(ctx, sessions)
		if ctx.Err() != nil {
			return
		}
		switch {
		case !turned(&blind, err):
		case blind:
			w.cfg.Logger.Warn("edits of panels can't be followed", "err", err)
		default:
			w.cfg.Logger.Info("edits of panels are followed again")
		}
		if due {
			err := w.leaseRound(ctx, sessions)
			if ctx.Err() != nil {
				return
			}
			switch {
			case !turned(&failing, err):
			case failing:
				w.cfg.Logger.Warn("leases can't be renewed", "err", err)
			default:
				w.cfg.Logger.Info("leases are renewed again")
			}
		}
		if !failing {
			w.giveAway(ctx, givenAtOnce)
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-round.C:
				due, waiting = true, false
			case <-w.cfg.RenewNow:
				due, waiting = true, false
			case <-edits.C:
				due, waiting = false, false
			case <-w.cfg.GivenBack:
				w.takeGiven(ctx, sessions)
			}
		}
	}
}

// takeGiven takes what another worker gave back. When it fails the next round does it.
func (w *Worker) takeGiven(ctx, sessions context.Context) {
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := w.share(bounded, sessions, 0, false); err != nil && ctx.Err() == nil {
		w.cfg.Logger.Debug("panels given back can't be taken yet", "err", err)
	}
}

// turned reports whether something began to fail, or works again.
func turned(failing *bool, err error) bool {
	before := *failing
	*failing = err != nil
	return before != *failing
}

func (w *Worker) leaseRound(ctx, sessions context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	w.reap()
	if err := w.renew(bounded); err != nil {
		w.hangUpLapsed()
		return err
	}
	passed := w.passOnSilent(bounded)
	if err := w.share(bounded, sessions, 0, true); err != nil {
		return err
	}
	if passed {
		w.cfg.GaveBack() // once more: now others know that nobody holds them
	}
	w.metrics.renewed()
	return nil
}

// reap forgets sessions that ended by themselves, because another worker has the panel, and
// panels that have been left to others for long enough.
func (w *Worker) reap() {
	now := w.cfg.Clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for panel, p := range w.passedOn {
		if now.After(p.until) {
			delete(w.passedOn, panel)
		}
	}
	for panel, h := range w.sessions {
		select {
		case <-h.done:
			delete(w.sessions, panel)
		default:
		}
	}
}

// renew prolongs what is held; what is not held any more is hung up.
func (w *Worker) renew(ctx context.Context) error {
	w.mu.Lock()
	leases := make([]live.Lease, 0, len(w.sessions))
	for _, h := range w.sessions {
		leases = append(leases, h.lease)
	}
	w.mu.Unlock()
	if len(leases) == 0 {
		return nil
	}
	renewed, err := w.cfg.Leases.Renew(ctx, w.cfg.Instance, leases, LeaseTTL)
	if err != nil {
		return fmt.Errorf("renew %d leases: %w", len(leases), err)
	}
	still := make(map[ids.PanelID]live.Lease, len(renewed))
	for _, l := range renewed {
		still[l.PanelID] = l
	}
	var lost []ids.PanelID
	w.mu.Lock()
	for _, l := range leases {
		now, ok := still[l.PanelID]
		if !ok {
			lost = append(lost, l.PanelID)
		} else if h := w.sessions[l.PanelID]; h != nil {
			h.lease = now
		}
	}
	w.mu.Unlock()
	for _, panel := range lost {
		w.hangUp(panel, "the lease was lost")
	}
	return nil
}

// hangUpLapsed ends sessions whose lease ran out long ago while the store can't be
// asked: somebody else may have been granted the panel.
func (w *Worker) hangUpLapsed() {
	now := time.Now()
	var lapsed []ids.PanelID
	w.mu.Lock()
	for panel, h := range w.sessions {
		if now.After(h.lease.Until.Add(leaseGrace)) {
			lapsed = append(lapsed, panel)
		}
	}
	w.mu.Unlock()
	for _, panel := range lapsed {
		w.hangUp(panel, "the lease ran out and can't be renewed")
	}
}

// passOnSilent gives back panels that do not answer here, and reports whether there were
// any. For a moment they are left to other workers; when nobody takes them they are taken
// again.
func (w *Worker) passOnSilent(ctx context.Context) bool {
	now := w.cfg.Clock()
	var silent []*held
	w.mu.Lock()
	for panel, h := range w.sessions {
		// What was read and is not stored yet is in nobody's hands but ours and the
		// panel's, and the panel may be gone.
		if h.session.silentFor(now, h.since) > silentTooMax && h.session.held.Load() == 0 {
			silent = append(silent, h)
			w.passedOn[panel] = passed{until: now.Add(passedOnFor), counts: h.counts()}
		}
	}
	w.mu.Unlock()
	if len(silent) == 0 {
		return false
	}
	for _, h := range silent {
		w.cfg.Logger.Info("hanging up", "panel_id", h.lease.PanelID, "reason", "no answer; perhaps another worker can reach it")
	}
	w.handBack(ctx, silent)
	return true
}

// share says that this worker is there, hears of the others, and takes what belongs to its
// share, but at least the number given as far as there is room; with adopt also what
// nobody takes.
func (w *Worker) share(ctx, sessions context.Context, atLeast int, adopt bool) error {
	self, err := w.join(ctx)
	if err != nil {
		return err
	}
	var unheld time.Duration
	if adopt && !w.unheld.IsZero() {
		unheld = w.met.Sub(w.unheld)
	}
	p := decide(self, w.crew, unheld)
	p.take = max(p.take, min(atLeast, self.Capacity-self.Held))
	room := max(0, beginAtOnce-w.queued())
	p.take = min(p.take, room)
	p.adopt = min(p.adopt, room-p.take)
	if p.take+p.adopt <= 0 {
		return nil
	}
	taken, err := w.acquire(ctx, sessions, p)
	if taken > 0 {
		// Others must not think that these are still without a holder.
		_, joined := w.join(ctx)
		err = errors.Join(err, joined)
	}
	return err
}

// queued counts the sessions that wait for their turn to open a memory.
func (w *Worker) queued() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.sessions {
		if h.session.queued.Load() {
			n++
		}
	}
	return n
}

// join says what this worker holds and hears of the others.
func (w *Worker) join(ctx context.Context) (self live.Worker, err error) {
	self = w.self()
	told := self
	if w.refused {
		// Others must not give away what can't be taken here.
		told.Capacity = min(told.Capacity, told.Held)
	}
	crew, err := w.cfg.Leases.Join(ctx, told, thereFor)
	if err == nil {
		w.meet(crew, self)
	}
	return self, err
}

func (w *Worker) acquire(ctx, sessions context.Context, p plan) (taken int, err error) {
	var except []ids.PanelID
	w.mu.Lock()
	for panel := range w.passedOn {
		except = append(except, panel)
	}
	for panel := range w.sessions {
		except = append(except, panel)
	}
	w.mu.Unlock()
	granted, err := w.cfg.Leases.Acquire(ctx, w.cfg.Instance, p.take+p.adopt, except, LeaseTTL)
	if w.refused = err != nil; err != nil {
		return 0, fmt.Errorf("acquire leases: %w", err)
	}
	taken, err = w.beginAll(ctx, sessions, granted, p.take)
	if len(granted) > p.take {
		w.keepUntil = w.cfg.Clock().Add(keepAdoptedFor)
	}
	return taken, err
}

// beginAll begins the sessions of granted panels; those behind the number of its share are
// adopted. What a store that can't be asked leaves without a session is given back. A panel
// whose secrets can't be opened is not: it waits until its lease has run out, and is tried
// again.
func (w *Worker) beginAll(ctx, sessions context.Context, granted []live.Lease, share int) (taken int, err error) {
	if len(granted) == 0 {
		return 0, nil
	}
	panels := make([]ids.PanelID, len(granted))
	for i, l := range granted {
		panels[i] = l.PanelID
	}
	access, err := w.cfg.Panels.AccessAll(ctx, panels)
	if err != nil {
		w.cfg.Logger.Error("access data of panels can't be read", "panels", len(granted)-len(access), "err", err)
	}
	for i, l := range granted {
		if reach, ok := access[l.PanelID]; ok {
			w.begin(sessions, l, reach, i >= share)
			taken++
		}
	}
	if taken == 0 && err != nil {
		// Nobody is told: what can't be read here can't be read elsewhere either.
		return 0, errors.Join(err, w.cfg.Leases.Release(ctx, w.cfg.Instance, granted))
	}
	return taken, nil
}

func (w *Worker) begin(sessions context.Context, l live.Lease, access site.Reach, adopted bool) {
	ctx, stop := context.WithCancel(sessions)
	h := &held{lease: l, since: w.cfg.Clock(), adopted: adopted, stop: stop, done: make(chan struct{}), session: newSession(w, l, access)}
	w.mu.Lock()
	w.sessions[l.PanelID] = h
	w.mu.Unlock()
	go func() {
		defer close(h.done)
		defer stop()
		// A panel that makes us stumble must not take the others with it; the lease is
		// taken again with the next round.
		err := lifecycle.Guard(func(ctx context.Context) error { h.session.run(ctx); return nil })(ctx)
		if err != nil {
			w.cfg.Logger.Error("a session broke", "panel_id", l.PanelID, "err", err)
		}
	}()
}

// hangUp ends a session and waits for it.
func (w *Worker) hangUp(panel ids.PanelID, reason string) {
	w.mu.Lock()
	h := w.sessions[panel]
	delete(w.sessions, panel)
	w.mu.Unlock()
	if h == nil {
		return
	}
	w.cfg.Logger.Info("hanging up", "panel_id", panel, "reason", reason)
	h.stop()
	<-h.done
}

// hangUpAll ends every session and gives its lease back.
func (w *Worker) hangUpAll(ctx context.Context) {
	w.mu.Lock()
	all := make([]*held, 0, len(w.sessions))
	for _, h := range w.sessions {
		all = append(all, h)
	}
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	w.handBack(ctx, all)
	if err := w.cfg.Leases.Leave(ctx, w.cfg.Instance); err != nil {
		w.cfg.Logger.Warn("others count on this worker for a while", "err", err)
	}
	w.cfg.GaveBack()
}

// handBack ends sessions, all at once, and gives their leases back.
func (w *Worker) handBack(ctx context.Context, sessions []*held) {
	leases := make([]live.Lease, 0, len(sessions))
	w.mu.Lock()
	for _, h := range sessions {
		h.stop()
		leases = append(leases, h.lease)
		delete(w.sessions, h.lease.PanelID)
	}
	w.mu.Unlock()
	for _, h := range sessions {
		<-h.done
	}
	w.release(ctx, leases)
}

// release gives leases back and tells the others. What can't be given back runs out.
func (w *Worker) release(ctx context.Context, leases []live.Lease) {
	if len(leases) == 0 {
		return
	}
	if err := w.cfg.Leases.Release(ctx, w.cfg.Instance, leases); err != nil {
		w.cfg.Logger.Warn("leases were not given back", "err", err)
	}
	w.cfg.GaveBack()
}
