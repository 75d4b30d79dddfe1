package livetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"dozor/internal/live"
)

// reader is a subscriber that keeps what it gets.
type reader struct {
	mu     sync.Mutex
	frames []live.Frame
	calls  int // running calls of deliver
	wrong  string
}

func (r *reader) deliver(frames []live.Frame) {
	r.mu.Lock()
	r.calls++
	if r.calls > 1 {
		r.wrong = "delivered from two goroutines at one time"
	}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls--
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := 1; i < len(frames); i++ {
		if frames[i].Epoch == frames[i-1].Epoch && frames[i].Position <= frames[i-1].Position {
			r.wrong = "one delivery is not in order"
		}
	}
	r.frames = append(r.frames, frames...)
}

// seen returns what came of an epoch, each once, in the order of the first coming.
func (r *reader) seen(epoch int64) []live.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	var frames []live.Frame
	for _, f := range r.frames {
		if f.Epoch == epoch && !slices.ContainsFunc(frames, func(g live.Frame) bool { return g.Position == f.Position }) {
			frames = append(frames, f)
		}
	}
	return frames
}

func (s *scene) subscribe(p Process) *reader {
	r := &reader{}
	s.listen(p, r.deliver)
	s.t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		require.Empty(s.t, r.wrong)
	})
	return r
}

// listen subscribes until the test ends; a try that takes too long is given up.
func (s *scene) listen(p Process, deliver func([]live.Frame)) {
	s.do(p, func(ctx context.Context) error {
		life, cancel := context.WithCancel(context.Background())
		s.t.Cleanup(cancel)
		keep := context.AfterFunc(ctx, cancel)
		err := p.Fanout.Subscribe(life, deliver)
		if !keep() {
			return ctx.Err()
		}
		return err
	})
}

// subscribingEndsByItself: the context of a subscription is its life and no limit, so
// that the adapter has one of its own. One with two stores may do with the other.
func subscribingEndsByItself(s *scene) {
	p := s.process()
	s.fences(p, 1) // the connection stands
	if !s.good() {
		s.weather.fault(p.Way)
		life, cancel := context.WithCancel(context.Background())
		defer cancel()
		began := time.Now()
		_ = p.Fanout.Subscribe(life, func([]live.Frame) {})
		require.Less(s.t, time.Since(began), patience/3)
		p.Way.Heal()
	}
	r := s.subscribe(p)
	s.reachesEventually(p, []*reader{r})
}

func (s *scene) publish(p Process, frames []live.Frame) {
	s.do(p, func(ctx context.Context) error { return p.Fanout.Publish(ctx, frames) })
}

// requireFrames waits until a reader has got the frames, whatever else it got.
func (s *scene) requireFrames(r *reader, frames []live.Frame) {
	s.t.Helper()
	got := func() []live.Frame {
		seen := r.seen(frames[0].Epoch)
		return slices.DeleteFunc(seen, func(f live.Frame) bool {
			return f.Position < frames[0].Position || f.Position > frames[len(frames)-1].Position
		})
	}
	s.eventually(func() bool { return len(got()) == len(frames) }, "the frames do not come")
	seen := got()
	if !s.good() {
		slices.SortFunc(seen, func(a, b live.Frame) int { return int(a.Position - b.Position) })
	}
	require.Empty(s.t, cmp.Diff(frames, seen))
}

// framesReachEverySubscriber: on a broken way frames may be lost, but those published
// after it has healed come.
func framesReachEverySubscriber(s *scene) {
	relay, near, far := s.process(), s.process(), s.process()
	s.publish(relay, s.system.Commit(s.t, 5))
	readers := []*reader{s.subscribe(relay), s.subscribe(near), s.subscribe(far), s.subscribe(far)}
	for range 6 {
		frames := s.system.Commit(s.t, 1+s.intn(40))
		if s.good() {
			s.publish(relay, frames)
			for _, r := range readers {
				s.requireFrames(r, frames)
			}
			continue
		}
		s.weather.fault(far.Way)
		s.publish(relay, frames)
		s.requireFrames(readers[1], frames)
		far.Way.Heal()
	}
	s.reachesEventually(relay, readers)
}

