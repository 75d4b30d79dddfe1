package panellog

import (
	"context"
	"fmt"

	"dozor/internal/bus"
	"dozor/satel"
)

// Settle asks PostgreSQL which of the records sent are there, moves the marks over the
// settled prefix of each segment, closes segments that are whole, and sends again what
// has waited too long. It needs no connection to the panel.
func (l *Log) Settle(ctx context.Context) error {
	if l.Settled() {
		return nil
	}
	if err := l.ensureLoaded(ctx); err != nil {
		return err
	}
	if err := l.ask(ctx); err != nil {
		return err
	}
	if !l.contact {
		return l.contactEmpty(ctx)
	}
	if err := l.advance(ctx); err != nil {
		// In memory we are ahead of PostgreSQL now, or not: it alone knows.
		l.forget()
		return err
	}
	l.resend()
	return nil
}

// Settled reports whether Settle has nothing to do.
func (l *Log) Settled() bool {
	beginning := l.sawEmpty && !l.contact // once that is said, its row is still to be written
	return l.loaded && !beginning && !l.closable() && l.Unsettled() == 0
}

// Unsettled is the number of messages sent whose keys were not seen in PostgreSQL.
func (l *Log) Unsettled() int { return len(l.unsettled()) }

func (l *Log) unsettled() []*item {
	var items []*item
	add := func(more ...*item) {
		for _, it := range more {
			if it != nil && !it.settled {
				items = append(items, it)
			}
		}
	}
	for _, s := range l.segments {
		add(s.sent...)
		add(s.gap)
	}
	add(l.notices...)
	add(l.erased)
	return items
}

func (l *Log) closable() bool { return len(l.segments) > 0 && l.segments[0].whole() }

func (l *Log) ask(ctx context.Context) error {
	items := l.unsettled()
	if len(items) == 0 {
		return nil
	}
	keys := make([]bus.Key, len(items))
	for i, it := range items {
		keys[i] = it.msg.Key
	}
	present, err := l.cfg.Present(ctx, keys)
	if err != nil {
		return fmt.Errorf("ask which events of panel %d are stored: %w", l.cfg.Panel, err)
	}
	settled := 0
	for _, it := range items {
		if present[it.msg.Key] {
			it.settled = true
			settled++
		}
	}
	l.cfg.Held(-settled)
	keep := l.notices[:0]
	for _, it := range l.notices {
		if !it.settled || !l.contact {
			keep = append(keep, it)
		}
	}
	l.notices = keep
	return nil
}

// contactEmpty begins the log of a panel whose memory was empty at first contact, once
// it is recorded that nothing of before can be known.
func (l *Log) contactEmpty(ctx context.Context) error {
	for _, it := range l.notices {
		if !it.settled {
			l.resend()
			return nil
		}
	}
	if !l.sawEmpty || len(l.notices) == 0 {
		return nil
	}
	if err := l.store.begin(ctx, l.cfg.Panel, l.cfg.Fence, l.timeline, nil, nil); err != nil {
		return fmt.Errorf("begin the log of panel %d: %w", l.cfg.Panel, err)
	}
	l.notices = nil
	l.loaded = false
	return l.ensureLoaded(ctx)
}

// advance moves marks and cursor by one guarded statement.
func (l *Log) advance(ctx context.Context) error {
	var moved []segmentMark
	closed := 0
	for _, s := range l.segments {
		before := s.low.offset
		for len(s.sent) > 0 && s.sent[0].settled && s.sent[0].place.offset == s.low.offset-1 {
			s.low = s.sent[0].place
			s.sent = s.sent[1:]
		}
		if s.low.offset != before {
			moved = append(moved, segmentMark{segment: s, state: "open"})
		}
	}
	known, cursor := l.known, l.cursor
	for _, s := range l.segments {
		if !s.whole() || (l.erased != nil && s.gap == nil && s.unmet()) {
			break
		}
		pairs, err := l.pairsOf(ctx, s)
		if err != nil {
			return err
		}
		known, cursor = merge(pairs, known), s.number
		moved = markState(moved, s)
		closed++
	}
	if l.erased != nil && l.erased.settled && l.allSent() {
		return l.erase(ctx)
	}
	if len(moved) == 0 {
		return nil
	}
	l.cfg.Hit("worker.before_cursor")
	ok, err := l.store.advance(ctx, l.guard(), cursor, known, moved)
	if err != nil {
		return fmt.Errorf("move the cursor of panel %d: %w", l.cfg.Panel, err)
	}
	if !ok {
		l.forget()
		return nil
	}
	l.mark++
	l.known, l.cursor = known, cursor
	l.segments = append([]*segment{}, l.segments[closed:]...)
	return nil
}

