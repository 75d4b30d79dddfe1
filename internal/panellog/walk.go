package panellog

import (
	"context"
	"fmt"
	"math"
	"time"

	"dozor/satel"
)

// Look reads the newest record and reports whether it is news. News opens a segment
// and is sent at once; everything read and unconfirmed until then is read again, since
// the ring may have moved on. No news confirms it.
func (l *Log) Look(ctx context.Context) (news bool, err error) {
	if err := l.ensureLoaded(ctx); err != nil {
		return false, err
	}
	if !l.contact {
		return false, l.firstContact(ctx)
	}
	if !l.probed {
		// A failover may have taken an epoch back with the last commits, or the panel was
		// reached before the first contact was on record: no segment opens under an epoch
		// that nobody vouches for.
		if err := l.probe(ctx, changedAway); err != nil || !l.probed {
			return false, err
		}
	}
	if !l.cfg.Room(false) {
		return false, ErrFull
	}
	asked := l.cfg.Clock()
	e, at, err := l.reader.Newest(ctx)
	if err != nil {
		return false, err
	}
	before := l.lastLook
	l.lastLook, l.looked = asked, true
	if !e.Record.Present() {
		l.foundEmpty(at)
		return false, nil
	}
	l.withdrawErased()
	if newest := l.newest(); newest != nil && newest.top.pair() == pairOf(e) {
		newest.reachable, newest.checked = true, true
		l.confirm()
		return false, l.afterConfirm(ctx)
	} else if newest == nil && len(l.known) > 0 && l.known[0] == pairOf(e) {
		return false, nil
	}
	l.burst = walkBurst
	for _, s := range l.segments {
		if len(s.pending) > 0 {
			// News keep coming while this walk reads: shorter steps, so that some of
			// them end before the next news and the walk gets on.
			l.burst = 1
		}
		l.unconfirm(s)
		s.reachable, s.checked = false, false
	}
	s, err := l.open(ctx, e, at, before)
	if err != nil || s == nil {
		return true, err
	}
	l.cfg.Hit("worker.segment_opened")
	s.reachable, s.checked = true, true
	l.emit(s, s.top)
	l.cfg.Hit("worker.after_publish")
	return true, nil
}

func (l *Log) open(ctx context.Context, e satel.LogEntry, at, before time.Time) (*segment, error) {
	number, err := l.store.openSegment(ctx, l.guard(), l.epoch, e)
	if err != nil {
		return nil, fmt.Errorf("open a segment of panel %d: %w", l.cfg.Panel, err)
	}
	if number == 0 {
		l.forget()
		return nil, nil
	}
	s := &segment{
		number: number, epoch: l.epoch, low: place{offset: 1},
		top: place{arg: satel.NewestIndex, index: e.Index, record: e.Record, receivedAt: at, notBefore: before},
	}
	s.tail = s.top
	l.segments = append(l.segments, s)
	return s, nil
}

// Step walks by one request and reports whether there was nothing to walk. The newest
// segment goes first; an older one waits until the walk of the newer has met its top.
func (l *Log) Step(ctx context.Context) (idle bool, err error) {
	s := l.toWalk()
	if s == nil {
		if l.led() { // to all that can be read: what is open is nowhere on the way
			l.giveUpBetween(nil, l.newest(), l.cfg.Clock())
		}
		return true, nil
	}
	full := !l.cfg.Room(!s.watched() || s.last().offset <= -liveSpan)
	if len(s.pending) >= l.burst || s.endSeen != endOpen || len(s.pending) > 0 && (full || l.cfg.Clock().Sub(l.lastLook) >= LookEvery) {
		if !l.cfg.Room(false) {
			return true, nil
		}
		_, err := l.Look(ctx)
		return false, err
	}
	if !s.checked {
		return false, l.check(ctx, s)
	}
	if full {
		return true, nil
	}
	last := s.last()
	e, at, err := l.reader.Older(ctx, last.index)
	if err != nil {
		return false, err
	}
	l.cfg.Hit("worker.mid_walk")
	return false, l.take(ctx, s, e, at, last)
}

