package stream_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/stream"
)

// small runs an instance whose ring holds ten frames.
func (s *station) small(table stream.Reader) *stream.Hub {
	store := s.store()
	h := stream.NewHub(stream.Config{Fanout: &faulty{Fanout: store, random: newRandom(1), noRange: true}, Reader: table, Log: s.log})
	h.ShrinkRing(10)
	s.run(func(ctx context.Context) error { defer store.Wait(); return h.Run(ctx) })
	require.Eventually(s.t, h.Ready, 10*time.Second, time.Millisecond)
	return h
}

func TestResumeFromEveryPlaceAroundTheRing(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(4, 1)
	h := s.small(stream.NewTable(s.Pool))
	for last := int64(5); last <= 33; last += 7 {
		s.emit(int(last-s.head().Position), 1)
		for from := range last {
			require.Equal(t, between(from, last), s.attach(h, everyone(), at(s.head().Epoch, from)).frames(last))
		}
	}
}

// held is a Reader whose frames wait until they are let go.
type held struct {
	stream.Reader
	holding atomic.Bool
	asked   chan struct{}
	let     chan struct{}
}

func (h *held) Frames(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, error) {
	if h.holding.Load() {
		h.asked <- struct{}{}
		select {
		case <-h.let:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return h.Reader.Frames(ctx, epoch, after, upTo, limit)
}

func TestAnswerForAFormerResumeIsDropped(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(40, 1)
	table := &held{Reader: stream.NewTable(s.Pool), asked: make(chan struct{}, 8), let: make(chan struct{})}
	h := s.small(table)
	table.holding.Store(true)
	r := s.attach(h, everyone(), at(s.head().Epoch, 0))
	done := make(chan []int64, 1)
	go func() {
		defer close(done)
		done <- r.frames(40)
	}()
	<-table.asked
	r.sub.Resume(at(s.head().Epoch, 35))
	require.Equal(t, between(35, 40), <-done)
	table.let <- struct{}{} // the answer to the first question
	table.holding.Store(false)
	for range 2 { // time for it to arrive
		require.Len(t, r.until(func(m said) bool { return m.Type == "heartbeat" }), 1)
	}
	s.emit(2, 1)
	require.Equal(t, []int64{41, 42}, r.frames(42))
}

func TestSlowTableDoesNotStopHeartbeatsOrOthers(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(40, 1)
	table := &held{Reader: stream.NewTable(s.Pool), asked: make(chan struct{}, 8), let: make(chan struct{})}
	h := s.small(table)
	table.holding.Store(true)
	behind := s.attach(h, everyone(), at(s.head().Epoch, 3))
	beats := behind.until(func(m said) bool { return m.Type == "heartbeat" })
	require.Equal(t, []said{{Type: "heartbeat", Epoch: s.head().Epoch, Position: 3}}, beats)
	require.Equal(t, between(31, 40), s.attach(h, everyone(), at(s.head().Epoch, 31)).frames(40))
	behind.sub.Close() // ends the question too
	require.Len(t, table.asked, 1)
}
