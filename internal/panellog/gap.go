package panellog

import (
	"fmt"
	"strconv"
	"time"

	"dozor/internal/wire"
	"dozor/satel"
)

// watchedWithin is the age of a look up to which what came after it can't have filled a
// memory: the smallest holds 439 records.
const watchedWithin = time.Minute

// sayGap sends the event that says that records of a segment can't be read any more.
func (l *Log) sayGap(s *segment, at time.Time) {
	if s.gap != nil {
		return
	}
	args := l.gapArgs(s)
	l.cfg.Logger.Warn("records of the panel's memory are lost", "segment", s.number, "ending", s.end.String(), "missing", args["count"]+args["about"])
	s.gap = l.notice(wire.MemoryGap, fmt.Sprintf("panel %d segment %d", l.cfg.Panel, s.number), at, args)
}

// gapArgs tells how large the hole below a segment's deepest record is, as far as that can
// be known. Between two looks of the same minute no ring comes round, so that what is
// missing was in the memory at the look: a bound. Otherwise the ring may have come round
// more than once, indexes tell nothing, and the pace of what could be read gives an
// estimate. Erased memories tell neither.
func (l *Log) gapArgs(s *segment) map[string]string {
	args := map[string]string{"reason": l.gapReason(s)}
	read := 1 - s.tail.offset
	if read < 1 {
		return args
	}
	if (s.end == endLost || s.end == endOvertaken) && s.watched() {
		args["count"] = strconv.Itoa(max(1, l.capacity()-read))
	}
	before, known := l.lastBefore(s)
	if !known {
		return args
	}
	from, to, top := l.resolve(before), l.resolve(s.tail.record), l.resolve(s.top.record)
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return args // a clock was set in between: nothing can be told by it
	}
	args["from"], args["to"] = l.minute(from), l.minute(to)
	if span := top.Sub(to); args["count"] == "" && args["reason"] != endErased.String() && read > 1 && span >= time.Minute {
		args["about"] = strconv.Itoa(max(1, int(float64(read)*float64(to.Sub(from))/float64(span))))
	}
	return args
}

// Reasons of a gap besides the words for endings.
const (
	reasonWrapped = "wrapped" // the memory is full, and does not reach back to what was known
	reasonShort   = "short"   // it is not full and doesn't: replaced, or smaller than the tables say
)

// gapReason says why records are missing. A full ring ends at an empty record, as a young
// memory does; how much of it there is tells them apart.
func (l *Log) gapReason(s *segment) string {
	switch s.end {
	case endCircle:
		return reasonWrapped
	case endEmpty:
		if s.tail.record.Code() == codeErased {
			return endErased.String()
		}
		if l.heldFrom(s) >= l.capacity() {
			return reasonWrapped
		}
		return reasonShort
	default:
		return s.end.String()
	}
}

// lastBefore is the record at which a segment should have met what was known.
func (l *Log) lastBefore(s *segment) (satel.Record, bool) {
	if i := l.position(s); i > 0 {
		return l.segments[i-1].top.record, true
	}
	if len(l.known) > 0 {
		return l.known[0].record, true
	}
	return satel.Record{}, false
}

func (l *Log) resolve(r satel.Record) time.Time { return r.Resolve(l.cfg.Clock(), l.cfg.Location) }

// minute is an instant as the panel shows it.
func (l *Log) minute(at time.Time) string { return at.In(l.cfg.Location).Format("2006-01-02 15:04") }
