package worker

import (
	"context"
	"slices"
	"time"

	"dozor/internal/live"
	"dozor/satel"
)

// alarmLists are read first: they drive inference. The rest follows in this order.
var listOrder = []satel.Command{
	satel.CmdZonesAlarm, satel.CmdZonesTamperAlarm, satel.CmdPartitionsAlarm, satel.CmdPartitionsFireAlarm,
	satel.CmdArmed, satel.CmdEntryTime, satel.CmdExitTimeLong, satel.CmdExitTimeShort,
	satel.CmdArmedMode1, satel.CmdArmedMode2, satel.CmdArmedMode3,
	satel.CmdZonesViolated, satel.CmdZonesTampered, satel.CmdZonesBypassed, satel.CmdZonesAlarmMemory,
	satel.CmdPartitionsAlarmMemory, satel.CmdOutputs,
	satel.CmdTroubles1, satel.CmdTroubles2, satel.CmdTroubles3, satel.CmdTroubles4, satel.CmdTroubles5,
}

// mayBeLogged are the lists of which a change may stand in the event memory: all but
// the clock, which has news each second.
var mayBeLogged = newsOf(0x00, 0x16) | newsOf(0x1B, 0x31)

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
	pending  satel.CommandSet
	last     map[satel.Command]satel.Bits
	troubles map[satel.Command][]string
}

// newLists wants every list once: flags don't say what changed before the connection.
func newLists(wide bool) *lists {
	l := &lists{wide: wide, last: map[satel.Command]satel.Bits{}, troubles: map[satel.Command][]string{}}
	l.pending = satel.Commands(listOrder...)
	return l
}

func (l *lists) changed(news satel.CommandSet) {
	l.pending |= news & satel.Commands(listOrder...)
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

// readList reads one list and puts it into the live state.
func (s *session) readList(ctx context.Context, cmd satel.Command) error {
	if cmd >= satel.CmdTroubles1 && cmd <= satel.CmdTroubles5 {
		return s.readTroubles(ctx, cmd)
	}
	bits, err := s.conn.List(ctx, cmd, s.lists.wide)
	if err != nil {
		return err
	}
	s.lists.pending = s.lists.pending.Without(cmd)
	s.alive()
	before, known := s.lists.last[cmd]
	s.lists.last[cmd] = bits
	if known && bits.Equal(before) {
		return nil
	}
	if field := field(&s.state, cmd); field != nil {
		*field = bits.Numbers()
	}
	if cmd == satel.CmdExitTimeLong || cmd == satel.CmdExitTimeShort {
		s.state.ExitTime = union(s.lists.last[satel.CmdExitTimeLong].Numbers(), s.lists.last[satel.CmdExitTimeShort].Numbers())
	}
	s.state.ChangedAt = s.w.cfg.Clock()
	s.publishState()
	if known {
		s.suspect(cmd, bits.Rises(before))
	}
	return nil
}

func (s *session) readTroubles(ctx context.Context, cmd satel.Command) error {
	troubles, err := s.conn.Troubles(ctx, cmd)
	if err != nil {
		return err
	}
	s.lists.pending = s.lists.pending.Without(cmd)
	s.alive()
	s.lists.troubles[cmd] = troubles.Names()
	var all []string
	for _, names := range s.lists.troubles {
		all = append(all, names...)
	}
	slices.Sort(all)
	if slices.Equal(all, s.state.Troubles) {
		return nil
	}
	s.state.Troubles, s.state.ChangedAt = all, s.w.cfg.Clock()
	s.publishState()
	return nil
}

func field(s *live.PanelState, cmd satel.Command) *[]int {
	switch cmd {
	case satel.CmdZonesViolated:
		return &s.ZonesViolated
	case satel.CmdZonesTampered:
		return &s.ZonesTampered
	case satel.CmdZonesAlarm:
		return &s.ZonesAlarm
	case satel.CmdZonesTamperAlarm:
		return &s.ZonesTamperAlarm
	case satel.CmdZonesAlarmMemory:
		return &s.ZonesAlarmMemory
	case satel.CmdZonesBypassed:
		return &s.ZonesBypassed
	case satel.CmdArmed:
		return &s.Armed
	case satel.CmdArmedMode1:
		return &s.ArmedMode1
	case satel.CmdArmedMode2:
		return &s.ArmedMode2
	case satel.CmdArmedMode3:
		return &s.ArmedMode3
	case satel.CmdEntryTime:
		return &s.EntryTime
	case satel.CmdPartitionsAlarm:
		return &s.PartitionsAlarm
	case satel.CmdPartitionsFireAlarm:
		return &s.PartitionsFire
	case satel.CmdPartitionsAlarmMemory:
		return &s.AlarmMemory
	case satel.CmdOutputs:
		return &s.OutputsOn
	default:
		return nil
	}
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
