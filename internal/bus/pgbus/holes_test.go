package pgbus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// members lists the ids of the intervals, which must be ascending and disjoint.
func members(t require.TestingT, h *holes) map[int64]int64 {
	ids := map[int64]int64{}
	last := int64(0)
	for _, s := range h.spans {
		require.Greater(t, s.low, last)
		require.LessOrEqual(t, s.low, s.high)
		for id := s.low; id <= s.high; id++ {
			ids[id] = s.barrier
		}
		last = s.high
	}
	return ids
}

func TestHolesAreASetOfIDsWithBarriers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h, model := &holes{}, map[int64]int64{} // id to barrier
		top, clock := int64(0), int64(10)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				low := top + rapid.Int64Range(2, 4).Draw(t, "gap")
				top = low + rapid.Int64Range(0, 5).Draw(t, "length")
				h.add(low, top)
				for id := low; id <= top; id++ {
					model[id] = 0
				}
			},
			"fill": func(t *rapid.T) {
				id := rapid.Int64Range(0, top+1).Draw(t, "id")
				_, missing := model[id]
				require.Equal(t, missing, h.fill(id))
				delete(model, id)
			},
			"mark": func(t *rapid.T) {
				clock++
				h.mark(clock)
				for id, barrier := range model {
					if barrier == 0 {
						model[id] = clock
					}
				}
				require.False(t, h.wantsBarrier())
			},
			"looked": func(t *rapid.T) {
				xmin := rapid.Int64Range(9, clock+1).Draw(t, "xmin")
				h.looked(xmin)
				for id, barrier := range model {
					if barrier != 0 && barrier <= xmin {
						delete(model, id)
					}
				}
			},
			"": func(t *rapid.T) { require.Equal(t, model, members(t, h)) },
		})
	})
}

func TestBarrierIsWantedAtTheSecondLook(t *testing.T) {
	t.Parallel()
	var h holes
	h.add(5, 9)
	require.False(t, h.wantsBarrier(), "most holes are filled by the next look")
	h.looked(100)
	require.True(t, h.wantsBarrier())
	require.Len(t, h.spans, 1, "without a barrier nothing is forgotten")
}
