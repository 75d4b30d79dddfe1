package pg

import (
	"context"
	"time"
)

// notifyTimeout bounds one sending, so that a frozen database does not hold hints that
// a healthy one would carry a moment later.
const notifyTimeout = 2 * time.Second

// notifyRetry is the pause after a sending that failed.
const notifyRetry = 250 * time.Millisecond

// notify sends what is pending, each channel at most once in HintInterval.
func (h *Hints) notify(ctx context.Context) {
	sent := map[string]time.Time{}
	failing := false
	for {
		due, wait := h.takeDue(sent, time.Now())
		if len(due) == 0 {
			// Nothing pending, or only channels that were served a moment ago.
			var later <-chan time.Time
			if wait > 0 {
				later = time.After(wait)
			}
			select {
			case <-ctx.Done():
				return
			case <-later:
			case <-h.send:
			}
			continue
		}
		err := h.sendHints(ctx, due)
		switch {
		case err == nil:
			if failing {
				h.log.Info("hints reach the database again")
			}
			failing = false
		case ctx.Err() != nil:
			return
		default:
			if !failing {
				h.log.Warn("hints don't reach the database: readers poll", "err", err)
			}
			failing = true
			h.putBack(due)
			pause(ctx, notifyRetry)
		}
	}
}

// takeDue removes and returns the pending channels that may be notified now, or says
// how long until the next may.
func (h *Hints) takeDue(sent map[string]time.Time, now time.Time) (due []string, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for channel := range h.pending {
		if left := HintInterval - now.Sub(sent[channel]); left > 0 {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		delete(h.pending, channel)
		sent[channel] = now
		due = append(due, channel)
	}
	return due, wait
}

func (h *Hints) putBack(channels []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, channel := range channels {
		h.pending[channel] = struct{}{}
	}
}

func (h *Hints) sendHints(ctx context.Context, channels []string) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	_, err := h.pool.Exec(ctx, "SELECT pg_notify(channel, '') FROM unnest($1::text[]) AS channel", channels)
	return err
}
