package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"dozor/internal/live"
	"dozor/satel"
	"dozor/satel/client"
)

// listOrder is how lists are read: alarms first, since they drive inference, then what
// tells whether the place is guarded, then the rest.
var listOrder = []satel.Command{
	satel.CmdZonesAlarm, satel.CmdZonesTamperAlarm, satel.CmdPartitionsAlarm, satel.CmdPartitionsFireAlarm,
	satel.CmdArmed, satel.CmdEntryTime, satel.CmdExitTimeLong, satel.CmdExitTimeShort,
	satel.CmdArmedMode1, satel.CmdArmedMode2, satel.CmdArmedMode3,
	satel.CmdZonesViolated, satel.CmdZonesTampered, satel.CmdZonesBypassed, satel.CmdZonesIsolated, satel.CmdZonesAlarmMemory,
	satel.CmdPartitionsAlarmMemory, satel.CmdOutputs,
	satel.CmdTroubles1, satel.CmdTroubles2, satel.CmdTroubles3, satel.CmdTroubles4, satel.CmdTroubles5,
	satel.CmdPartitionsVerifiedAlarm, satel.CmdPartitionsWarning, satel.CmdPartitionsFireAlarmMemory, satel.CmdZonesTamperAlarmMemory,
	satel.CmdZonesMasked, satel.CmdZonesMaskedMemory, satel.CmdZonesNoViolation, satel.CmdZonesLongViolation,
	satel.CmdFirstCode, satel.CmdPartitionsBlocked, satel.CmdPartitionsGuardRound, satel.CmdDoorsOpen, satel.CmdDoorsLong,
	satel.CmdTroubles6, satel.CmdTroubles7, satel.CmdTroubles8,
	satel.CmdTroublesMemory1, satel.CmdTroublesMemory2, satel.CmdTroublesMemory3, satel.CmdTroublesMemory4, satel.CmdTroublesMemory5,
	satel.CmdTroublesMemory6, satel.CmdTroublesMemory7, satel.CmdTroublesMemory8,
}

// mayBeLogged are the lists of which a change may stand in the event memory: all but
// outputs, doors and the clock, which has news each second.
var mayBeLogged = newsOf(0x00, 0x16) | newsOf(0x1B, 0x31)

// Lists that not every module has, by what it says of itself.
var (
	// slowOnOld are those that a module without a version may need five seconds for, in
	// which an alarm would wait.
	slowOnOld = satel.Commands(satel.CmdZonesMasked, satel.CmdZonesMaskedMemory, satel.CmdPartitionsWarning)
	// beyondOld are those that came with INT-RS 2.xx and ETHM-1 Plus.
	beyondOld = satel.Commands(satel.CmdTroubles6, satel.CmdTroubles7, satel.CmdTroublesMemory6, satel.CmdTroublesMemory7)
	part8     = satel.Commands(satel.CmdTroubles8, satel.CmdTroublesMemory8)
)

func newsOf(first, last satel.Command) satel.CommandSet {
	var set satel.CommandSet
	for c := first; c <= last; c++ {
		set = set.With(c)
	}
	return set
}

// lists knows which state lists must be read again, and what they said last.
type lists struct {
	wide     bool
	all      satel.CommandSet // those that are read; flags of others never fall, so that they say nothing
	pending  satel.CommandSet
	flagged  satel.CommandSet // those of which the form of 0x7F speaks that the module knows
	known    satel.CommandSet
	last     [8 * satel.NewDataLong]satel.Bits
	troubles [8 * satel.NewDataLong][]satel.Trouble
}

// newLists wants every list once that the module has: flags don't say what changed before
// the connection.
func newLists(module satel.ModuleVersion, size int, widePanel bool, unanswered satel.CommandSet) *lists {
	l := &lists{wide: module.Wide && widePanel, all: satel.Commands(listOrder...) &^ unanswered}
	if module.Firmware.Version == "" {
		l.all &^= slowOnOld
	}
	if module.Firmware.Version < "2" {
		l.all &^= beyondOld
	}
	if !module.Troubles8 {
		l.all &^= part8
	}
	l.pending = l.all
	l.within(size)
	return l
}

// within says which form of 0x7F the module knows.
func (l *lists) within(size int) { l.flagged = newsOf(0, satel.Command(8*size-1)) }

// changed takes news flags. Mode 1 changes with what is armed: where no flag speaks of it,
// it is read along.
func (l *lists) changed(news satel.CommandSet) {
	if news.Has(satel.CmdArmed) && !l.flagged.Has(satel.CmdArmedMode1) {
		news = news.With(satel.CmdArmedMode1)
	}
	l.pending |= news & l.all
}

