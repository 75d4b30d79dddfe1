package soak

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	publishers, consumers = 20, 20
	processes             = 4 // of either kind
	// publishLimit is what a worker gives a Publish.
	publishLimit = time.Second
	// patience is how long everything may take to arrive once nothing breaks any more.
	patience = 90 * time.Second
	// ahead bounds what is confirmed and not yet counted, as the worker's 2,000 unsettled
	// records do: a soak that ends with a backlog measures the backlog.
	ahead = 4000
)

func settings(t *testing.T) (time.Duration, uint64) {
	t.Helper()
	lasts, seed := 3*time.Second, rand.Uint64()
	var err error
	if v := os.Getenv("DOZOR_SOAK"); v != "" {
		lasts, err = time.ParseDuration(v)
		require.NoError(t, err)
	}
	if v := os.Getenv("DOZOR_SEED"); v != "" {
		seed, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("%v from seed %d (again: DOZOR_SOAK=%v DOZOR_SEED=%d go test -race ./test/soak/)", lasts, seed, lasts, seed)
	return lasts, seed
}

func TestNothingIsLostOrCountedTwice(t *testing.T) {
	lasts, seed := settings(t)
	for n, adapter := range adapters {
		t.Run(adapter.name, func(t *testing.T) {
			open := adapter.open(t)
			s := &soak{t: t, seed: seed + uint64(n), confirmed: map[bus.Key]bool{}, counted: map[bus.Key]bool{}}
			for range processes {
				s.senders, s.receivers = append(s.senders, open()), append(s.receivers, open())
			}
			s.run(lasts)
		})
	}
}

type soak struct {
	t                  *testing.T
	seed               uint64
	senders, receivers []process

	mu        sync.Mutex
	confirmed map[bus.Key]bool
	counted   map[bus.Key]bool
	awaited   int // confirmed and not counted
	wrong     []error

	sent, unknown, again, settled, forgotten, putOff, faults atomic.Int64
}

func (s *soak) rng(kind, n int) *rand.Rand { return rand.New(rand.NewPCG(s.seed, uint64(kind<<16+n))) }

func (s *soak) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, err)
}

func (s *soak) missing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.awaited
}

func (s *soak) run(lasts time.Duration) {
	ctx, end := context.WithTimeout(context.Background(), lasts)
	defer end()
	consuming, stop := context.WithCancel(context.Background())
	defer stop()
	var working, receiving sync.WaitGroup
	for n := range publishers {
		working.Go(func() { s.publish(ctx, n) })
	}
	for n := range consumers {
		receiving.Go(func() { s.consume(consuming, n) })
	}
	working.Go(func() { s.breakWays(ctx) })
	working.Wait()
	began := time.Now()
	for s.missing() > 0 && time.Since(began) < patience {
		wait(consuming, 10*time.Millisecond)
	}
	missing, arrived := s.missing(), time.Since(began)
	empty := s.emptied(began.Add(patience))
	stop()
	receiving.Wait()
	s.t.Logf("%d sent, %d outcomes unknown, %d deliveries settled, %d of them again, %d put off, %d forgotten, %d faults; all there after %v",
		s.sent.Load(), s.unknown.Load(), s.settled.Load(), s.again.Load(), s.putOff.Load(), s.forgotten.Load(), s.faults.Load(), arrived)
	require.Empty(s.t, s.wrong)
	require.Zero(s.t, missing, "confirmed and never came")
	require.True(s.t, empty, "the lanes do not become empty")
	require.NotEmpty(s.t, s.confirmed)
	require.Positive(s.t, s.unknown.Load()+s.again.Load(), "nothing was disturbed")
}

func (s *soak) emptied(until time.Time) bool {
	for time.Now().Before(until) {
		left := int64(0)
		for _, b := range s.receivers[0].consumed {
			for _, lane := range bus.Lanes {
				n, err := b.Depth(context.Background(), lane)
				if err != nil {
					n = 1
				}
				left += n
			}
		}
		if left == 0 {
			return true
		}
		wait(context.Background(), 20*time.Millisecond)
	}
	return false
}

// bodyOf is what a message of a key must carry.
func bodyOf(key bus.Key) []byte { return bytes.Repeat(key[:], 1+int(key[15])%20) }

