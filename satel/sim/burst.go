package sim

import (
	"fmt"

	"dozor/satel"
)

// BurstKind says what a burst is made of.
type BurstKind string

// Kinds of bursts.
const (
	BurstAlarms BurstKind = "alarm" // alarms alone, of one zone after the other
	BurstMixed  BurstKind = "mixed" // each alarm is followed by the end of its violation
)

// maxBurst is more records than any memory holds.
const maxBurst = 100_000

// Burst writes n records of alarms into the memory at once and shows the zones and partitions in alarm, whether they
// are armed or not. Zones take turns: those of the site that alarm at once while armed, then every other number that the
// panel has, so that alarms are of distinct zones as long as there are any. Zones that the site does not have show no
// state bits, only records.
func (p *Panel) Burst(n int, kind BurstKind) ([]Event, error) {
	if n < 1 || n > maxBurst {
		return nil, fmt.Errorf("%w: a burst has 1 to %d events", ErrInvalid, maxBurst)
	}
	if kind != BurstAlarms && kind != BurstMixed {
		return nil, fmt.Errorf("%w: burst of kind %q, there are %s and %s", ErrInvalid, kind, BurstAlarms, BurstMixed)
	}
	p.enter()
	defer p.leave()
	p.writeAll()
	zones := p.burstZones()
	events := make([]Event, 0, n)
	for i := range n {
		z, restore := zones[i%len(zones)], false
		if kind == BurstMixed {
			z, restore = zones[i/2%len(zones)], i%2 == 1
		}
		e, err := p.event(happening{code: z.code, restore: restore, partition: z.partition, source: byZone(z.number)})
		if err != nil {
			return events, fmt.Errorf("burst: %w", err)
		}
		p.showBurst(z, restore)
		events = append(events, p.write(e))
	}
	return events, nil
}

type burstZone struct{ number, partition, code int }

func (p *Panel) burstZones() []burstZone {
	var instant, others []burstZone
	for n := 1; n <= p.model.Zones; n++ {
		z := p.zones[n]
		if z == nil {
			others = append(others, burstZone{n, p.order[0].Number, codeBurglary})
			continue
		}
		code, ok := satel.ZoneReactionAlarmEvent(byte(z.Reaction))
		switch kind := z.Reaction.behaviour(); {
		case ok && kind == whenArmed:
			instant = append(instant, burstZone{n, z.Partition, code})
		case ok && kind == following:
			others = append(others, burstZone{n, z.Partition, code})
		default:
			others = append(others, burstZone{n, z.Partition, codeBurglary})
		}
	}
	return append(instant, others...)
}

// showBurst sets the state bits of one record of a burst.
func (p *Panel) showBurst(z burstZone, restore bool) {
	state := p.zones[z.number]
	if state == nil {
		return
	}
	p.board.set(satel.CmdZonesViolated, z.number, !restore)
	p.board.set(satel.CmdPartitionsViolated, z.partition, !restore || p.anyZone(z.partition, satel.CmdZonesViolated))
	if restore {
		state.alarm = 0
		return
	}
	state.alarm = z.code
	p.board.set(satel.CmdZonesAlarm, z.number, true)
	p.board.set(satel.CmdZonesAlarmMemory, z.number, true)
	p.soundAlarm(p.partitions[z.partition], kindBurglary)
}
