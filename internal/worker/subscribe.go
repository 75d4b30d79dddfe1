package worker

import (
	"context"
	"sync/atomic"
	"time"

	"dozor/internal/live"
	"dozor/satel"
	"dozor/satel/client"
)

const (
	// pollPushed is how often a module that pushes is asked all the same: so often that an
	// alarm which it forgets to push is on the screen within a second.
	pollPushed = 500 * time.Millisecond
	// missedPushes is how many polls in a row may find news that were not pushed before the
	// module is not relied upon any more.
	missedPushes = 3
	// askAgain is how long a module that did not answer is spared: the answer may just have
	// been lost.
	askAgain = 6 * time.Hour
)

// pushes is what the module has sent unasked and the session has not looked into yet. Each
// is a hint that something is to be read; what was sent is not believed.
type pushes struct {
	lists  atomic.Uint64 // a satel.CommandSet
	record atomic.Bool
	wake   chan struct{} // capacity 1
}

// hear takes a frame, on the connection's goroutine.
func (p *pushes) hear(f satel.Frame) {
	if f.Cmd == satel.CmdEventRecord {
		p.record.Store(true)
	} else if set := satel.Commands(f.Cmd).Without(satel.CmdClock); set != 0 {
		p.lists.Or(uint64(set))
	} else {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take returns which lists were pushed since it was asked last, and whether a record was.
func (p *pushes) take() (lists satel.CommandSet, record bool) {
	if p.lists.Load() == 0 && !p.record.Load() {
		return 0, false
	}
	return satel.CommandSet(p.lists.Swap(0)), p.record.Swap(false)
}

func (p *pushes) forget() { p.take() }

// subscribe asks the module to push. One that leaves that without an answer is not asked
// again while it is the same: the time-out would delay each connection.
func (s *session) subscribe(ctx context.Context) error {
	s.missed, s.pushedSincePoll = 0, 0
	now := s.w.cfg.Clock()
	switch {
	case !s.w.cfg.Subscribe, s.state.Module == "":
		return nil
	case s.state.News == live.NewsPolled && now.Sub(s.pushAskedAt) < askAgain:
		return nil
	}
	s.state.News, s.pushAskedAt = live.NewsPolled, now
	result, err := s.conn.Subscribe(ctx, satel.Subscription{Changed: s.lists.all}, s.size)
	switch {
	case err != nil && (client.IsLost(err) || ctx.Err() != nil):
		s.state.News = ""
		return err
	case err != nil:
		s.log.Info("the module does not push; it is polled", "module", s.state.Module, "err", err)
	case result != satel.ResultAccepted:
		s.log.Info("the module refuses to push; it is polled", "module", s.state.Module, "result", result)
	default:
		s.state.News = live.NewsPushed
	}
	s.publishState()
	return nil
}

// followPushes looks into what was pushed.
func (s *session) followPushes(ctx context.Context, lists satel.CommandSet, record bool) error {
	s.alive()
	s.pushedSincePoll |= lists
	s.lists.changed(lists)
	if s.memory.Deep() || !record && lists&mayBeLogged == 0 {
		return nil // a long walk looks for news by itself
	}
	s.lookUntil = s.w.cfg.Clock().Add(followUp)
	return s.look(ctx)
}

// pollEvery is the time between two questions for news.
func (s *session) pollEvery() time.Duration {
	if s.state.News == live.NewsPushed {
		return max(s.w.cfg.Poll, pollPushed)
	}
	return s.w.cfg.Poll
}

// mistrust counts polls that found what should have been pushed. A module that accepted to
// push and does not is polled as any other.
func (s *session) mistrust(found satel.CommandSet) {
	if s.state.News != live.NewsPushed {
		return
	}
	missing := found & s.lists.all &^ (s.pushedSincePoll | s.lists.pending)
	s.pushedSincePoll = 0
	if missing == 0 {
		s.missed = 0
		return
	}
	if s.missed++; s.missed < missedPushes {
		return
	}
	s.log.Warn("the module accepted to push and does not; it is polled", "module", s.state.Module)
	s.state.News, s.state.ChangedAt = live.NewsPolled, s.w.cfg.Clock()
	s.publishState()
}
