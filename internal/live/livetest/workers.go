package livetest

import (
	"context"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
)

func (s *scene) join(p Process, self live.Worker, ttl time.Duration) (crew live.Crew) {
	s.do(p, func(ctx context.Context) (err error) {
		crew, err = p.Leases.Join(ctx, self, ttl)
		return err
	})
	return crew
}

func (s *scene) leave(p Process, instance string) {
	s.do(p, func(ctx context.Context) error { return p.Leases.Leave(ctx, instance) })
}

func workersKnowOfEachOther(s *scene) {
	p, other := s.process(), s.process()
	panels := s.system.Panels(s.t, 3)
	s.system.Disable(s.t, panels[1])
	a := live.Worker{Instance: "a", Held: 3, Load: 2, Capacity: 9}
	b := live.Worker{Instance: "b", Capacity: 5}
	require.Equal(s.t, live.Crew{Panels: 2}, s.join(p, a, long), "alone, and two panels to be held")
	require.Equal(s.t, live.Crew{Others: []live.Worker{a}, Panels: 2}, s.join(other, b, long))
	a.Held, a.Load, a.Capacity = 1, 1, 0
	require.Equal(s.t, []live.Worker{b}, s.join(p, a, long).Others)
	require.Equal(s.t, []live.Worker{a}, s.join(other, b, long).Others, "what was said last counts")
	s.leave(p, "a")
	s.leave(p, "a")
	require.Empty(s.t, s.join(other, b, long).Others, "who left is not there")

	said := time.Now()
	s.join(p, a, short)
	for slices.Contains(s.join(other, b, long).Others, a) {
		require.NoError(s.t, s.ctx.Err(), "who says no more is not there any more")
	}
	require.GreaterOrEqual(s.t, time.Since(said), short, "it is there for the time that it has said")
	s.leave(other, "b")
	require.Empty(s.t, s.join(p, a, short).Others)
}
