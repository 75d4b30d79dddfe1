package sim

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// StrikeKind is what goes wrong, or happens, in a storm.
type StrikeKind string

// Kinds of strikes. All but the first seven pass at once.
const (
	StrikeAlarm    StrikeKind = "alarm"   // a zone that alarms at any time, or a keypad's panic, and its end
	StrikeDrop     StrikeKind = "drop"    // the link is gone, new connections too
	StrikeHang     StrikeKind = "hang"    // nothing is answered
	StrikeGarble   StrikeKind = "garble"  // answers come damaged
	StrikeLose     StrikeKind = "lose"    // requests are lost
	StrikeSlow     StrikeKind = "slow"    // answers come late
	StrikeClock    StrikeKind = "clock"   // the panel's clock jumps, and back
	StrikeHangUp   StrikeKind = "hangup"  // the connection ends
	StrikeHalfOpen StrikeKind = "vanish"  // the client vanishes without the module's knowing
	StrikeRestart  StrikeKind = "restart" // the panel starts anew
	StrikeWrap     StrikeKind = "wrap"    // the event memory is filled until it wraps
)

// strikeWeights says how often each kind comes among 100 strikes.
var strikeWeights = []struct {
	kind   StrikeKind
	weight int
}{
	{StrikeAlarm, 60},
	{StrikeDrop, 7},
	{StrikeHang, 6},
	{StrikeGarble, 5},
	{StrikeLose, 5},
	{StrikeSlow, 5},
	{StrikeHangUp, 5},
	{StrikeHalfOpen, 2},
	{StrikeRestart, 2},
	{StrikeClock, 2},
	{StrikeWrap, 1},
}

const (
	// strikeEvery is how often a panel is struck on average.
	strikeEvery = 5 * time.Second
	// longestStrike bounds how long anything lasts, besides the storm's own length.
	longestStrike = 10 * time.Second
	// slowAnswer is how late answers come that come late.
	slowAnswer = 500 * time.Millisecond
	// longestStorm bounds how long a storm may be.
	longestStorm = 24 * time.Hour
)

// Strike is one thing that a storm does to a panel.
type Strike struct {
	At    time.Duration // since the storm began
	For   time.Duration // how long it lasts, 0 for what passes at once
	Panel int           // from 1
	Kind  StrikeKind
	Zone  int           // of an alarm, 0 for the panic of the first partition's keypad
	Jump  time.Duration // of the clock
}

// planStorm draws a storm. The same panels, seed and length give the same storm.
func planStorm(panels []*Panel, seed uint64, length time.Duration) []Strike {
	random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // no secret depends on it
	zones := make([][]int, len(panels))
	for i, p := range panels {
		zones[i] = p.alarmingZones()
	}
	strikes := make([]Strike, max(1, int(length*time.Duration(len(panels))/strikeEvery)))
	for i := range strikes {
		s := Strike{
			Panel: 1 + random.IntN(len(panels)), At: time.Duration(random.Int64N(int64(length) * 9 / 10)),
			Kind: drawKind(random),
		}
		lasts := min(longestStrike, length-s.At)
		s.For = lasts/10 + time.Duration(random.Int64N(int64(lasts)*9/10))
		switch own := zones[s.Panel-1]; s.Kind {
		case StrikeAlarm:
			if len(own) > 0 {
				s.Zone = own[random.IntN(len(own))]
			}
		case StrikeClock:
			s.Jump = time.Duration(random.IntN(4*60)-2*60) * time.Minute
		case StrikeHangUp, StrikeHalfOpen, StrikeRestart, StrikeWrap:
			s.For = 0
		default:
		}
		strikes[i] = s
	}
	slices.SortStableFunc(strikes, func(a, b Strike) int { return cmp.Compare(a.At, b.At) })
	return strikes
}

func drawKind(random *rand.Rand) StrikeKind {
	left := random.IntN(100)
	for _, w := range strikeWeights {
		if left -= w.weight; left < 0 {
			return w.kind
		}
	}
	return StrikeAlarm // the weights make 100
}