func (l *lists) next() (satel.Command, bool) {
	if l == nil || l.pending == 0 {
		return 0, false
	}
	for _, cmd := range listOrder {
		if l.pending.Has(cmd) {
			return cmd, true
		}
	}
	return 0, false
}

// drop gives up a list that the module leaves without an answer.
func (l *lists) drop(cmd satel.Command) {
	l.all, l.pending = l.all.Without(cmd), l.pending.Without(cmd)
}

// readList reads one list and puts it into the live state.
func (s *session) readList(ctx context.Context, cmd satel.Command) error {
	if _, is := satel.TroublesSize(cmd); is {
		return s.readTroubles(ctx, cmd)
	}
	bits, err := s.conn.List(ctx, cmd, s.lists.wide)
	if err != nil {
		return err
	}
	s.lists.pending = s.lists.pending.Without(cmd)
	s.alive()
	before, known := s.lists.last[cmd], s.lists.known.Has(cmd)
	s.lists.last[cmd], s.lists.known = bits, s.lists.known.With(cmd)
	if known && bits.Equal(before) {
		return nil
	}
	s.show(cmd, bits)
	s.state.ChangedAt = s.w.cfg.Clock()
	s.publishState()
	if known {
		s.suspect(cmd, bits.Rises(before))
	}
	return nil
}