// led reports whether the newest top was seen where it was, on this connection.
func (l *Log) led() bool {
	newest := l.newest()
	return l.loaded && l.looked && newest != nil && newest.reachable
}

// toWalk is the newest segment that has something to read and may be read. From the newest top
// each walk that has ended leads to the next: to the segment that it met.
func (l *Log) toWalk() *segment {
	if !l.led() {
		return nil
	}
	for s := l.newest(); s != nil; {
		if s.end == endOpen {
			return s
		}
		met := l.numbered(s.met)
		if met != nil && !met.reachable {
			met.reachable, met.topArg = true, s.last().index
		}
		s = met
	}
	return nil
}

// numbered is the open segment of that number, nil when there is none.
func (l *Log) numbered(number int64) *segment {
	for _, s := range l.segments {
		if s.number == number {
			return s
		}
	}
	return nil
}

// giveUpBetween ends the walks of the segments below newer and above older, which may be nil:
// they are not on the way.
func (l *Log) giveUpBetween(older, newer *segment, at time.Time) {
	for i := l.position(newer) - 1; i >= 0 && l.segments[i] != older; i-- {
		if s := l.segments[i]; s.end == endOpen {
			l.giveUp(s, at)
		}
	}
}

// check asks for the deepest record of an older segment again, by the argument that
// gave it. Changed means that the ring came past: the rest is lost, and that is said.
func (l *Log) check(ctx context.Context, s *segment) error {
	arg := s.tail.arg
	if s.tail.offset == 0 {
		arg = s.topArg
	}
	e, at, err := l.reader.Older(ctx, arg)
	if err != nil {
		return err
	}
	if e.Record.Present() && pairOf(e) == s.tail.pair() {
		s.checked = true
		return nil
	}
	l.finish(s, endLost, at)
	return nil
}

// take judges one record that was read below last.
func (l *Log) take(ctx context.Context, s *segment, e satel.LogEntry, at time.Time, last place) error {
	end := l.endsAt(s, e, last)
	if end == endMet {
		// The older top stands where it stood, so nothing newer was overwritten before
		// it was read: the ring overwrites the oldest first.
		l.publishPending(s)
		l.finish(s, endMet, at)
		l.meet(s, pairOf(e), last.index, at)
		return l.afterConfirm(ctx)
	}
	if end == endOpen {
		s.pending = append(s.pending, place{
			offset: last.offset - 1, arg: last.index, index: e.Index, record: e.Record,
			receivedAt: at, notBefore: s.top.notBefore,
		})
		l.cfg.Held(1)
	}
	if end == endOpen && s.firstContact && s.last().offset <= 1-firstContactSpan {
		end = endLimit
	}
	s.endSeen = end
	return nil
}

func (l *Log) endsAt(s *segment, e satel.LogEntry, last place) ending {
	if !e.Record.Present() {
		return endEmpty
	}
	p := pairOf(e)
	below := true // segments below s in log order come first in the list
	for _, other := range l.segments {
		if other == s {
			below = false
			continue
		}
		if other.top.pair() == p {
			if below {
				return endMet
			}
			return endOvertaken
		}
	}
	if e.Index == s.top.index {
		return endCircle
	}
	if !s.firstContact { // of which the known pairs are a part
		for _, k := range l.known {
			if k == p {
				return endMet
			}
		}
		if l.former[p] {
			return endMet
		}
	}
	if last.record.Code() == codeErased {
		// What still lies behind the mark of an erased memory is not its log any more.
		return endErased
	}
	return endOpen
}

