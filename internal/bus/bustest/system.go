package bustest

import (
	"context"
	"testing"

	"dozor/internal/bus"
)

// System is one bus, empty at first and all the test's own, as an adapter offers it to
// the suite.
type System interface {
	// Process opens the bus as one more operating system process would, with
	// connections of its own. It ends with the test.
	Process(t testing.TB) Process
	// DeadLetter finds the message of that key among those that were set aside.
	DeadLetter(ctx context.Context, key bus.Key) (DeadLetter, bool, error)
	// Window is how many unsettled messages a consumer gets at most. The suite
	// publishes more than that.
	Window() int
}

// Process is one process's end of the bus.
type Process struct {
	Bus bus.Bus
	// Way leads from this process to the server.
	Way Way
	// Kill cuts all connections of this process at once and for good, as its death
	// would; nothing is said to the server.
	Kill func()
}

// Way is what lies between a process and the server.
type Way interface {
	// Cut ends all connections; new ones are refused.
	Cut()
	// Stall keeps everything back without ending connections.
	Stall()
	// DropConfirms loses what the server answers; what it is told still arrives.
	DropConfirms()
	// Heal ends any of these.
	Heal()
}

// DeadLetter is a message that was set aside.
type DeadLetter struct {
	Message bus.Message
	Reason  string
}

// A weather is what befalls the ways while a case works.
type weather struct {
	name  string
	fault func(Way) // nil: nothing does
}

var weathers = []weather{
	{name: "good", fault: nil},
	{name: "cut", fault: Way.Cut},
	{name: "stalled", fault: Way.Stall},
	{name: "unanswered", fault: Way.DropConfirms},
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
	{"ConfirmedIsDelivered", confirmedIsDelivered},
	{"PublishedWithoutConsumerWaits", publishedWithoutConsumerWaits},
	{"UnsettledComesAgainAfterDeath", unsettledComesAgainAfterDeath},
	{"UnsettledComesAgainAfterClose", unsettledComesAgainAfterClose},
	{"LaterComesAgain", laterComesAgain},
	{"LaterNeverUsesUp", laterNeverUsesUp},
	{"PoisonDoesNotBlock", poisonDoesNotBlock},
	{"DeadIsSetAside", deadIsSetAside},
	{"DeadTwiceIsOneLetter", deadTwiceIsOneLetter},
	{"LanesAreIndependent", lanesAreIndependent},
	{"SlowConsumerHoldsBack", slowConsumerHoldsBack},
	{"SlowConsumerSlowsNobody", slowConsumerSlowsNobody},
	{"EachStepMayBreak", eachStepMayBreak},
	{"LargeBodiesArrive", largeBodiesArrive},
	{"ImpossibleIsRefused", impossibleIsRefused},
	{"DuplicatesAreSettled", duplicatesAreSettled},
	{"ManyPublishersManyConsumers", manyPublishersManyConsumers},
	{"AnotherProcessTakesOver", anotherProcessTakesOver},
	{"NeverConfirmedWithoutAnswer", neverConfirmedWithoutAnswer},
	{"ReceiveEnds", receiveEnds},
}
