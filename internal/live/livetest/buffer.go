package livetest

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"dozor/internal/live"
)

// kept is how many of the newest frames every adapter has.
const kept = 5000

// whole reads an interval in pages: everything of it, or nothing and false where the
// adapter says that it does not have all.
func (s *scene) whole(p Process, epoch, after, upTo int64) (frames []live.Frame, complete bool) {
	for after < upTo {
		page, complete := s.rangeOf(p, epoch, after, upTo, 700)
		if !complete {
			return nil, false
		}
		require.NotEmpty(s.t, page)
		frames = append(frames, page...)
		after = page[len(page)-1].Position
	}
	return frames, true
}

func bufferKeepsTheNewest(s *scene) {
	p, other := s.process(), s.process()
	const more = 400
	all := s.system.Commit(s.t, kept+more)
	epoch, last := all[0].Epoch, all[len(all)-1].Position
	for i := 0; i < len(all); i += 450 {
		s.publish(p, all[i:min(i+450, len(all))])
	}
	s.publish(p, all[:300]) // a new relay repeats
	newest, complete := s.whole(other, epoch, last-kept, last)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all[more:], newest))
	for _, after := range []int64{0, 100, more - 1} {
		frames, complete := s.whole(other, epoch, after, last)
		if complete {
			require.Empty(s.t, cmp.Diff(all[after:], frames), "complete means all of them")
		}
	}
}

// publishedOutOfOrder: a relay died before it published, another went on and made up for
// it. What was not published yet is no interval to answer for.
func publishedOutOfOrder(s *scene) {
	p := s.process()
	all := s.system.Commit(s.t, 40)
	epoch, last := all[0].Epoch, all[len(all)-1].Position
	s.publish(p, all[:10])
	s.publish(p, all[20:])
	if frames, complete := s.whole(p, epoch, 0, last); complete {
		require.Empty(s.t, cmp.Diff(all, frames), "complete means all of them")
	}
	s.publish(p, all[10:20])
	frames, complete := s.whole(p, epoch, 0, last)
	require.True(s.t, complete)
	require.Empty(s.t, cmp.Diff(all, frames))
}

func slowSubscriberHoldsUpNobody(s *scene) {
	relay, p := s.process(), s.process()
	release := make(chan struct{})
	stuck := make(chan struct{}, 1)
	s.listen(p, func([]live.Frame) {
		select {
		case stuck <- struct{}{}:
		default:
		}
		<-release
	})
	s.t.Cleanup(func() { close(release) })
	quick := s.subscribe(p)
	for range 20 {
		frames := s.system.Commit(s.t, 100)
		began := time.Now()
		s.publish(relay, frames)
		if s.good() {
			require.Less(s.t, time.Since(began), patience/6)
			s.requireFrames(quick, frames)
		}
	}
	s.reachesEventually(relay, []*reader{quick})
	select {
	case <-stuck:
	case <-s.ctx.Done():
		s.t.Error("the slow subscriber got nothing")
	}
}
