package pgbus

import "slices"

// hole is an interval of ids, all missing when they were looked for. See the package's
// documentation for when one may be forgotten.
type hole struct {
	low, high int64
	// barrier is a transaction id that was taken after the hole was seen; 0: none yet.
	barrier int64
	// again: it was still missing at a later look. Most holes are filled by then and
	// never need a barrier.
	again bool
}

// holes are the missing ids up to the top, ascending.
type holes struct{ spans []hole }

// add notes an interval above all others.
func (h *holes) add(low, high int64) { h.spans = append(h.spans, hole{low: low, high: high}) }

// fill takes out an id whose row was found, and says whether it was missing.
func (h *holes) fill(id int64) bool {
	i, found := slices.BinarySearchFunc(h.spans, id, func(s hole, id int64) int {
		switch {
		case s.high < id:
			return -1
		case s.low > id:
			return 1
		}
		return 0
	})
	if !found {
		return false
	}
	below, above := h.spans[i], h.spans[i]
	below.high, above.low = id-1, id+1
	rest := make([]hole, 0, 2)
	for _, s := range []hole{below, above} {
		if s.low <= s.high {
			rest = append(rest, s)
		}
	}
	h.spans = slices.Replace(h.spans, i, i+1, rest...)
	return true
}

// wantsBarrier says whether a hole without a barrier was still there at a second look.
func (h *holes) wantsBarrier() bool {
	return slices.ContainsFunc(h.spans, func(s hole) bool { return s.again && s.barrier == 0 })
}

// mark gives a barrier, taken after all holes here were seen, to those without one.
func (h *holes) mark(barrier int64) {
	for i := range h.spans {
		if h.spans[i].barrier == 0 {
			h.spans[i].barrier = barrier
		}
	}
}

// looked ends a look at all holes, whose finds are filled: those that nobody can fill
// any more, judged by the xmin of a snapshot from before the look, are forgotten. It
// returns how many.
func (h *holes) looked(xmin int64) int {
	before := len(h.spans)
	h.spans = slices.DeleteFunc(h.spans, func(s hole) bool { return s.barrier != 0 && xmin >= s.barrier })
	for i := range h.spans {
		h.spans[i].again = true
	}
	return before - len(h.spans)
}

// bounds returns the intervals as two columns.
func (h *holes) bounds() (lows, highs []int64) {
	lows, highs = make([]int64, len(h.spans)), make([]int64, len(h.spans))
	for i, s := range h.spans {
		lows[i], highs[i] = s.low, s.high
	}
	return lows, highs
}
