package stream

import (
	"context"
	"errors"

	"dozor/internal/wire"
)

// advance moves towards the head and returns what is to be written for it; nothing
// where it has to wait.
func (s *Subscription) advance() []Message {
	for {
		var messages []Message
		var more bool
		switch {
		case s.lost != nil:
			return s.reset(*s.lost)
		case s.phase == waiting:
			return nil
		case s.phase == checking:
			more = s.check()
		default:
			messages, more = s.collect()
		}
		if len(messages) > 0 || !more {
			return messages
		}
	}
}

// check looks for the cursor's place and reports whether it knows the answer. What this
// instance has seen proves that a position is of the stream, never that it is not:
// beyond that PostgreSQL is asked.
func (s *Subscription) check() bool {
	s.hub.mu.RLock()
	epoch, first, top, last := s.hub.epoch, s.hub.ring.first, s.hub.ring.top, s.hub.last
	s.hub.mu.RUnlock()
	switch {
	case s.epoch < epoch:
		s.lost = &wire.StreamPosition{Epoch: epoch, Position: last}
		return true
	case s.epoch == epoch && s.cursor <= top:
		s.phase = running
		if s.cursor+1 >= first {
			s.count("ring")
		} else {
			s.count("below")
		}
		return true
	}
	s.questions.ask(s.generation, func(ctx context.Context) answer {
		head, err := s.hub.Head(ctx)
		return answer{head: &head, err: err}
	})
	return false
}

func (s *Subscription) count(way string) {
	if !s.counted {
		s.counted = true
		s.hub.cfg.Metrics.resumes.WithLabelValues(way).Inc()
	}
}

// collect takes what lies beyond the cursor; more says that it moved and that looking
// again is worth it.
func (s *Subscription) collect() (messages []Message, more bool) {
	if len(s.below) > 0 {
		return s.fromBelow(), true
	}
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	ring := &s.hub.ring
	switch {
	case s.hub.epoch > s.epoch:
		s.lost = &wire.StreamPosition{Epoch: s.hub.epoch, Position: s.hub.last}
		return nil, true
	case s.hub.epoch < s.epoch || s.cursor > ring.top:
		return nil, false // PostgreSQL knows this place already, this instance not yet
	case s.cursor == ring.top:
		s.upToDate = true
		return nil, false
	case s.cursor+1 < ring.first:
		s.askBelow(ring.top)
		return nil, false
	}
	messages = s.out[:0]
	bytes, scanned := 0, 0
	for s.next < ring.top && len(messages) < maxMessages && bytes < maxBytes && scanned < maxScanned {
		s.next++
		scanned++
		e := ring.at(s.next)
		if !s.scope.sees(e) {
			continue
		}
		m := message(e)
		if s.upToDate {
			m.frame = e
		}
		messages = append(messages, m)
		bytes += len(e.data)
	}
	if len(messages) == 0 {
		s.cursor = s.next // nothing to be written
	}
	s.out = messages
	if s.next == ring.top {
		s.upToDate = true
		s.rested = !s.choosesPanels()
	}
	return messages, true
}

func message(e *entry) Message {
	return Message{Data: e.data, Position: e.position, Trace: e.trace, AnsweredAt: e.answeredAt}
}

// fromBelow takes what was read below the ring.
func (s *Subscription) fromBelow() (messages []Message) {
	messages = s.out[:0]
	bytes := 0
	for len(s.below) > 0 && len(messages) < maxMessages && bytes < maxBytes {
		e := s.below[0]
		s.below[0], s.below = nil, s.below[1:]
		s.next = e.position
		if !s.scope.sees(e) {
			continue
		}
		messages = append(messages, message(e))
		bytes += len(e.data)
	}
	if len(messages) == 0 {
		s.cursor = s.next
	}
	s.out = messages
	return messages
}

func (s *Subscription) askBelow(upTo int64) {
	epoch, after := s.epoch, s.cursor
	s.questions.ask(s.generation, func(ctx context.Context) answer {
		entries, err := s.hub.fetch(ctx, epoch, after, upTo)
		return answer{entries: entries, err: err}
	})
}

// hear takes an answer; one to a question of before the last begin is dropped.
func (s *Subscription) hear(a answer) {
	s.questions.open = false
	if a.generation != s.generation {
		return
	}
	if _, trimmed := errors.AsType[trimmedError](a.err); trimmed {
		s.hub.mu.RLock()
		s.lost = &wire.StreamPosition{Epoch: s.hub.epoch, Position: s.hub.last}
		s.hub.mu.RUnlock()
		return
	}
	switch {
	case a.err != nil:
		s.questions.pause()
	case a.head != nil && (a.head.Epoch != s.epoch || a.head.Position < s.cursor):
		s.lost = a.head
	case a.head != nil:
		// PostgreSQL knows the place; this instance will.
		s.count("waiting")
		s.phase = running
		s.hub.pokeNow()
	case len(a.entries) == 0:
		s.questions.pause()
	default:
		s.below = a.entries
	}
}
