package livetest

import (
	"testing"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// System is one store of live values, empty and all the test's own.
type System interface {
	// Process opens the store as one more operating system process would, with
	// connections of its own. It ends with the test.
	Process(t testing.TB) Process
	// Panels makes n enabled panels.
	Panels(t testing.TB, n int) []ids.PanelID
	// Disable disables a panel.
	Disable(t testing.TB, panel ids.PanelID)
	// NewTimeline gives the database another life, as a failover does.
	NewTimeline(t testing.TB)
	// Commit makes n frames with the next positions of the stream, in the system of
	// record, as a relay finds them before it publishes.
	Commit(t testing.TB, n int) []live.Frame
	// NewEpoch begins another life of the stream and returns its number; positions
	// begin at 1.
	NewEpoch(t testing.TB) int64
	// Forget takes a frame away from what Range reads.
	Forget(t testing.TB, epoch, position int64)
}

// Process is one process's end of the store.
type Process struct {
	States live.States
	Leases live.Leases
	Fanout live.Fanout
	Way    Way
}

// Way is what lies between a process and the server.
type Way interface {
	// Cut ends all connections; new ones are refused.
	Cut()
	// Stall keeps everything back without ending connections.
	Stall()
	// DropAnswers loses what the server answers; what it is told still arrives.
	DropAnswers()
	// Heal ends any of these.
	Heal()
}

type weather struct {
	name  string
	fault func(Way) // nil: a good way
}

var weathers = []weather{
	{name: "good", fault: nil},
	{name: "cut", fault: Way.Cut},
	{name: "stalled", fault: Way.Stall},
	{name: "unanswered", fault: Way.DropAnswers},
}

// Run runs the contract against systems that open makes, one for each case.
func Run(t *testing.T, open func(t testing.TB) System) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, w := range weathers {
				t.Run(w.name, func(t *testing.T) {
					t.Parallel()
					c.run(newScene(t, open(t), w))
				})
			}
		})
	}
}

var cases = []struct {
	name string
	run  func(s *scene)
}{
	{"StateComesBackWhole", stateComesBackWhole},
	{"HighestStateWins", highestStateWins},
	{"TouchMovesOnlyTheAnswer", touchMovesOnlyTheAnswer},
	{"NoPanelTwice", noPanelTwice},
	{"OnlyFreeAndEnabledAreGranted", onlyFreeAndEnabledAreGranted},
	{"LongestFreeFirst", longestFreeFirst},
	{"RenewedLeaseIsKept", renewedLeaseIsKept},
	{"LapsedLeaseGoesToAnother", lapsedLeaseGoesToAnother},
	{"FencesNeverRepeat", fencesNeverRepeat},
	{"UntilCountsFromBefore", untilCountsFromBefore},
	{"TimelineIsThatOfTheGrant", timelineIsThatOfTheGrant},
	{"TwoNeverTrustOnePanel", twoNeverTrustOnePanel},
	{"WorkersKnowOfEachOther", workersKnowOfEachOther},
	{"FormerHolderWritesNothing", formerHolderWritesNothing},
	{"FramesReachEverySubscriber", framesReachEverySubscriber},
	{"SubscribingEndsByItself", subscribingEndsByItself},
	{"PublishingAgainIsHarmless", publishingAgainIsHarmless},
	{"NewEpochIsFollowed", newEpochIsFollowed},
	{"RangeIsCompleteOrSaysSo", rangeIsCompleteOrSaysSo},
	{"BufferKeepsTheNewest", bufferKeepsTheNewest},
	{"PublishedOutOfOrder", publishedOutOfOrder},
	{"SlowSubscriberHoldsUpNobody", slowSubscriberHoldsUpNobody},
}