// publish sends batches until ctx ends; each until all of it is confirmed, as a worker does
// whose cursor stands still until then.
func (s *soak) publish(ctx context.Context, n int) {
	rng, p, count := s.rng(1, n), s.senders[n%processes], uint64(0)
	for ctx.Err() == nil {
		if s.missing() > ahead {
			wait(ctx, 5*time.Millisecond)
			continue
		}
		batch := make([]bus.Message, 1+rng.IntN(30))
		for i := range batch {
			count++
			m := bus.Message{Lane: bus.Live, Topic: "satel.event." + strconv.Itoa(n)}
			if rng.IntN(5) == 0 {
				m.Lane = bus.Backfill
			}
			binary.BigEndian.PutUint64(m.Key[:], uint64(n+1))
			binary.BigEndian.PutUint64(m.Key[8:], count)
			m.Body = bodyOf(m.Key)
			batch[i] = m
		}
		for began := time.Now(); len(batch) > 0; {
			if time.Since(began) > patience {
				s.fails(fmt.Errorf("publisher %d: %d messages are never confirmed", n, len(batch)))
				return
			}
			limited, cancel := context.WithTimeout(context.Background(), publishLimit)
			asked := time.Now()
			outcomes := p.publisher.Publish(limited, batch)
			cancel()
			if took := time.Since(asked); took > 3*publishLimit {
				s.fails(fmt.Errorf("publisher %d: a Publish took %v", n, took))
			}
			batch = s.judge(batch, outcomes)
		}
		wait(ctx, time.Duration(rng.IntN(5))*time.Millisecond)
	}
}

// judge notes what is confirmed and returns the rest.
func (s *soak) judge(batch []bus.Message, outcomes []bus.Outcome) (left []bus.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range batch {
		switch outcomes[i] {
		case bus.Confirmed:
			s.confirmed[m.Key] = true
			if !s.counted[m.Key] {
				s.awaited++
			}
			s.sent.Add(1)
		case bus.Unknown:
			s.unknown.Add(1)
			left = append(left, m)
		case bus.Refused:
			s.wrong = append(s.wrong, fmt.Errorf("message %x was refused", m.Key))
		}
	}
	return left
}

// consume takes what comes on one of the lanes, and now and then dies with what it holds.
func (s *soak) consume(ctx context.Context, n int) {
	rng, p := s.rng(2, n), s.receivers[n%processes]
	b := p.consumed[n/processes%len(p.consumed)]
	lane := bus.Live
	if n/processes/len(p.consumed)%2 == 1 {
		lane = bus.Backfill
	}
	for ctx.Err() == nil {
		c, err := b.Consume(ctx, lane)
		if err != nil {
			s.fails(err)
			return
		}
		for life := rng.IntN(400); life > 0 && ctx.Err() == nil; life-- {
			batch, err := c.Receive(ctx, 1+rng.IntN(200))
			if err != nil {
				if ctx.Err() == nil {
					s.fails(err)
				}
				break
			}
			s.handle(rng, batch)
		}
		if err := c.Close(); err != nil {
			s.fails(err)
		}
		s.forgotten.Add(1)
	}
}

func (s *soak) handle(rng *rand.Rand, batch bus.Batch) {
	ctx, cancel := context.WithTimeout(context.Background(), publishLimit)
	defer cancel()
	var tags []uint64
	for _, d := range batch.Deliveries() {
		tags = append(tags, d.Tag)
	}
	var err error
	if rng.IntN(10) == 0 {
		s.putOff.Add(int64(len(tags)))
		err = batch.Later(ctx, time.Duration(rng.IntN(50))*time.Millisecond, tags...)
	} else {
		// The effect is committed before the ack, as ingest does.
		s.count(batch.Deliveries())
		if err = batch.Ack(ctx, tags...); err != nil && !errors.Is(err, bus.ErrReturned) {
			// Still ours, if its session lives: once more, later.
			err = batch.Later(ctx, 0, tags...)
		}
	}
	if err != nil && !errors.Is(err, bus.ErrReturned) && ctx.Err() == nil {
		s.fails(err)
	}
}

func (s *soak) count(deliveries []bus.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range deliveries {
		s.settled.Add(1)
		if s.counted[d.Key] {
			s.again.Add(1)
			continue
		}
		s.counted[d.Key] = true
		if s.confirmed[d.Key] {
			s.awaited--
		}
		if !bytes.Equal(d.Body, bodyOf(d.Key)) {
			s.wrong = append(s.wrong, fmt.Errorf("message %x came with another body", d.Key))
		}
	}
}

var faults = []func(*faultproxy.Proxy){(*faultproxy.Proxy).Cut, (*faultproxy.Proxy).Stall, (*faultproxy.Proxy).DropAnswers}

// breakWays breaks a way or two at a time, for up to a second each, until ctx ends.
func (s *soak) breakWays(ctx context.Context) {
	var breaking sync.WaitGroup
	for worker := range 2 {
		breaking.Go(func() {
			rng := s.rng(3, worker)
			all := append(append([]process{}, s.senders...), s.receivers...)
			for ctx.Err() == nil {
				// Each has its own half of the processes: one heals only what it broke.
				p := all[2*rng.IntN(len(all)/2)+worker]
				way := p.ways[rng.IntN(len(p.ways))]
				faults[rng.IntN(len(faults))](way)
				s.faults.Add(1)
				wait(ctx, time.Duration(20+rng.IntN(rng.IntN(980)+1))*time.Millisecond)
				way.Heal()
				wait(ctx, time.Duration(rng.IntN(150))*time.Millisecond)
			}
		})
	}
	breaking.Wait()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
