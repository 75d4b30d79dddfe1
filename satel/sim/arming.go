package sim

import (
	"errors"
	"fmt"
	"time"

	"dozor/satel"
)

// phase is how far a partition is on its way between disarmed and armed.
type phase int

const (
	disarmed phase = iota
	exiting
	armed
)

func (p phase) String() string { return [...]string{"disarmed", "exit", "armed"}[p] }

const (
	stayMode    = 2 // from here on without interior zones
	noDelayMode = 3 // and without entry delay
	lastMode    = 3

	// exitWarning is the end of the exit time, which keypads count down aloud.
	exitWarning = 10 * time.Second
)

type partitionState struct {
	*Partition
	phase    phase
	mode     int
	user     int   // who armed
	warn     *task // last seconds of the exit time
	exit     *task // end of the exit time
	entry    *task // end of the entry time
	siren    *task // end of the siren time
	first    *firstCode
	sounding map[alarmKind]bool
}

var (
	// ErrNotFound means that the panel has no such zone, partition, user or trouble.
	ErrNotFound = errors.New("no such object in this panel")
	// ErrInvalid means that what was asked for makes no sense.
	ErrInvalid = errors.New("not possible")
	// ErrRefused means that the panel would not do what was asked; the error names the result code.
	ErrRefused = errors.New("the panel refuses")
)

// Arming says how a partition is armed from a keypad.
type Arming struct {
	Mode  int  // 0 to 3
	Force bool // although zones are violated
	User  int  // who does it, 0 for the site's first user
}

// Arm arms a partition, as a user at a keypad would. It returns the events that follow at once; those at the end of
// the exit time come later. The error wraps ErrRefused when something stands against it.
func (p *Panel) Arm(partition int, how Arming) ([]Event, error) {
	if how.Mode < 0 || how.Mode > lastMode {
		return nil, fmt.Errorf("%w: arming mode %d", ErrInvalid, how.Mode)
	}
	return p.onPartition(partition, how.User, func(part *partitionState, user int) error {
		if result := p.arm([]*partitionState{part}, how.Mode, how.Force, user); !result.Success() {
			return fmt.Errorf("%w: %s", ErrRefused, result)
		}
		return nil
	})
}

// Disarm disarms a partition, as a user at a keypad would, 0 for the site's first user.
func (p *Panel) Disarm(partition, user int) ([]Event, error) {
	return p.onPartition(partition, user, func(part *partitionState, user int) error {
		p.disarm(part, user)
		return nil
	})
}

// ClearAlarm clears the alarm of a partition, as a user at a keypad would, 0 for the site's first user.
func (p *Panel) ClearAlarm(partition, user int) ([]Event, error) {
	return p.onPartition(partition, user, func(part *partitionState, user int) error {
		p.clearAlarm(part, user)
		return nil
	})
}

// Panic raises the panic alarm of a partition's keypad.
func (p *Panel) Panic(partition int) ([]Event, error) {
	return p.onPartition(partition, 0, func(part *partitionState, _ int) error {
		p.soundAlarm(part, kindKeypadPanic)
		p.log(happening{code: codePanicKeypad, partition: part.Number, source: byKeypad(0)})
		return nil
	})
}

func (p *Panel) onPartition(number, user int, act func(*partitionState, int) error) ([]Event, error) {
	p.enter()
	defer p.leave()
	part := p.partitions[number]
	if part == nil {
		return nil, fmt.Errorf("%w: partition %d", ErrNotFound, number)
	}
	if user == 0 {
		user = p.anyUser()
	} else if p.userByNumber(user) == nil {
		return nil, fmt.Errorf("%w: user %d", ErrNotFound, user)
	}
	var err error
	events := p.collect(func() { err = act(part, user) })
	return events, err
}

// arm arms the partitions, all or none. Partitions that are armed or on the way are left alone.
func (p *Panel) arm(parts []*partitionState, mode int, force bool, user int) satel.Result {
	var todo []*partitionState
	for _, part := range parts {
		if part.phase != disarmed {
			continue
		}
		if p.blocked(part) && (part.NoForce || !force) {
			if part.NoForce {
				return satel.ResultCannotArm
			}
			return satel.ResultCannotArmForce
		}
		todo = append(todo, part)
	}
	for _, part := range todo {
		p.forgetFirst(part)
		part.mode, part.user = mode, user
		if !p.board.has(satel.CmdPartitionsAlarm, part.Number) {
			p.forgetAlarms(part) // of an alarm that still stands the memory stays too
		}
		if force {
			p.leaveOutViolated(part)
			p.log(happening{code: codeForcedArming, partition: part.Number, source: byUser(user)})
		}
		p.startExit(part)
	}
	return satel.ResultOK
}

// blocked tells whether something stands against arming the partition.
func (p *Panel) blocked(part *partitionState) bool {
	if p.cfg.Site.TroublesBlockArming && p.troubled() {
		return true
	}
	for _, z := range p.zones {
		if z.Partition == part.Number && z.Priority && p.openZone(z) {
			return true
		}
	}
	return false
}

