package bustest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

const (
	// patience is how long anything may take that must happen.
	patience = 30 * time.Second
	// trouble is how long a way stays broken, unless what it breaks ends sooner.
	trouble = 200 * time.Millisecond
	// quiet is how long nothing comes before the suite asks for the depth.
	quiet = 50 * time.Millisecond
)

// scene is one case in one weather.
type scene struct {
	t       *testing.T
	system  System
	weather weather
	ctx     context.Context
	repeats bool // the case publishes messages twice by itself

	mu     sync.Mutex
	rng    *rand.Rand
	count  int // messages made
	faults int // disturbed rounds
}

func newScene(t *testing.T, system System, w weather) *scene {
	sum := fnv.New64a()
	sum.Write([]byte(t.Name()))
	seed := sum.Sum64()
	t.Logf("seed %#x", seed)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return &scene{t: t, system: system, weather: w, ctx: ctx, rng: rand.New(rand.NewPCG(seed, 1))}
}

func (s *scene) process() Process { return s.system.Process(s.t) }

func (s *scene) intn(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

// maxFaults bounds the disturbed rounds of a case: a way that breaks for ever may keep
// a bus from getting anywhere.
const maxFaults = 5

// disturbs says whether the way is to break in this round: in the second and then every
// few, on a way that is not good.
func (s *scene) disturbs(round int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.fault == nil || round%3 != 1 || s.faults == maxFaults {
		return false
	}
	s.faults++
	return true
}

func (s *scene) good() bool { return s.weather.fault == nil }

// messages makes n messages with keys, topics, traces and bodies of their own.
func (s *scene) messages(lane bus.Lane, n int) []bus.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	msgs := make([]bus.Message, n)
	for i := range msgs {
		s.count++
		body := make([]byte, s.rng.IntN(300))
		for j := range body {
			body[j] = byte(s.rng.Uint32())
		}
		msgs[i] = bus.Message{
			Lane: lane, Topic: fmt.Sprintf("satel.event.%d", s.count),
			Trace: fmt.Sprintf("00-%032x-%016x-01", s.rng.Uint64(), s.count), Body: body,
		}
		binary.BigEndian.PutUint64(msgs[i].Key[:], s.rng.Uint64())
		binary.BigEndian.PutUint64(msgs[i].Key[8:], uint64(s.count))
	}
	return msgs
}

// publish publishes until every message is confirmed, in batches of random size, some
// of them while the way is broken.
func (s *scene) publish(p Process, msgs []bus.Message) {
	require.NoError(s.t, s.tryPublish(p, msgs))
}

func (s *scene) tryPublish(p Process, msgs []bus.Message) error {
	left := msgs
	for round := 0; len(left) > 0; round++ {
		if s.ctx.Err() != nil {
			return fmt.Errorf("publishing takes too long: %d messages are not confirmed", len(left))
		}
		n := min(len(left), 1+s.intn(1+len(msgs)/3))
		outcomes := s.publishOnce(p, left[:n], s.disturbs(round))
		if len(outcomes) != n {
			return fmt.Errorf("%d outcomes for %d messages", len(outcomes), n)
		}
		var again []bus.Message
		for i, o := range outcomes {
			switch o {
			case bus.Confirmed:
			case bus.Unknown:
				again = append(again, left[i])
			default:
				return fmt.Errorf("message %x: outcome %d, although nothing is wrong with it", left[i].Key, o)
			}
		}
		left = append(again, left[n:]...)
	}
	return nil
}

// publishOnce publishes once; when disturbed the way breaks before or meanwhile.
func (s *scene) publishOnce(p Process, msgs []bus.Message, disturbed bool) []bus.Outcome {
	if !disturbed {
		return p.Bus.Publish(s.ctx, msgs)
	}
	ctx, cancel := context.WithTimeout(s.ctx, trouble)
	defer cancel()
	var outcomes []bus.Outcome
	if s.intn(2) == 0 {
		s.weather.fault(p.Way)
		outcomes = p.Bus.Publish(ctx, msgs)
	} else {
		var meanwhile sync.WaitGroup
		meanwhile.Go(func() { s.weather.fault(p.Way) })
		outcomes = p.Bus.Publish(ctx, msgs)
		meanwhile.Wait()
	}
	p.Way.Heal()
	return outcomes
}

// consume opens a consumer that ends with the test.
func (s *scene) consume(p Process, lane bus.Lane) bus.Consumer {
	c, err := p.Bus.Consume(s.ctx, lane)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, c.Close()) })
	return c
}

// receive gets the next batch, nil when none came within d.
func (s *scene) receive(c bus.Consumer, most int, d time.Duration) bus.Batch {
	b, err := s.tryReceive(c, most, d)
	require.NoError(s.t, err)
	return b
}

func (s *scene) tryReceive(c bus.Consumer, most int, d time.Duration) (bus.Batch, error) {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	defer cancel()
	b, err := c.Receive(ctx, most)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("receive: %w", err)
	}
	if n := len(b.Deliveries()); n == 0 || n > most {
		return nil, fmt.Errorf("received %d messages, want 1 to %d", n, most)
	}
	return b, nil
}

// await gets the next batch, however long the bus takes to find its way again.
func (s *scene) await(c bus.Consumer, most int) bus.Batch {
	b := s.receive(c, most, patience)
	require.NotNil(s.t, b, "nothing came")
	return b
}

// settled says whether a settlement counts: on a way that breaks deliveries may have
// gone back; then they come again.
func (s *scene) settled(err error) bool {
	if s.good() {
		require.NoError(s.t, err)
	}
	return err == nil
}

func tagsOf(ds []bus.Delivery) []uint64 {
	tags := make([]uint64, len(ds))
	for i, d := range ds {
		tags[i] = d.Tag
	}
	return tags
}
