package worker

import (
	"context"
	"time"

	"dozor/internal/event"
)

// clockEvery is the time between two looks at the panel's clock. They are its keep-alive
// as well: each panel answers, and modules hang up on who is silent for 25 s.
const clockEvery = 12 * time.Second

// readClock measures how far the panel's clock is ahead of ours. Records are placed by it,
// and whether it is wrong is judged by what is published (package panelwatch).
func (s *session) readClock(ctx context.Context) error {
	asked := s.w.cfg.Clock()
	clock, at, err := s.conn.Clock(ctx)
	if err != nil {
		return err
	}
	s.alive()
	s.nextClock = s.w.cfg.Clock().Add(clockEvery)
	// The panel shows whole seconds: half of one is what is missing on average.
	middle := asked.Add(at.Sub(asked) / 2)
	offset := clock.Time(event.PanelZone()).Add(500 * time.Millisecond).Sub(middle)
	s.memory.SetClockOffset(offset)
	// A clock that lies between two seconds must not be news each time.
	told := time.Duration(s.state.ClockOffsetMS) * time.Millisecond
	if (offset-told).Abs() >= time.Second || clock.ServiceMode != s.state.ServiceMode {
		s.state.ClockOffsetMS, s.state.ServiceMode = offset.Round(time.Second).Milliseconds(), clock.ServiceMode
		s.state.ChangedAt = s.w.cfg.Clock()
		s.publishState()
	}
	return nil
}
