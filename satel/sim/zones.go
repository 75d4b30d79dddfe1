package sim

import (
	"fmt"

	"dozor/satel"
)

type zoneState struct {
	*Zone
	alarm  int  // code of the alarm that the present violation has raised, 0 when none
	forced bool // left out by forced arming until disarmed
}

// behaviour is how a zone's reaction makes use of a violation.
type behaviour int

const (
	passive   behaviour = iota // shown, nothing else
	always                     // alarms at any time
	whenArmed                  // alarms while the partition is armed
	entering                   // starts the entry time
	following                  // as whenArmed, but keeps still during the entry time
	technical                  // raises a trouble
	masking                    // says that a detector is covered
)

func (r Reaction) behaviour() behaviour {
	switch {
	case r == 0, r == 1, r == 2, r == 85, r == 86, r == 94:
		return entering
	case r == DelayedInterior, r == 95:
		return following
	case r >= 4 && r <= 8, r >= 16 && r <= 31, r == 87:
		return whenArmed
	case r >= 9 && r <= 15, r >= 32 && r <= 46, r >= 48 && r <= 56, r == Burglary24h, r == 96:
		return always
	case r >= 59 && r <= 63:
		return technical
	case r == 91:
		return masking
	default:
		return passive
	}
}

// interior tells whether the zone is left out when somebody stays inside.
func (r Reaction) interior() bool { return r == DelayedInterior || r == 94 || r == 95 }

// Violate opens a zone, as its detector would. A zone that is violated already does nothing. It returns the events that
// follow at once; an alarm at the end of an entry time comes later.
func (p *Panel) Violate(zone int) ([]Event, error) { return p.onZone(zone, p.violate) }

// RestoreZone ends the violation and the tamper of a zone.
func (p *Panel) RestoreZone(zone int) ([]Event, error) { return p.onZone(zone, p.restore) }

// Tamper opens the tamper contact of a zone.
func (p *Panel) Tamper(zone int) ([]Event, error) { return p.onZone(zone, p.tamper) }

func (p *Panel) onZone(number int, act func(*zoneState)) ([]Event, error) {
	p.enter()
	defer p.leave()
	z := p.zones[number]
	if z == nil {
		return nil, fmt.Errorf("%w: zone %d", ErrNotFound, number)
	}
	return p.collect(func() { act(z) }), nil
}

func (p *Panel) violate(z *zoneState) {
	if p.board.has(satel.CmdZonesViolated, z.Number) {
		return
	}
	p.board.set(satel.CmdZonesViolated, z.Number, true)
	p.board.set(satel.CmdPartitionsViolated, z.Partition, true)
	if !p.bypassed(z) {
		p.trigger(z)
	}
}

func (p *Panel) bypassed(z *zoneState) bool {
	return p.board.has(satel.CmdZonesBypassed, z.Number) || p.board.has(satel.CmdZonesIsolated, z.Number)
}

// trigger lets a violated zone have its effect.
func (p *Panel) trigger(z *zoneState) {
	if p.service {
		return
	}
	part := p.partitions[z.Partition]
	watched := part.phase == armed && !(part.mode >= stayMode && z.Reaction.interior())
	switch z.Reaction.behaviour() {
	case always:
		p.alarm(z)
	case whenArmed:
		if watched {
			p.alarm(z)
		}
	case following:
		if watched && part.entry == nil {
			p.alarm(z)
		}
	case entering:
		switch {
		case !watched || part.entry != nil:
		case part.mode == noDelayMode || part.EntryDelay == 0:
			p.alarm(z)
		default:
			p.startEntry(part, z)
		}
	case technical:
		z.alarm, _ = satel.ZoneReactionAlarmEvent(byte(z.Reaction))
		p.showTechnical(z, true)
		p.logZone(z, z.alarm, false)
	case masking:
		z.alarm, _ = satel.ZoneReactionAlarmEvent(byte(z.Reaction))
		p.board.set(satel.CmdZonesMasked, z.Number, true)
		p.board.set(satel.CmdZonesMaskedMemory, z.Number, true)
		p.logZone(z, z.alarm, false)
	case passive:
	}
}

