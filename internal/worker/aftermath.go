package worker

import (
	"context"
	"slices"
	"time"

	"dozor/internal/command"
	"dozor/internal/event"
	"dozor/satel"
)

// Times of the aftermath of a command.
const (
	// showEvery is the time between two looks at whether a command shows.
	showEvery = 200 * time.Millisecond
	// showWithin is how long what a panel accepted may take to show.
	showWithin = 3 * time.Second
	// secondAnswer is how long the final answer may come after "accepted" to arming. No
	// document knows of it; one that came later would be taken for another command's.
	secondAnswer = 5 * time.Second
)

// aftermath is what is found out after a panel has answered a command: whether its state
// shows what it accepted, or what stands in the way of what it refused. It is read a list a
// turn, in between what a session does anyway: no alarm waits for it. While it lasts the
// panel is given no other command, and asked nothing to which a second answer to this one
// could be an answer.
type aftermath struct {
	c       command.Claimed
	outcome command.Outcome // so far
	reads   []satel.Command // lists to be read, the clock among them
	left    []satel.Command // of these, in this round
	judge   func(s *session) verdict

	next     time.Time // of a round
	until    time.Time // no later round begins
	answer   time.Time // until then the final answer to arming may come; zero: there is none
	finished bool      // the end is recorded; only the final answer is waited for

	clock satel.Clock   // as last read, if it was
	off   time.Duration // by how much it differed from the station's
}

// verdict is what the state says of a command.
type verdict int

const (
	notShown verdict = iota
	shown
	untold // nothing in the state would show it
)

// shownBefore is the state that a command changes into its opposite.
func (s *session) shownBefore(c command.Claimed) satel.Bits {
	if c.Kind != command.OutputsSwitch || s.lists == nil {
		return nil
	}
	return s.lists.last[satel.CmdOutputs]
}

// aftermathOf returns what is to be found out after an answer; nil where that was all.
func (s *session) aftermathOf(c command.Claimed, o command.Outcome, before satel.Bits) *aftermath {
	now := s.w.cfg.Clock()
	a := &aftermath{c: c, outcome: o, next: now, until: now.Add(showWithin)}
	switch {
	case o.Result == command.CannotArm, o.Result == command.ForcePossible:
		a.reads = []satel.Command{satel.CmdZonesViolated, satel.CmdZonesTampered, satel.CmdZonesBypassed}
		a.judge = func(s *session) verdict {
			a.outcome.InTheWay = s.inTheWay()
			return untold
		}
		return a
	case o.Result != command.Accepted:
		return nil
	}
	a.next = now.Add(showEvery)
	a.reads, a.judge = a.effect(before)
	if c.Kind == command.Arm || c.Kind == command.ForceArm {
		a.answer = now.Add(secondAnswer)
		a.until = a.answer
	}
	if a.judge == nil {
		return nil
	}
	return a
}

// effect says where a command shows that a panel accepted, and how.
func (a *aftermath) effect(before satel.Bits) (reads []satel.Command, judge func(*session) verdict) {
	lists := func(numbers []int, cmds []satel.Command, wanted func(n int, in func(satel.Command) bool) bool) ([]satel.Command, func(*session) verdict) {
		return cmds, func(s *session) verdict {
			for _, n := range numbers {
				if !wanted(n, func(cmd satel.Command) bool { return s.lists.last[cmd].Has(n) }) {
					return notShown
				}
			}
			return shown
		}
	}
	inAny := func(cmds ...satel.Command) func(int, func(satel.Command) bool) bool {
		return func(_ int, in func(satel.Command) bool) bool { return slices.ContainsFunc(cmds, in) }
	}
	inNone := func(cmds ...satel.Command) func(int, func(satel.Command) bool) bool {
		return func(_ int, in func(satel.Command) bool) bool { return !slices.ContainsFunc(cmds, in) }
	}
	c := a.c
	arming := []satel.Command{satel.CmdArmed, satel.CmdExitTimeLong, satel.CmdExitTimeShort}
	alarms := []satel.Command{
		satel.CmdPartitionsAlarm, satel.CmdPartitionsFireAlarm, satel.CmdPartitionsAlarmMemory, satel.CmdPartitionsFireAlarmMemory,
	}
	bypassed, isolated, outputs := []satel.Command{satel.CmdZonesBypassed}, []satel.Command{satel.CmdZonesIsolated}, []satel.Command{satel.CmdOutputs}
	switch c.Kind {
	case command.Arm, command.ForceArm:
		return lists(c.Partitions, arming, inAny(arming...))
	case command.Disarm:
		return lists(c.Partitions, arming, inNone(arming...))
	case command.ClearAlarm:
		return lists(c.Partitions, alarms, inNone(alarms...))
	case command.Bypass:
		return lists(c.Zones, bypassed, inAny(bypassed...))
	case command.Unbypass:
		return lists(c.Zones, bypassed, inNone(bypassed...))
	case command.Isolate:
		return lists(c.Zones, isolated, inAny(isolated...))
	case command.OutputsOn:
		return lists(c.Outputs, outputs, inAny(outputs...))
	case command.OutputsOff:
		return lists(c.Outputs, outputs, inNone(outputs...))
	case command.OutputsSwitch:
		if before == nil {
			return nil, nil
		}
		return lists(c.Outputs, outputs, func(n int, in func(satel.Command) bool) bool { return in(satel.CmdOutputs) != before.Has(n) })
	case command.OpenDoor:
		// What an expander unlocks shows only when somebody goes through the door.
		if len(c.Expanders) > 0 {
			return nil, nil
		}
		return lists(c.Outputs, outputs, inAny(outputs...))
	case command.ClearTroubles:
		return []satel.Command{satel.CmdClock}, a.troublesForgotten
	case command.SetClock:
		return []satel.Command{satel.CmdClock}, a.clockIsRight
	}
	return nil, nil
}