// openZone tells whether a zone is violated and counts.
func (p *Panel) openZone(z *zoneState) bool {
	return p.board.has(satel.CmdZonesViolated, z.Number) && !p.bypassed(z)
}

// leaveOutViolated bypasses the violated zones of a partition until it is disarmed.
func (p *Panel) leaveOutViolated(part *partitionState) {
	for _, z := range p.zones {
		if z.Partition == part.Number && p.openZone(z) && z.Reaction.behaviour() != always {
			z.forced = true
			p.board.set(satel.CmdZonesBypassed, z.Number, true)
		}
	}
}

func (p *Panel) startExit(part *partitionState) {
	if part.ExitDelay <= 0 {
		p.completeArming(part)
		return
	}
	part.phase = exiting
	p.log(happening{code: codeExitTimeByUser, partition: part.Number, source: byUser(part.user)})
	last := func() {
		p.board.set(satel.CmdExitTimeLong, part.Number, false)
		p.board.set(satel.CmdExitTimeShort, part.Number, true)
	}
	if part.ExitDelay > exitWarning {
		p.board.set(satel.CmdExitTimeLong, part.Number, true)
		part.warn = p.after(part.ExitDelay-exitWarning, last)
	} else {
		last()
	}
	part.exit = p.after(part.ExitDelay, func() { p.endExit(part) })
}

func (p *Panel) endExit(part *partitionState) {
	p.stopTimes(part)
	if part.FailOnViolated && len(p.openZones(part)) > 0 {
		part.phase = disarmed
		p.log(happening{code: codeArmingFailed, partition: part.Number, source: byUser(part.user)})
		return
	}
	p.completeArming(part)
}

// completeArming makes the partition armed. Zones left open have their effect from now on.
func (p *Panel) completeArming(part *partitionState) {
	part.phase = armed
	p.board.set(satel.CmdArmedSuppressed, part.Number, true)
	p.board.set(satel.CmdArmed, part.Number, true)
	code := codeArming
	switch part.mode {
	case 1:
		p.board.set(satel.CmdArmedMode1, part.Number, true)
	case stayMode:
		p.board.set(satel.CmdArmedMode2, part.Number, true)
		code = codeStayArming
	case noDelayMode:
		p.board.set(satel.CmdArmedMode3, part.Number, true)
		code = codeStayArming
	}
	p.log(happening{code: code, restore: true, partition: part.Number, source: byUser(part.user)})
	for _, z := range p.openZones(part) {
		p.trigger(z)
	}
}

// openZones returns the violated zones of a partition that matter only while it is armed, by number.
func (p *Panel) openZones(part *partitionState) []*zoneState {
	var open []*zoneState
	for n := range p.model.Zones {
		z := p.zones[n+1]
		if z == nil || z.Partition != part.Number || !p.openZone(z) {
			continue
		}
		switch z.Reaction.behaviour() {
		case whenArmed, entering, following:
			open = append(open, z)
		default:
		}
	}
	return open
}

func (p *Panel) startEntry(part *partitionState, z *zoneState) {
	p.board.set(satel.CmdEntryTime, part.Number, true)
	part.entry = p.after(part.EntryDelay, func() {
		p.stopTimes(part)
		p.alarm(z)
	})
}

// stopTimes ends the entry and exit times of a partition.
func (p *Panel) stopTimes(part *partitionState) {
	for _, t := range []**task{&part.warn, &part.exit, &part.entry} {
		(*t).cancel()
		*t = nil
	}
	p.board.set(satel.CmdEntryTime, part.Number, false)
	p.board.set(satel.CmdExitTimeLong, part.Number, false)
	p.board.set(satel.CmdExitTimeShort, part.Number, false)
}

// disarm disarms a partition, ends its exit time too, and lets an alarm be seen until it is cleared.
func (p *Panel) disarm(part *partitionState, user int) {
	if who := p.userByNumber(user); who != nil && who.Duress {
		p.log(happening{code: codeDuress, partition: part.Number, source: byUser(user)})
	}
	if part.phase == disarmed {
		return
	}
	p.stopTimes(part)
	part.phase = disarmed
	for _, cmd := range []satel.Command{
		satel.CmdArmedSuppressed, satel.CmdArmed, satel.CmdArmedMode1, satel.CmdArmedMode2, satel.CmdArmedMode3,
	} {
		p.board.set(cmd, part.Number, false)
	}
	for _, z := range p.zones {
		if z.Partition == part.Number && z.forced {
			z.forced = false
			p.board.set(satel.CmdZonesBypassed, z.Number, false)
		}
	}
	p.log(happening{code: codeArming, partition: part.Number, source: byUser(user)})
}

func (p *Panel) userByNumber(n int) *User {
	for i := range p.cfg.Site.Users {
		if p.cfg.Site.Users[i].Number == n {
			return &p.cfg.Site.Users[i]
		}
	}
	return nil
}