// meet marks the segment whose top a newer walk met as readable on this connection, and
// gives up those between, whose tops were not where they should be. What was met may also be
// known from before all of them.
func (l *Log) meet(newer *segment, p pair, arg satel.Index, at time.Time) {
	var met *segment
	for i := l.position(newer) - 1; i >= 0 && met == nil; i-- {
		if s := l.segments[i]; s.top.pair() == p {
			met = s
		}
	}
	l.giveUpBetween(met, newer, at)
	if met != nil {
		newer.met = met.number
		met.reachable, met.topArg = true, arg
		met.checked = met.tail.offset == 0
	}
}

// giveUp ends the walk of a segment whose records can't be read any more.
func (l *Log) giveUp(s *segment, at time.Time) {
	l.unconfirm(s)
	s.end = endLost
	l.sayGap(s, at)
}

func (l *Log) position(s *segment) int {
	for i, other := range l.segments {
		if other == s {
			return i
		}
	}
	return -1
}

// confirm publishes what was read before a look that showed nothing new.
func (l *Log) confirm() {
	for _, s := range l.segments {
		if len(s.pending) > 0 {
			l.publishPending(s)
			l.burst = min(2*l.burst, walkBurst)
		}
		if s.endSeen != endOpen {
			end := s.endSeen
			s.endSeen = endOpen
			l.finish(s, end, l.cfg.Clock())
		}
	}
}

// afterConfirm probes the epoch once a walk has ended without meeting what was known.
func (l *Log) afterConfirm(ctx context.Context) error {
	s := l.newestFinished()
	if s == nil || s.firstContact || !s.unmet() || s.probed {
		return nil
	}
	s.probed = true
	return l.probe(ctx, "a walk ended without meeting the last record: "+s.end.String())
}

func (l *Log) newestFinished() *segment {
	for i := len(l.segments) - 1; i >= 0; i-- {
		if l.segments[i].end != endOpen {
			return l.segments[i]
		}
	}
	return nil
}

func (l *Log) publishPending(s *segment) {
	for _, p := range s.pending {
		l.emit(s, p)
		l.cfg.Hit("worker.after_publish")
	}
	l.cfg.Held(-len(s.pending)) // each is held as what was sent now
	s.pending = nil
}

// finish ends a walk, says a gap where there is one, and gives up what lies behind it.
func (l *Log) finish(s *segment, end ending, at time.Time) {
	s.end = end
	if !s.unmet() {
		return
	}
	l.giveUpBetween(nil, s, at)
	if l.isGap(s) {
		l.sayGap(s, at)
	}
}

// unmet reports whether a walk ended elsewhere than at what was known.
func (s *segment) unmet() bool { return s.end != endOpen && s.end != endMet && s.end != endLimit }

// isGap reports whether an unmet end means that records are missing. Behind a memory
// that was known to be empty, or never seen before, there is nothing to miss; unless it
// is full by now, since a ring that came round ends at an empty record all the same.
func (l *Log) isGap(s *segment) bool {
	if s.end == endLost || s.end == endOvertaken {
		return true
	}
	oldest := l.position(s) == 0
	if s.firstContact {
		return false
	}
	return !(s.end == endEmpty && oldest && len(l.known) == 0 && l.heldFrom(s) < l.capacity())
}

// heldFrom is how many records were read of a segment and of all newer ones.
func (l *Log) heldFrom(s *segment) int {
	held := 0
	for _, newer := range l.segments[max(0, l.position(s)):] {
		held += 1 - newer.tail.offset
	}
	return held
}

// capacity is how many records the panel's memory holds. Of a panel whose model is not
// known the smallest memory is assumed: rather a gap too many is said than one too few.
func (l *Log) capacity() int {
	smallest := math.MaxInt
	for _, m := range satel.Models() {
		if int(m.Code) == l.model {
			return m.LogSize
		}
		smallest = min(smallest, m.LogSize)
	}
	return smallest
}

// Deep reports whether a walk with more than a few records before it gets on, and so looks
// for news by itself: then state lists may wait. One that waits for room does not.
func (l *Log) Deep() bool {
	s := l.toWalk()
	return s != nil && s.last().offset <= -4 && l.cfg.Clock().Sub(l.lastLook) < LookEvery
}