func (l *Log) allSent() bool {
	for _, s := range l.segments {
		if len(s.sent) > 0 {
			return false
		}
	}
	return true
}

// erase begins a new epoch after the memory was found empty, and closes what was open.
func (l *Log) erase(ctx context.Context) error {
	cursor := l.cursor
	if newest := l.newest(); newest != nil {
		cursor = newest.number
	}
	ok, err := l.store.erase(ctx, l.guard(), cursor)
	if err != nil {
		return fmt.Errorf("record that the memory of panel %d was erased: %w", l.cfg.Panel, err)
	}
	l.erased = nil
	l.forget()
	if !ok {
		return nil
	}
	for _, s := range l.segments {
		if s.gap != nil && !s.gap.settled {
			l.notices = append(l.notices, s.gap)
		}
	}
	l.segments = nil
	return nil
}

// pairsOf gives the newest pairs of a segment, from PostgreSQL where this process did
// not read them all.
func (l *Log) pairsOf(ctx context.Context, s *segment) ([]pair, error) {
	if len(s.pairs) >= min(knownPairs, 1-s.low.offset) {
		return s.pairs, nil
	}
	pairs, err := l.store.pairs(ctx, l.cfg.Panel, s)
	if err != nil {
		return nil, fmt.Errorf("read the newest records of segment %d: %w", s.number, err)
	}
	return pairs, nil
}

// merge puts the pairs of a closed segment before those known, each once.
func merge(newer, older []pair) []pair {
	out := append([]pair{}, newer...)
	for _, p := range older {
		if len(out) >= knownPairs {
			break
		}
		if !contains(newer, p) {
			out = append(out, p)
		}
	}
	return out[:min(len(out), knownPairs)]
}

func contains(pairs []pair, p pair) bool {
	for _, q := range pairs {
		if q == p {
			return true
		}
	}
	return false
}

func markState(moved []segmentMark, s *segment) []segmentMark {
	state := "closed"
	if s.gap != nil || s.unmet() && s.end == endLost {
		state = "gap"
	}
	for i := range moved {
		if moved[i].segment == s {
			moved[i].state = state
			return moved
		}
	}
	return append(moved, segmentMark{segment: s, state: state})
}

// resend sends again what has been unsettled for too long. It is called only after
// PostgreSQL answered: while it can't be asked, nothing is known to be missing.
func (l *Log) resend() {
	now := l.cfg.Clock()
	var again []bus.Message
	for _, it := range l.unsettled() {
		if now.Sub(it.sentAt) >= it.wait {
			it.sentAt, it.wait = now, min(2*it.wait, resendMax)
			again = append(again, it.msg)
		}
	}
	if len(again) > 0 {
		l.cfg.Send(again)
	}
}

// Close lets go of what is held in memory; the panel and the marks in PostgreSQL know
// where to go on.
func (l *Log) Close() {
	l.Disconnected()
	l.cfg.Held(-l.Unsettled())
	l.segments, l.notices, l.erased, l.loaded = nil, nil, nil, false
}

// encodePairs is the form of known pairs in panel_logs: 11 bytes each.
func encodePairs(pairs []pair) []byte {
	out := make([]byte, 0, len(pairs)*pairSize)
	for _, p := range pairs {
		out = append(out, p.index[:]...)
		out = append(out, p.record[:]...)
	}
	return out
}

const pairSize = len(satel.Index{}) + len(satel.Record{})

func decodePairs(raw []byte) []pair {
	var pairs []pair
	for ; len(raw) >= pairSize; raw = raw[pairSize:] {
		var p pair
		copy(p.index[:], raw)
		copy(p.record[:], raw[len(p.index):])
		pairs = append(pairs, p)
	}
	return pairs
}
