package panellog

import (
	"time"

	"dozor/internal/bus"
	"dozor/satel"
)

// ending is how a walk came to its end.
type ending int

const (
	endOpen      ending = iota // it did not
	endMet                     // at a record that is known: nothing is missing
	endLimit                   // first contact: as far back as history is kept
	endEmpty                   // at an empty record
	endErased                  // at the record that says that the memory was erased
	endCircle                  // at its own first index: the ring is read once round
	endOvertaken               // at the top of a newer segment: the ring came past
	endLost                    // what it had read, or was to read, is overwritten
)

func (e ending) String() string {
	return [...]string{"open", "met", "limit", "empty", "erased", "circle", "overtaken", "lost"}[e]
}

// item is a message that was sent and whose key was not yet seen in PostgreSQL.
type item struct {
	msg     bus.Message
	place   place // of a record
	settled bool
	sentAt  time.Time
	wait    time.Duration // until it goes out again
}

// segment is an open segment. Its records lie in three parts, from the top down:
// settled down to low, sent down to tail, pending below.
type segment struct {
	number       int64
	epoch        int
	firstContact bool
	top          place

	low     place   // offset 1: not even the top is settled
	sent    []*item // below low, in order
	tail    place   // deepest record sent
	pending []place // read, not yet known to be sound
	pairs   []pair  // newest of it, while read by this process from its top on
	end     ending
	met     int64  // the segment whose top was met, 0: what was known
	endSeen ending // pending as the records are
	gap     *item  // what says that something is missing
	probed  bool   // the epoch was probed after an unmet end

	// Valid for the connection of the moment.
	reachable bool        // its top is where it was
	checked   bool        // its tail is what it was
	topArg    satel.Index // the argument that gives its top, found by the newer walk
}

// adopt takes over from the same segment as it was before a reload what was sent and
// is not settled. It returns what it can't take: after a failover that lost commits,
// the mark in PostgreSQL lies above the one we had, and the records between must be
// read again before what lies deeper. Nothing of it counts as settled any more: what
// was seen in PostgreSQL may be just what was lost.
func (s *segment) adopt(before *segment) (left []*item) {
	s.gap, s.pairs = before.gap, before.pairs
	if s.gap != nil {
		s.end = before.end
	}
	if before.low.offset < s.low.offset {
		return before.sent
	}
	for _, it := range before.sent {
		if it.place.offset < s.low.offset {
			s.sent = append(s.sent, it)
			s.tail = it.place
		} else {
			left = append(left, it)
		}
	}
	return left
}

// watched reports whether a look shortly before its top did not show that yet: then all of
// it is news, an alarm perhaps with another record on top of it.
func (s *segment) watched() bool {
	return !s.top.notBefore.IsZero() && s.top.receivedAt.Sub(s.top.notBefore) <= watchedWithin
}

// last is the deepest record read, confirmed or not.
func (s *segment) last() place {
	if n := len(s.pending); n > 0 {
		return s.pending[n-1]
	}
	return s.tail
}

func (s *segment) remember(p place) {
	// Only an unbroken run from the top may become known pairs.
	if -p.offset == len(s.pairs) && len(s.pairs) < knownPairs {
		s.pairs = append(s.pairs, p.pair())
	}
}

// whole reports whether everything of the segment, and what is said of it, is settled.
func (s *segment) whole() bool {
	return s.end != endOpen && len(s.sent) == 0 && s.low.offset <= 0 && (s.gap == nil || s.gap.settled)
}