// alarmingZones returns the zones that alarm whether armed or not, by number.
func (p *Panel) alarmingZones() []int {
	p.enter()
	defer p.unlock()
	var numbers []int
	for n, z := range p.zones {
		if z.Reaction.behaviour() == always && !p.bypassed(z) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// strike does to a panel what the strike says, and strikes that last end by undo.
func (p *Panel) strike(s Strike) {
	switch s.Kind {
	case StrikeAlarm:
		if s.Zone != 0 {
			_, _ = p.Violate(s.Zone) // it was there when the storm was drawn
		} else {
			_, _ = p.Panic(p.order[0].Number) // the same
		}
	case StrikeDrop:
		p.SetLink(LinkDropped, s.For)
	case StrikeHang:
		p.SetLink(LinkHung, s.For)
	case StrikeGarble:
		p.SetLink(LinkGarbled, s.For)
	case StrikeLose:
		p.SetLink(LinkLossy, s.For)
	case StrikeSlow:
		p.SlowLink(slowAnswer, s.For)
	case StrikeClock:
		p.JumpClock(s.Jump)
	case StrikeHangUp:
		p.HangUp()
	case StrikeHalfOpen:
		p.HalfOpen()
	case StrikeRestart:
		p.Restart()
	case StrikeWrap:
		_, _ = p.Fill(p.memory.capacity + 1) // a memory has a place at least
	}
}

// undo ends a strike that does not end by itself.
func (p *Panel) undo(s Strike) {
	switch {
	case s.Kind == StrikeAlarm && s.Zone != 0:
		_, _ = p.RestoreZone(s.Zone) // it was there when the storm was drawn
	case s.Kind == StrikeClock:
		p.JumpClock(-s.Jump)
	}
}

// StormReport is what is to be known of a storm. Every record of a panel with a higher sequence than Before came in the
// storm or later: Panel.Events has them all, whatever its memory has lost.
type StormReport struct {
	Seed    uint64
	Length  time.Duration
	Running bool
	Struck  int // how many of the strikes have come
	Strikes []Strike
	Before  []uint64 // sequence of each panel's newest record when the storm began, 0 for none
}

// storm is one that runs or has run. The server's lock guards what changes.
type storm struct {
	report StormReport
	end    context.CancelFunc
}

// StartStorm strikes the panels of a running server at random for so long: alarms among everything that goes wrong with
// links, clocks and memories. In the end, whether it came to it or was ended, every zone that the storm opened is closed,
// alarms are cleared, links are normal and clocks are back. The same seed gives the same strikes at the same times, as far
// as the host's timers keep them; the records' own delays are drawn from the panels' seeds. There is one storm at a time.
func (s *Server) StartStorm(seed uint64, length time.Duration) error {
	if length <= 0 || length > longestStorm {
		return fmt.Errorf("%w: a storm lasts up to %s", ErrInvalid, longestStorm)
	}
	report := StormReport{Seed: seed, Length: length, Running: true, Strikes: planStorm(s.panels, seed, length)}
	for _, p := range s.panels {
		newest, _ := p.Newest()
		report.Before = append(report.Before, newest.Sequence)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.running:
		return fmt.Errorf("%w: a storm over a server that is not running", ErrRefused)
	case s.storm != nil && s.storm.report.Running:
		return fmt.Errorf("%w: there is a storm already", ErrRefused)
	}
	ctx, end := context.WithCancel(context.Background())
	now := &storm{report: report, end: end}
	s.storm = now
	s.work.Go(func() {
		defer end()
		s.rage(ctx, now, report.Strikes)
	})
	return nil
}

// EndStorm ends a storm before its time. It may take a moment until Storm tells of its end.
func (s *Server) EndStorm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.storm != nil {
		s.storm.end()
	}
}

// Storm tells of the present or last storm, false when there was none.
func (s *Server) Storm() (StormReport, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.storm == nil {
		return StormReport{}, false
	}
	return s.storm.report, true
}

// rage lets a storm happen until its end or that of the context.
func (s *Server) rage(ctx context.Context, now *storm, strikes []Strike) {
	began := time.Now()
	var lasting agenda // what is to be undone
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next := 0; ctx.Err() == nil; {
		for t := lasting.pop(time.Now()); t != nil; t = lasting.pop(time.Now()) {
			t.do()
		}
		for next < len(strikes) && time.Since(began) >= strikes[next].At {
			strike := strikes[next]
			panel := s.panels[strike.Panel-1]
			panel.strike(strike)
			lasting.add(began.Add(strike.At+strike.For), func() { panel.undo(strike) })
			next++
			s.mu.Lock()
			now.report.Struck = next
			s.mu.Unlock()
		}
		wake, some := lasting.soonest()
		if next < len(strikes) {
			if at := began.Add(strikes[next].At); !some || at.Before(wake) {
				wake = at
			}
		} else if !some {
			break
		}
		timer.Reset(time.Until(wake))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	for t := lasting.pop(began.Add(2 * longestStorm)); t != nil; t = lasting.pop(began.Add(2 * longestStorm)) {
		t.do()
	}
	for _, p := range s.panels {
		p.calm()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now.report.Running = false
}

// calm ends what a storm leaves behind in a panel.
func (p *Panel) calm() {
	p.link.mu.Lock()
	p.link.deadUntil = time.Time{}
	p.link.mu.Unlock()
	p.SetLink(LinkNormal, 0)
	p.enter()
	defer p.leave()
	for _, part := range p.order {
		p.clearAlarm(part, p.anyUser())
	}
}
