package livetest

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
)

const (
	// patience is how long anything may take that must happen.
	patience = 30 * time.Second
	// trouble is how long a way stays broken.
	trouble = 150 * time.Millisecond
	// maxFaults bounds the disturbed operations of a case.
	maxFaults = 4
	// long is a time to live that no case outlasts.
	long = time.Minute
	// short is one that is waited for.
	short = 250 * time.Millisecond
)

// scene is one case in one weather.
type scene struct {
	t       *testing.T
	system  System
	weather weather
	ctx     context.Context

	mu         sync.Mutex
	rng        *rand.Rand
	operations int
	faults     int
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

func (s *scene) good() bool { return s.weather.fault == nil }

func (s *scene) intn(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

// disturbs says whether the way is to break in the next operation.
func (s *scene) disturbs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operations++
	if s.weather.fault == nil || s.operations%3 != 2 || s.faults == maxFaults {
		return false
	}
	s.faults++
	return true
}

// try does something over the way of p, which may break meanwhile.
func (s *scene) try(p Process, f func(ctx context.Context) error) error {
	if !s.disturbs() {
		return f(s.ctx)
	}
	ctx, cancel := context.WithTimeout(s.ctx, trouble)
	defer cancel()
	s.weather.fault(p.Way)
	defer p.Way.Heal()
	return f(ctx)
}

// do repeats something until it succeeds; on a good way it does at once.
func (s *scene) do(p Process, f func(ctx context.Context) error) {
	for {
		err := s.try(p, f)
		if err == nil {
			return
		}
		if s.good() {
			require.NoError(s.t, err)
		}
		require.NoError(s.t, s.ctx.Err(), "it does not succeed any more: %v", err)
	}
}

func (s *scene) put(p Process, states ...live.PanelState) {
	s.do(p, func(ctx context.Context) error { return p.States.PutStates(ctx, states) })
}

func (s *scene) touch(p Process, answered ...live.Answered) {
	s.do(p, func(ctx context.Context) error { return p.States.Touch(ctx, answered) })
}

func (s *scene) states(p Process, panels ...ids.PanelID) (states []live.PanelState) {
	s.do(p, func(ctx context.Context) (err error) {
		states, err = p.States.States(ctx, panels...)
		return err
	})
	return states
}

func (s *scene) acquire(p Process, holder string, most int, except []ids.PanelID, ttl time.Duration) (leases []live.Lease) {
	s.do(p, func(ctx context.Context) (err error) {
		leases, err = p.Leases.Acquire(ctx, holder, most, except, ttl)
		return err
	})
	return leases
}

// acquireAll asks until it has got n leases: grants whose answer was lost run out, so
// that ttl must be one that can be waited for.
func (s *scene) acquireAll(p Process, holder string, n int, ttl time.Duration) []live.Lease {
	var got []live.Lease
	for len(got) < n {
		require.NoError(s.t, s.ctx.Err(), "%d of %d leases were granted", len(got), n)
		got = append(got, s.acquire(p, holder, n-len(got), nil, ttl)...)
	}
	return got
}

func (s *scene) renew(p Process, holder string, held []live.Lease, ttl time.Duration) (leases []live.Lease) {
	s.do(p, func(ctx context.Context) (err error) {
		leases, err = p.Leases.Renew(ctx, holder, held, ttl)
		return err
	})
	return leases
}

func (s *scene) release(p Process, holder string, held ...live.Lease) {
	s.do(p, func(ctx context.Context) error { return p.Leases.Release(ctx, holder, held) })
}

func (s *scene) fences(p Process, panels ...ids.PanelID) (fences map[ids.PanelID]int64) {
	s.do(p, func(ctx context.Context) (err error) {
		fences, err = p.Leases.Fences(ctx, panels)
		return err
	})
	return fences
}

func (s *scene) eventually(condition func() bool, why string) {
	s.t.Helper()
	require.Eventually(s.t, condition, patience, 5*time.Millisecond, why)
}
