package worker

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEachWalkGetsItsPartOfTheRoomAndNewsAlwaysDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newBudget()
		hog := b.open()
		for hog.room(true) {
			hog.change(1)
		}
		require.Equal(t, maxUnsettledWalked, hog.held, "alone it may use all of the room")
		others := make([]*account, rapid.IntRange(1, 300).Draw(t, "panels"))
		for i := range others {
			others[i] = b.open()
			require.False(t, others[i].room(true), "there is none yet")
			require.True(t, others[i].room(false), "but for news")
		}
		part := maxUnsettledWalked / (len(others) + 1)
		// Records are settled one by one, in whatever order panels ask.
		for hog.held > 0 {
			hog.change(-min(hog.held, rapid.IntRange(100, 400).Draw(t, "settled")))
			if hog.held >= part {
				require.False(t, hog.room(true), "it has more than its part")
			}
			for _, a := range others {
				for a.room(true) {
					a.change(1)
				}
				require.LessOrEqual(t, a.held, part)
			}
			require.LessOrEqual(t, b.held, maxUnsettledWalked)
		}
		for _, a := range others {
			require.Equal(t, part, a.held, "each has its part, whoever asks first")
			require.True(t, a.room(false))
		}
		require.True(t, hog.room(true), "and so has the first one")
	})
}