// alarm raises the alarm of a zone: state bits first, then the record.
func (p *Panel) alarm(z *zoneState) {
	code, ok := satel.ZoneReactionAlarmEvent(byte(z.Reaction))
	if !ok {
		code = codeBurglary
	}
	p.board.set(satel.CmdZonesAlarm, z.Number, true)
	p.board.set(satel.CmdZonesAlarmMemory, z.Number, true)
	p.soundAlarm(p.partitions[z.Partition], kindOf(z.Reaction, code))
	if p.board.has(satel.CmdZonesViolated, z.Number) {
		z.alarm = code
	}
	p.logZone(z, code, false)
}

func (p *Panel) logZone(z *zoneState, code int, restore bool) {
	if _, known := satel.LookupEvent(code, restore); known {
		p.log(happening{code: code, restore: restore, partition: z.Partition, source: byZone(z.Number)})
	}
}

func (p *Panel) restore(z *zoneState) {
	if p.board.has(satel.CmdZonesViolated, z.Number) {
		p.board.set(satel.CmdZonesViolated, z.Number, false)
		p.board.set(satel.CmdPartitionsViolated, z.Partition, p.anyZone(z.Partition, satel.CmdZonesViolated))
		switch z.Reaction.behaviour() {
		case technical:
			p.showTechnical(z, false)
		case masking:
			p.board.set(satel.CmdZonesMasked, z.Number, false)
		default:
		}
		if z.alarm != 0 {
			p.logZone(z, z.alarm, true)
			z.alarm = 0
		}
	}
	if p.board.has(satel.CmdZonesTampered, z.Number) {
		p.board.set(satel.CmdZonesTampered, z.Number, false)
		if !p.bypassed(z) && !p.service {
			p.logZone(z, codeZoneTamper, true)
		}
	}
}

func (p *Panel) tamper(z *zoneState) {
	if p.board.has(satel.CmdZonesTampered, z.Number) {
		return
	}
	p.board.set(satel.CmdZonesTampered, z.Number, true)
	if p.bypassed(z) || p.service {
		return
	}
	p.board.set(satel.CmdZonesTamperAlarm, z.Number, true)
	p.board.set(satel.CmdZonesTamperAlarmMemory, z.Number, true)
	p.soundAlarm(p.partitions[z.Partition], kindTamper)
	p.logZone(z, codeZoneTamper, false)
}

// anyZone tells whether a zone of the partition is in the list that the command reads.
func (p *Panel) anyZone(partition int, cmd satel.Command) bool {
	for _, z := range p.zones {
		if z.Partition == partition && p.board.has(cmd, z.Number) {
			return true
		}
	}
	return false
}

// highZones is the number above which zones stand in further lists.
const highZones = 128

// showTechnical shows a technical zone among the troubles. Its memory stays until it is cleared.
func (p *Panel) showTechnical(z *zoneState, on bool) {
	now, memory, n, past := satel.CmdTroubles1, satel.CmdTroublesMemory1, z.Number, z.Number
	if z.Number > highZones {
		now, memory, n, past = satel.CmdTroubles7, satel.CmdTroubles7, z.Number-highZones, z.Number
	}
	p.board.set(now, n, on)
	if on {
		p.board.set(memory, past, true)
	}
}

// setBypass bypasses or unbypasses a zone, for good with isolate, and records it when it changes.
func (p *Panel) setBypass(z *zoneState, on, isolate bool) {
	if on == p.bypassed(z) && !(on && isolate) {
		return
	}
	p.board.set(satel.CmdZonesBypassed, z.Number, on)
	p.board.set(satel.CmdZonesIsolated, z.Number, on && isolate)
	z.forced = false
	code := codeZoneBypassed
	switch kind := z.Reaction.behaviour(); {
	case isolate:
	case z.Reaction >= Fire24h && z.Reaction <= 46, z.Reaction == 96:
		code = codeFireBypassed
	case kind == always:
		code = code24hBypassed
	case kind == whenArmed, kind == entering, kind == following:
		code = codeBurgBypassed
	}
	p.logZone(z, code, !on)
}