// readTroubles reads one part of the troubles. Parts that not every module has are left
// alone when they are not answered once: each time-out costs seconds of deafness.
func (s *session) readTroubles(ctx context.Context, cmd satel.Command) error {
	troubles, err := s.conn.Troubles(ctx, cmd)
	switch {
	case err != nil && !client.IsLost(err) && errors.Is(err, client.ErrTimeout) && (beyondOld | part8).Has(cmd):
		s.unanswered = s.unanswered.With(cmd)
		s.lists.drop(cmd)
		return nil
	case err != nil:
		return err
	}
	s.lists.pending = s.lists.pending.Without(cmd)
	s.alive()
	s.lists.troubles[cmd] = troubles.Active
	var now, memory []string
	for part, active := range s.lists.troubles {
		past := satel.Command(part) >= satel.CmdTroublesMemory1 && satel.Command(part) <= satel.CmdTroublesMemory5 ||
			part == int(satel.CmdTroublesMemory6) || part == int(satel.CmdTroublesMemory7) || part == int(satel.CmdTroublesMemory8)
		for _, t := range active {
			if past || t.Memory {
				memory = append(memory, t.Name())
			} else {
				now = append(now, t.Name())
			}
		}
	}
	now, memory = sorted(now), sorted(memory)
	if slices.Equal(now, s.state.Troubles) && slices.Equal(memory, s.state.TroubleMemory) {
		return nil
	}
	s.state.Troubles, s.state.TroubleMemory, s.state.ChangedAt = now, memory, s.w.cfg.Clock()
	s.publishState()
	return nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// show puts a list into the live state.
func (s *session) show(cmd satel.Command, bits satel.Bits) {
	last := &s.lists.last
	switch cmd {
	case satel.CmdExitTimeLong, satel.CmdExitTimeShort:
		s.state.ExitTime = union(last[satel.CmdExitTimeLong].Numbers(), last[satel.CmdExitTimeShort].Numbers())
	case satel.CmdPartitionsBlocked, satel.CmdPartitionsGuardRound:
		s.state.Blocked = union(last[satel.CmdPartitionsBlocked].Numbers(), last[satel.CmdPartitionsGuardRound].Numbers())
	case satel.CmdDoorsOpen:
		s.state.DoorsOpen = bits.Addresses()
	case satel.CmdDoorsLong:
		s.state.DoorsLong = bits.Addresses()
	default:
		if field := shownLists[cmd]; field != nil {
			*field(&s.state) = bits.Numbers()
		}
	}
}

// shownLists are the lists that stand in the live state as they are.
var shownLists = map[satel.Command]func(*live.PanelState) *[]int{
	satel.CmdZonesViolated:             func(s *live.PanelState) *[]int { return &s.ZonesViolated },
	satel.CmdZonesTampered:             func(s *live.PanelState) *[]int { return &s.ZonesTampered },
	satel.CmdZonesAlarm:                func(s *live.PanelState) *[]int { return &s.ZonesAlarm },
	satel.CmdZonesTamperAlarm:          func(s *live.PanelState) *[]int { return &s.ZonesTamperAlarm },
	satel.CmdZonesAlarmMemory:          func(s *live.PanelState) *[]int { return &s.ZonesAlarmMemory },
	satel.CmdZonesTamperAlarmMemory:    func(s *live.PanelState) *[]int { return &s.ZonesTamperMemory },
	satel.CmdZonesBypassed:             func(s *live.PanelState) *[]int { return &s.ZonesBypassed },
	satel.CmdZonesIsolated:             func(s *live.PanelState) *[]int { return &s.ZonesIsolated },
	satel.CmdZonesNoViolation:          func(s *live.PanelState) *[]int { return &s.ZonesNoViolation },
	satel.CmdZonesLongViolation:        func(s *live.PanelState) *[]int { return &s.ZonesLongViolation },
	satel.CmdZonesMasked:               func(s *live.PanelState) *[]int { return &s.ZonesMasked },
	satel.CmdZonesMaskedMemory:         func(s *live.PanelState) *[]int { return &s.ZonesMaskedMemory },
	satel.CmdArmed:                     func(s *live.PanelState) *[]int { return &s.Armed },
	satel.CmdArmedMode1:                func(s *live.PanelState) *[]int { return &s.ArmedMode1 },
	satel.CmdArmedMode2:                func(s *live.PanelState) *[]int { return &s.ArmedMode2 },
	satel.CmdArmedMode3:                func(s *live.PanelState) *[]int { return &s.ArmedMode3 },
	satel.CmdEntryTime:                 func(s *live.PanelState) *[]int { return &s.EntryTime },
	satel.CmdFirstCode:                 func(s *live.PanelState) *[]int { return &s.FirstCode },
	satel.CmdPartitionsAlarm:           func(s *live.PanelState) *[]int { return &s.PartitionsAlarm },
	satel.CmdPartitionsFireAlarm:       func(s *live.PanelState) *[]int { return &s.PartitionsFire },
	satel.CmdPartitionsAlarmMemory:     func(s *live.PanelState) *[]int { return &s.AlarmMemory },
	satel.CmdPartitionsFireAlarmMemory: func(s *live.PanelState) *[]int { return &s.FireMemory },
	satel.CmdPartitionsVerifiedAlarm:   func(s *live.PanelState) *[]int { return &s.PartitionsVerified },
	satel.CmdPartitionsWarning:         func(s *live.PanelState) *[]int { return &s.PartitionsWarning },
	satel.CmdOutputs:                   func(s *live.PanelState) *[]int { return &s.OutputsOn },
}

func union(a, b []int) []int {
	out := append(append([]int{}, a...), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

// unexplainedAfter is how long a record may take to explain an alarm bit before the
// alarm is published without one.
const unexplainedAfter = 500 * time.Millisecond

// suspect is an alarm bit that rose and that no record has explained yet.
type suspect struct {
	zone      int // 0: the partition as a whole
	partition int
	code      int
	since     time.Time
}

// suspect notes bits that rose. A partition's bit counts only when no zone of the panel
// is in alarm: mostly it is the zone that the operator must hear of.
func (s *session) suspect(cmd satel.Command, rises []int) {
	now := s.w.cfg.Clock()
	for _, n := range rises {
		switch cmd {
		case satel.CmdZonesAlarm:
			s.suspects = append(s.suspects, suspect{zone: n, code: s.names.alarmCode(n), partition: s.names.partition(n), since: now})
		case satel.CmdZonesTamperAlarm:
			s.suspects = append(s.suspects, suspect{zone: n, code: codeZoneTamper, partition: s.names.partition(n), since: now})
		case satel.CmdPartitionsAlarm:
			if !s.lists.last[satel.CmdZonesAlarm].Any() && !s.lists.last[satel.CmdZonesTamperAlarm].Any() {
				s.suspects = append(s.suspects, suspect{partition: n, code: codeKeypadPanic, since: now})
			}
		case satel.CmdPartitionsFireAlarm:
			if !s.lists.last[satel.CmdZonesAlarm].Any() {
				s.suspects = append(s.suspects, suspect{partition: n, code: codeKeypadFire, since: now})
			}
		}
	}
	if len(s.suspects) > 0 {
		s.nextLook = now
	}
}

// Codes that stand for what is not known better.
const (
	codeZoneTamper  = 144
	codeKeypadPanic = 120
	codeKeypadFire  = 110
)

// judgeSuspects publishes what no record has explained in time.
func (s *session) judgeSuspects(now time.Time) error {
	keep := s.suspects[:0]
	for _, x := range s.suspects {
		switch {
		case s.reader.explains(x.zone, x.partition, now):
		case now.Sub(x.since) >= unexplainedAfter:
			s.infer(x.code, x.zone, x.partition, x.since)
		default:
			keep = append(keep, x)
		}
	}
	s.suspects = keep
	return nil
}