// reachesEventually publishes until every reader has got something that was published
// after it had to be in touch again.
func (s *scene) reachesEventually(p Process, readers []*reader) {
	for _, r := range readers {
		s.eventually(func() bool {
			frames := s.system.Commit(s.t, 1)
			if err := p.Fanout.Publish(s.ctx, frames); err != nil {
				return false
			}
			seen := r.seen(frames[0].Epoch)
			return slices.ContainsFunc(seen, func(f live.Frame) bool { return f.Position+20 > frames[0].Position })
		}, "the subscriber is in touch again")
	}
}

func publishingAgainIsHarmless(s *scene) {
	p := s.process()
	r := s.subscribe(p)
	frames := s.system.Commit(s.t, 30)
	s.publish(p, frames[:20])
	s.publish(p, frames[10:])
	s.publish(p, frames)
	s.publish(p, nil)
	s.requireFrames(r, frames)
}

func newEpochIsFollowed(s *scene) {
	relay, other := s.process(), s.process()
	readers := []*reader{s.subscribe(relay), s.subscribe(other)}
	old := s.system.Commit(s.t, 10)
	s.publish(relay, old)
	for _, r := range readers {
		s.requireFrames(r, old)
	}
	epoch := s.system.NewEpoch(s.t)
	require.Greater(s.t, epoch, old[0].Epoch)
	frames := s.system.Commit(s.t, 3)
	require.Equal(s.t, epoch, frames[0].Epoch)
	require.EqualValues(s.t, 1, frames[0].Position)
	s.publish(relay, frames)
	for _, r := range readers {
		s.requireFrames(r, frames)
	}
}

func (s *scene) rangeOf(p Process, epoch, after, upTo int64, limit int) (frames []live.Frame, complete bool) {
	s.do(p, func(ctx context.Context) (err error) {
		frames, complete, err = p.Fanout.Range(ctx, epoch, after, upTo, limit)
		return err
	})
	return frames, complete
}

func rangeIsCompleteOrSaysSo(s *scene) {
	p := s.process()
	all := s.system.Commit(s.t, 40)
	epoch, last := all[0].Epoch, all[len(all)-1].Position
	s.publish(p, all)

	frames, complete := s.rangeOf(p, epoch, 0, last, 1000)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all, frames))
	frames, complete = s.rangeOf(p, epoch, 7, 19, 1000)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all[7:19], frames))
	frames, complete = s.rangeOf(p, epoch, 7, last, 5)
	require.True(s.t, complete, "complete up to the last one returned")
	require.Empty(s.t, cmp.Diff(all[7:12], frames))
	frames, complete = s.rangeOf(p, epoch, last, last, 5)
	require.True(s.t, complete, "there is nothing in it")
	require.Empty(s.t, frames)
	_, complete = s.rangeOf(p, epoch, last, last+5, 5)
	require.False(s.t, complete, "beyond what there is")
	_, complete = s.rangeOf(p, epoch+1, 0, 10, 5)
	require.False(s.t, complete, "another epoch")

	s.system.Forget(s.t, epoch, 20)
	_, complete = s.rangeOf(p, epoch, 10, 30, 1000)
	require.False(s.t, complete, "there is a hole in it")
	_, complete = s.rangeOf(p, epoch, 19, 30, 1000)
	require.False(s.t, complete, "it begins with a hole")
	frames, complete = s.rangeOf(p, epoch, 20, 30, 1000)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all[20:30], frames))
	frames, complete = s.rangeOf(p, epoch, 10, 19, 1000)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all[10:19], frames))

	epoch = s.system.NewEpoch(s.t)
	fresh := s.system.Commit(s.t, 3)
	s.publish(p, fresh)
	frames, complete = s.rangeOf(p, epoch, 0, 3, 10)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(fresh, frames))
}
