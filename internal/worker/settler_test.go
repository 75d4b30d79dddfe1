package worker

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

// Panels that ask while a question is on its way share the next one, and each learns what
// became of its own.
func TestPanelsThatAskAtOnceShareAQuestion(t *testing.T) {
	t.Parallel()
	const panels = 500
	errAway := errors.New("the database is away")
	asked, answer := make(chan []bus.Key), make(chan error)
	s := newSettler(func(_ context.Context, keys []bus.Key) (map[bus.Key]bool, error) {
		asked <- keys
		if err := <-answer; err != nil {
			return nil, err
		}
		stored := map[bus.Key]bool{}
		for _, k := range keys {
			stored[k] = binary.BigEndian.Uint32(k[:])%2 == 0
		}
		return stored, nil
	})
	ctx, end := context.WithCancel(t.Context())
	var running, asking sync.WaitGroup
	running.Go(func() { s.run(ctx) })
	ask := func(n uint32, want error) {
		asking.Go(func() {
			var key bus.Key
			binary.BigEndian.PutUint32(key[:], n)
			stored, err := s.ask(ctx, []bus.Key{key})
			if !errors.Is(err, want) || want == nil && stored[key] != (n%2 == 0) {
				t.Errorf("asked for %d: %v, %v", n, stored[key], err)
			}
		})
	}
	ask(0, errAway)
	require.Len(t, <-asked, 1)
	for n := range panels {
		ask(uint32(n), nil)
	}
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.next == nil {
			return 0
		}
		return len(s.next.keys)
	}
	require.Eventually(t, func() bool { return waiting() == panels }, 10*time.Second, time.Millisecond)
	answer <- errAway
	require.Len(t, <-asked, panels)
	answer <- nil
	asking.Wait()
	end()
	running.Wait()
}
