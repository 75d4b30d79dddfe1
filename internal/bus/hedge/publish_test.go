package hedge_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/bus"
	"dozor/internal/bus/hedge"
	"dozor/internal/resilience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// part is a bus that answers what it is told after some time; it stands for a broker whose
// failures can't be had exactly when they are wanted. The contract runs on real ones.
type part struct {
	hedge.Bus
	after  time.Duration
	answer bus.Outcome
	hung   bool

	mu   sync.Mutex
	took []bus.Key
}

func (p *part) Publish(ctx context.Context, msgs []bus.Message) []bus.Outcome {
	p.mu.Lock()
	for _, m := range msgs {
		p.took = append(p.took, m.Key)
	}
	p.mu.Unlock()
	out := make([]bus.Outcome, len(msgs))
	if p.hung {
		<-ctx.Done()
		return out
	}
	select {
	case <-ctx.Done():
		return out
	case <-time.After(p.after):
	}
	for i := range out {
		out[i] = p.answer
	}
	return out
}

func (p *part) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.took)
}

func message(n byte) bus.Message {
	return bus.Message{Key: bus.Key{n}, Lane: bus.Live, Topic: "satel.alarm.1", Body: []byte("{}")}
}

type scene struct {
	first, second *part
	breaker       *resilience.Breaker
	bus           *hedge.Publisher
}

func newScene(first, second *part) scene {
	log := slog.New(slog.DiscardHandler)
	b := resilience.New("broker", log)
	return scene{first, second, b, hedge.New(hedge.Config{First: first, Second: second, Breaker: b})}
}

func (s scene) publish(t *testing.T, n ...byte) (time.Duration, []bus.Outcome) {
	msgs := make([]bus.Message, len(n))
	for i, k := range n {
		msgs[i] = message(k)
	}
	began := time.Now()
	out := s.bus.Publish(t.Context(), msgs)
	require.Len(t, out, len(n))
	return time.Since(began), out
}

func TestABrokerThatConfirmsCarriesItAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{after: 20 * time.Millisecond, answer: bus.Confirmed}, &part{answer: bus.Confirmed})
		took, out := s.publish(t, 1, 2)
		require.Equal(t, []bus.Outcome{bus.Confirmed, bus.Confirmed}, out)
		require.Equal(t, 20*time.Millisecond, took)
		require.Zero(t, s.second.taken())
	})
}

func TestAHungBrokerCostsTheHedgeThriceAndNothingAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{hung: true}, &part{after: 2 * time.Millisecond, answer: bus.Confirmed})
		for i := range byte(3) {
			took, out := s.publish(t, i)
			require.Equal(t, []bus.Outcome{bus.Confirmed}, out)
			require.Equal(t, hedge.DefaultHedge+2*time.Millisecond, took)
		}
		require.False(t, s.breaker.Closed())
		took, out := s.publish(t, 9)
		require.Equal(t, []bus.Outcome{bus.Confirmed}, out)
		require.Equal(t, 2*time.Millisecond, took)
		require.Equal(t, 3, s.first.taken())
	})
}

func TestWhatTheBrokerDoesNotConfirmGoesTheOtherWayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{after: time.Millisecond, answer: bus.Unknown}, &part{after: time.Millisecond, answer: bus.Confirmed})
		took, out := s.publish(t, 1, 2)
		require.Equal(t, []bus.Outcome{bus.Confirmed, bus.Confirmed}, out)
		require.Equal(t, 2*time.Millisecond, took)
	})
}

func TestALateConfirmCountsWhenTheOtherBusFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{after: time.Second, answer: bus.Confirmed}, &part{after: time.Millisecond, answer: bus.Unknown})
		took, out := s.publish(t, 1)
		require.Equal(t, []bus.Outcome{bus.Confirmed}, out)
		require.Equal(t, time.Second, took)
	})
}

func TestARepeatedMessageGoesTheOtherWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{answer: bus.Confirmed}, &part{answer: bus.Confirmed})
		s.publish(t, 1, 2)
		<-time.After(time.Second)
		_, out := s.publish(t, 1, 3)
		require.Equal(t, []bus.Outcome{bus.Confirmed, bus.Confirmed}, out)
		require.Equal(t, []bus.Key{{1}}, s.second.took)
		s.publish(t, 1)
		require.Equal(t, []bus.Key{{1}, {2}, {3}, {1}}, s.first.took, "and then back")
		<-time.After(2 * time.Minute)
		s.publish(t, 3)
		require.Equal(t, 1, s.second.taken(), "long ago it may have been another matter")
	})
}

func TestARefusedMessageIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{answer: bus.Refused}, &part{answer: bus.Confirmed})
		_, out := s.publish(t, 1)
		require.Equal(t, []bus.Outcome{bus.Refused}, out)
		require.Zero(t, s.second.taken())
		require.True(t, s.breaker.Closed())
	})
}

func TestACallThatIsGivenUpSaysNothingOfTheBroker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{hung: true}, &part{answer: bus.Confirmed})
		for i := range byte(5) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			require.Equal(t, []bus.Outcome{bus.Unknown}, s.bus.Publish(ctx, []bus.Message{message(i)}))
			cancel()
		}
		require.True(t, s.breaker.Closed())
	})
}

// deaf is a broker that answers no question.
type deaf struct{ part }

func (*deaf) Depth(ctx context.Context, _ bus.Lane) (int64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// counted is a bus that says how much it holds.
type counted struct {
	part
	depth int64
}

func (c *counted) Depth(context.Context, bus.Lane) (int64, error) { return c.depth, nil }

func TestABrokerThatDoesNotAnswerKeepsNoAnswerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		breaker := resilience.New("broker", slog.New(slog.DiscardHandler))
		b := hedge.New(hedge.Config{First: &deaf{}, Second: &counted{depth: 4}, Breaker: breaker})
		for range 3 {
			began := time.Now()
			n, err := b.Depth(t.Context(), bus.Live)
			require.NoError(t, err)
			require.EqualValues(t, 4, n)
			require.LessOrEqual(t, time.Since(began), 300*time.Millisecond)
		}
		require.False(t, breaker.Closed(), "whoever asks finds out too")
		both := hedge.New(hedge.Config{First: &counted{depth: 3}, Second: &counted{depth: 4}, Breaker: resilience.New("broker", slog.New(slog.DiscardHandler))})
		n, err := both.Depth(t.Context(), bus.Live)
		require.NoError(t, err)
		require.EqualValues(t, 7, n)
	})
}

func TestASlowSecondBusPutsOffNobodysHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{answer: bus.Confirmed}, &part{after: 250 * time.Millisecond, answer: bus.Confirmed})
		s.publish(t, 1)
		s.first.hung = true
		took, out := s.publish(t, 1, 2) // the first of them goes the other way
		require.Equal(t, []bus.Outcome{bus.Confirmed, bus.Confirmed}, out)
		require.Equal(t, hedge.DefaultHedge+250*time.Millisecond, took)
	})
}

func TestAConfirmDuringASlowSecondBusCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(&part{after: time.Millisecond, answer: bus.Confirmed}, &part{after: time.Second, answer: bus.Confirmed})
		s.publish(t, 1)
		took, _ := s.publish(t, 1, 2)
		require.Equal(t, time.Second, took)
		require.Equal(t, []bus.Key{{1}}, s.second.took, "the other one was confirmed long since")
		require.True(t, s.breaker.Closed())
	})
}