// clockTolerance is what a panel's clock may be off after it was set: it shows whole
// seconds, and both reading and setting take their time.
const clockTolerance = 2 * time.Second

func (a *aftermath) clockIsRight(*session) verdict {
	if a.off.Abs() <= clockTolerance {
		return shown
	}
	return notShown
}

// troublesForgotten knows that troubles that are not over stay in the memory.
func (a *aftermath) troublesForgotten(*session) verdict {
	switch {
	case !a.clock.TroubleMemory:
		return shown
	case a.clock.Trouble:
		return untold
	default:
		return notShown
	}
}

// inTheWay returns what may stand against arming: zones that are violated or tampered with
// and not bypassed, and the panel's troubles.
func (s *session) inTheWay() []command.Obstacle {
	var found []command.Obstacle
	for _, list := range []struct {
		cmd  satel.Command
		what string
	}{{satel.CmdZonesViolated, command.Violated}, {satel.CmdZonesTampered, command.Tampered}} {
		for _, zone := range s.lists.last[list.cmd].Rises(s.lists.last[satel.CmdZonesBypassed]) {
			found = append(found, command.Obstacle{What: list.what, Zone: zone})
		}
	}
	for _, trouble := range s.state.Troubles {
		found = append(found, command.Obstacle{What: command.Trouble, Name: trouble})
	}
	return found
}

// followCommand does the next step of the aftermath, if one is due, and reports whether it
// asked the panel anything.
func (s *session) followCommand(ctx context.Context, now time.Time) (asked bool, err error) {
	a := s.after
	if a == nil || now.Before(a.next) {
		return false, nil
	}
	if !a.answer.IsZero() {
		select {
		case result := <-s.answers:
			a.outcome, a.answer = command.FromPanel(result), time.Time{}
			s.endAftermath(ctx)
			return false, nil
		default:
		}
	}
	if a.finished {
		a.next = now.Add(showEvery)
		s.endAftermath(ctx)
		return false, nil
	}
	if len(a.left) == 0 {
		a.left = a.reads
	}
	if err := s.readShown(ctx, a); err != nil {
		return true, err
	}
	if a.left = a.left[1:]; len(a.left) > 0 {
		return true, nil
	}
	now = s.w.cfg.Clock()
	switch v := a.judge(s); {
	case v == shown:
		a.outcome.Result = command.Confirmed
	case v == notShown && now.Before(a.until):
		a.next = now.Add(showEvery)
		return true, nil
	case v == notShown:
		a.outcome.Result = command.NoEffect
	}
	s.endAftermath(ctx)
	return true, nil
}

// readShown reads the next of what shows a command, as it is now.
func (s *session) readShown(ctx context.Context, a *aftermath) error {
	if a.left[0] != satel.CmdClock {
		return s.readList(ctx, a.left[0])
	}
	clock, at, err := s.conn.Clock(ctx)
	if err != nil {
		return err
	}
	s.alive()
	// As walls show it: the hour that an autumn repeats is right both times.
	ours := satel.ClockAt(at.In(event.PanelZone()))
	a.clock, a.off = clock, clock.Time(time.UTC).Sub(ours.Time(time.UTC))
	s.nextClock = at // the live state shows the same
	return nil
}

// endAftermath records the end, once, and lets the next command come when no other answer
// to this one can.
func (s *session) endAftermath(ctx context.Context) {
	a := s.after
	if !a.finished {
		a.finished = true
		s.w.finish(ctx, a.c, a.outcome)
	}
	if a.answer.IsZero() || s.conn == nil || !s.w.cfg.Clock().Before(a.answer) {
		s.after = nil
		s.release()
	}
}

// release lets the worker claim the next command for the panel.
func (s *session) release() {
	s.taken.Store(false)
	select {
	case s.w.freed <- struct{}{}:
	default:
	}
}

// refuse ends a command that was claimed and can't be sent any more.
func (s *session) refuse(ctx context.Context, c command.Claimed) {
	s.w.finish(ctx, c, command.Outcome{Result: command.LinkDown})
	s.release()
}

// breakOff ends what the end of a connection cuts short: what the panel has answered stays
// true, and what was not sent is not sent.
func (s *session) breakOff(ctx context.Context) {
	if s.after != nil {
		s.endAftermath(ctx)
	}
	select {
	case c := <-s.commands:
		s.refuse(ctx, c)
	default:
	}
}

// awaitsAnswer reports whether a second answer to a command may come: what it could be
// taken for is not asked then.
func (s *session) awaitsAnswer() bool { return s.after != nil && !s.after.answer.IsZero() }

// heard takes an answer that nobody asked for: see secondAnswer.
func (s *session) heard(f satel.Frame) {
	if f.Cmd != satel.CmdResult {
		return
	}
	result, err := satel.ParseResult(f.Data)
	if err != nil {
		return
	}
	select {
	case s.answers <- result:
	default:
	}
}
