package tiers

import (
	"context"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// trustFor is how long a comparison of Redis with PostgreSQL is good for: two rounds of
// Keep may be missed.
const trustFor = 3 * keepEvery

// trust is what the last comparison found. Under the store's mutex.
type trust struct {
	at     time.Time // zero: Redis is not to be read
	known  int       // how many panels have a state
	behind map[ids.PanelID]struct{}
}

// PutStates implements live.States: PostgreSQL decides whether it went well.
func (s *Store) PutStates(ctx context.Context, states []live.PanelState) error {
	done := s.alsoInRedis(ctx, func(ctx context.Context) error { return s.redis.PutStates(ctx, states) })
	defer done()
	return s.postgres.PutStates(ctx, states)
}

// Touch implements live.States.
func (s *Store) Touch(ctx context.Context, answered []live.Answered) error {
	done := s.alsoInRedis(ctx, func(ctx context.Context) error { return s.redis.Touch(ctx, answered) })
	defer done()
	return s.postgres.Touch(ctx, answered)
}

// alsoInRedis writes there at the same time; done waits for it. What fails there is found
// by Keep.
func (s *Store) alsoInRedis(ctx context.Context, write func(context.Context) error) (done func()) {
	if !s.uses() {
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := write(ctx)
		s.told(ctx, err)
		if err != nil {
			s.doubt() // this process, at least, knows at once
		}
	}()
	return func() { <-ended }
}

// States implements live.States.
func (s *Store) States(ctx context.Context, panels ...ids.PanelID) ([]live.PanelState, error) {
	if wanted, ok := s.trusts(panels); ok {
		states, err := s.redis.States(ctx, panels...)
		s.told(ctx, err)
		// A panel that Redis does not know may be known to PostgreSQL: it is new, or Redis
		// was emptied a moment ago.
		if err == nil && len(states) >= wanted {
			s.found(len(states))
			return states, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	return s.postgres.States(ctx, panels...)
}

// trusts says whether Redis has the newest values of these panels, of all when none is
// given, and how many it must have then.
func (s *Store) trusts(panels []ids.PanelID) (wanted int, ok bool) {
	if !s.uses() {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trust.at.IsZero() || time.Since(s.trust.at) > trustFor {
		return 0, false
	}
	if len(panels) == 0 {
		return s.trust.known, len(s.trust.behind) == 0
	}
	for _, p := range panels {
		if _, behind := s.trust.behind[p]; behind {
			return 0, false
		}
	}
	return len(panels), true
}

// found notes that Redis had the state of so many panels: as many must be there the next
// time.
func (s *Store) found(panels int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trust.known = max(s.trust.known, panels)
}

// compare finds out which panels Redis is behind of, and puts them right there.
func (s *Store) compare(ctx context.Context) error {
	began, doubts := time.Now(), s.doubtsSoFar()
	versions, err := s.postgres.Versions(ctx)
	if err != nil {
		return err
	}
	have, err := s.redis.Versions(ctx)
	s.told(ctx, err)
	if err != nil {
		return err
	}
	behind := map[ids.PanelID]struct{}{}
	var wanted []ids.PanelID
	var touched []live.Answered
	for panel, v := range versions {
		h, ok := have[panel]
		switch {
		case !ok || h.Older(v):
			behind[panel] = struct{}{}
			wanted = append(wanted, panel)
		case h.AnsweredAt.Before(v.AnsweredAt):
			touched = append(touched, live.Answered{PanelID: panel, Fence: v.Fence, AnsweredAt: v.AnsweredAt})
		}
	}
	if len(touched) > 0 {
		err := s.redis.Touch(ctx, touched)
		s.told(ctx, err)
		if err != nil {
			return err
		}
	}
	s.believe(trust{at: began, known: len(versions), behind: behind}, doubts)
	if len(wanted) == 0 {
		return nil
	}
	states, err := s.postgres.States(ctx, wanted...)
	if err != nil {
		return err
	}
	err = s.redis.PutStates(ctx, states)
	s.told(ctx, err)
	return err
}

// believe takes over what a comparison found, unless a doubt came up since it began: what
// it read of PostgreSQL may be older than the write that failed in Redis.
func (s *Store) believe(t trust, doubts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if doubts == s.doubts {
		s.trust = t
	}
}

// doubt says that Redis may not have what PostgreSQL has: it is not read before it was
// compared anew.
func (s *Store) doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubts++
	s.trust = trust{}
}

func (s *Store) doubtsSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doubts
}
