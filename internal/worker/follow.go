package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/site"
)

// Panels are edited while they are held. Whoever changed an address waits for alarms from
// the new one, so that it is followed within followRound, the grace, and a round trip.
const (
	followRound   = 500 * time.Millisecond
	followTimeout = time.Second // a slow database must not keep leases from being renewed
	// unsettledGrace is how long a session that is to end may go on for what it has read
	// and not seen stored: the panel at the other address may be another one.
	unsettledGrace = 1500 * time.Millisecond
)

// follow finds panels that are reached otherwise than when their session began. A new code
// is handed to the session; one at another address or under another integration key ends and
// begins anew under a new fence; one of a panel that was disabled or retired ends.
func (w *Worker) follow(ctx, sessions context.Context) error {
	held := map[ids.PanelID]int64{}
	w.mu.Lock()
	for panel, h := range w.sessions {
		held[panel] = h.session.reach.Load().Number
	}
	w.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	asking, answered := context.WithTimeout(ctx, followTimeout)
	moved, err := w.cfg.Panels.Moved(asking, held)
	answered()
	if err != nil {
		return fmt.Errorf("follow edited panels: %w", err)
	}
	if len(moved) == 0 {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var given []live.Lease
	var failed error
	for _, panel := range moved {
		lease, ended, err := w.followOne(bounded, panel)
		if err != nil {
			failed = fmt.Errorf("follow panel %d: %w", panel, err)
			break // the rest is tried again with the next round
		}
		if ended {
			given = append(given, lease)
		}
	}
	if len(given) == 0 {
		return failed
	}
	if err := w.cfg.Leases.Release(bounded, w.cfg.Instance, given); err != nil {
		return fmt.Errorf("give leases of edited panels back: %w", err)
	}
	return errors.Join(failed, w.share(bounded, sessions, len(given), false))
}

func (w *Worker) followOne(ctx context.Context, panel ids.PanelID) (lease live.Lease, ended bool, err error) {
	w.mu.Lock()
	h := w.sessions[panel]
	w.mu.Unlock()
	if h == nil {
		return lease, false, nil
	}
	now := h.session.reach.Load()
	reach, err := w.cfg.Panels.Access(ctx, panel)
	gone := errors.Is(err, site.ErrPanelNotFound)
	switch {
	case err != nil && !gone:
		return lease, false, err
	case !gone && reach.Address == now.Address && reach.Key == now.Key:
		h.session.reach.Store(&reach)
		h.session.endingSince = time.Time{} // what was to end it was corrected meanwhile
		w.cfg.Logger.Info("how a panel is reached was edited", "panel_id", panel)
		return lease, false, nil
	case !h.session.mayEnd(w.cfg.Clock()):
		return lease, false, nil
	}
	if gone {
		w.hangUp(panel, "the panel was disabled")
		h.session.disabled()
	} else {
		w.hangUp(panel, "the panel has another address or integration key")
	}
	return h.lease, true, nil
}

// mayEnd reports whether nothing that was read waits to be stored, or has waited enough.
// Only the goroutine that follows calls it.
func (s *session) mayEnd(now time.Time) bool {
	if s.held.Load() == 0 {
		return true
	}
	if s.endingSince.IsZero() {
		s.endingSince = now
	}
	return now.Sub(s.endingSince) >= unsettledGrace
}

// disabled tells, after the session's end, that nobody asks the panel any more.
func (s *session) disabled() {
	s.state.Link, s.state.LinkReason, s.state.ChangedAt = live.LinkDown, "disabled", s.w.cfg.Clock()
	s.publishState()
}
