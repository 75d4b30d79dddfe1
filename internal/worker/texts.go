package worker

import (
	"context"
	"time"

	"dozor/internal/site"
	"dozor/satel"
	"dozor/satel/client"
)

// Bounds of asking for event texts.
const (
	textsWaiting = 64 // codes; more unknown ones at once are noise
	textTries    = 3  // of a code whose answers are lost, in one session
)

// textOf is an event that no table of ours has.
type textOf struct {
	code    int
	restore bool
}

// textReader asks panels for their own words for events that we have none for. The events
// went out long before; their words follow.
type textReader struct {
	todo  []textOf
	tries map[textOf]int // how often each was asked for; textTries where it is settled
	next  time.Time
}

func (r *textReader) note(e satel.LogEntry) {
	if !e.Record.HasEvent() {
		return
	}
	of := textOf{e.Record.Code(), e.Record.Restore()}
	if _, known := satel.LookupEvent(of.code, of.restore); known || len(r.todo) == textsWaiting {
		return
	}
	if _, noted := r.tries[of]; !noted {
		r.tries[of] = 0
		r.todo = append(r.todo, of)
	}
}

// readText asks for the words of one event, where nobody has asked a panel of that
// firmware before, and reports whether it asked the panel.
func (s *session) readText(ctx context.Context) (asked bool, err error) {
	r, now := s.texts, s.w.cfg.Clock()
	if len(r.todo) == 0 || now.Before(r.next) {
		return false, nil
	}
	of := r.todo[0]
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	wanted, err := s.w.cfg.Panels.TextWanted(bounded, s.names.identity, of.code, of.restore)
	cancel()
	if err != nil {
		r.next = now.Add(namesRetry)
		s.log.Debug("whether words of an event are known can't be asked", "err", err)
		return false, nil
	}
	if !wanted {
		r.settle(of)
		return false, nil
	}
	text, err := s.eventText(ctx, of)
	if err != nil {
		if client.IsLost(err) || ctx.Err() != nil {
			return true, err // it stays to be asked on the next connection
		}
		// One lost answer is ordinary; an old module may leave the question open for ever.
		if r.tries[of]++; r.tries[of] >= textTries {
			r.settle(of)
		}
		return true, nil
	}
	s.alive()
	bounded, cancel = context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	if err := s.w.cfg.Panels.SaveText(bounded, s.names.identity, text); err != nil {
		r.next = now.Add(namesRetry)
		s.log.Debug("the panel's words for an event can't be kept for now", "err", err)
		return true, nil
	}
	r.settle(of)
	s.log.Info("the panel told its words for an event that no table has", "code", of.code)
	return true, nil
}

func (r *textReader) settle(of textOf) {
	r.todo = r.todo[1:]
	r.tries[of] = textTries
}

// eventText asks for the long text, and for the short one where there is no long one.
func (s *session) eventText(ctx context.Context, of textOf) (site.EventText, error) {
	text, err := s.conn.EventText(ctx, of.code, of.restore, true)
	if err == nil && text.Text == "" {
		text, err = s.conn.EventText(ctx, of.code, of.restore, false)
	}
	return site.EventText{Code: of.code, Restore: of.restore, Kind: int(text.LongKind), Text: text.Text}, err
}
