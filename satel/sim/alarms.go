package sim

import "dozor/satel"

// alarmKind is what an alarm is about, as far as outputs tell kinds apart.
type alarmKind int

const (
	kindBurglary alarmKind = iota
	kindFire
	kindPanic       // audible, from a zone
	kindKeypadPanic // from a keypad
	kindSilent
	kindMedical
	kindTechnical
	kindTamper
)

func kindOf(reaction Reaction, code int) alarmKind {
	if reaction == PanicSilent {
		return kindSilent
	}
	info, _ := satel.LookupEvent(code, false)
	switch info.Category {
	case satel.CategoryFire:
		return kindFire
	case satel.CategoryPanic:
		return kindPanic
	case satel.CategoryMedical:
		return kindMedical
	case satel.CategoryTechnical:
		return kindTechnical
	case satel.CategoryTamper:
		return kindTamper
	default:
		return kindBurglary
	}
}

// Output functions that the panel drives by itself.
const (
	outBurglary        = 1
	outFireAndBurglary = 2
	outFire            = 3
	outKeypadPanic     = 6
	outMedical         = 7
	outTamper          = 8
	outSilent          = 12
	outTechnical       = 13
	outExitTime        = 19
	outEntryTime       = 20
	outArmed           = 21
	outTrouble         = 27
	outMainsLost       = 28
	outDoor            = 101
)

// soundingKinds are the alarms that switch an output of some function on.
var soundingKinds = map[byte][]alarmKind{
	outBurglary:        {kindBurglary, kindPanic, kindTamper},
	outFireAndBurglary: {kindBurglary, kindPanic, kindTamper, kindFire},
	outFire:            {kindFire},
	outKeypadPanic:     {kindKeypadPanic},
	outMedical:         {kindMedical},
	outTamper:          {kindTamper},
	outSilent:          {kindSilent},
	outTechnical:       {kindTechnical},
}

// soundAlarm puts a partition in alarm and lets its outputs sound for the siren time from now.
func (p *Panel) soundAlarm(part *partitionState, kind alarmKind) {
	p.board.set(satel.CmdPartitionsAlarm, part.Number, true)
	p.board.set(satel.CmdPartitionsAlarmMemory, part.Number, true)
	if kind == kindFire {
		p.board.set(satel.CmdPartitionsFireAlarm, part.Number, true)
		p.board.set(satel.CmdPartitionsFireAlarmMemory, part.Number, true)
	}
	part.sounding[kind] = true
	sirenTime := p.cfg.Site.SirenTime
	if sirenTime <= 0 {
		sirenTime = DefaultSirenTime
	}
	if part.siren != nil && part.siren.due.Equal(p.now.Add(sirenTime)) {
		return
	}
	part.siren.cancel()
	part.siren = p.after(sirenTime, func() { p.silence(part) })
}

// silence ends what sounds in a partition. The memory of the alarm stays.
func (p *Panel) silence(part *partitionState) {
	part.siren.cancel()
	part.siren = nil
	clear(part.sounding)
	p.board.set(satel.CmdPartitionsAlarm, part.Number, false)
	p.board.set(satel.CmdPartitionsFireAlarm, part.Number, false)
	p.clearZones(part.Number, satel.CmdZonesAlarm, satel.CmdZonesTamperAlarm)
}

// clearZones takes the partition's zones out of the lists that the commands read.
func (p *Panel) clearZones(partition int, cmds ...satel.Command) {
	for _, z := range p.zones {
		if z.Partition != partition {
			continue
		}
		for _, cmd := range cmds {
			p.board.set(cmd, z.Number, false)
		}
	}
}

// forgetAlarms clears the memory of a partition's alarms.
func (p *Panel) forgetAlarms(part *partitionState) {
	p.board.set(satel.CmdPartitionsAlarmMemory, part.Number, false)
	p.board.set(satel.CmdPartitionsFireAlarmMemory, part.Number, false)
	p.clearZones(part.Number, satel.CmdZonesAlarmMemory, satel.CmdZonesTamperAlarmMemory)
}

// clearAlarm is what a user does who has seen the alarm. Where there is none nothing happens.
func (p *Panel) clearAlarm(part *partitionState, user int) {
	shown := p.board.has(satel.CmdPartitionsAlarm, part.Number) || p.board.has(satel.CmdPartitionsAlarmMemory, part.Number)
	if !shown {
		return
	}
	p.silence(part)
	p.forgetAlarms(part)
	p.board.set(satel.CmdPartitionsVerifiedAlarm, part.Number, false)
	p.board.set(satel.CmdPartitionsWarning, part.Number, false)
	p.log(happening{code: codeAlarmCleared, partition: part.Number, source: byUser(user)})
}

// showOutputs brings the outputs in line with everything else.
func (p *Panel) showOutputs() {
	for i := range p.cfg.Site.Outputs {
		out := &p.cfg.Site.Outputs[i]
		p.board.set(satel.CmdOutputs, out.Number, p.outputOn(out))
	}
}

func (p *Panel) outputOn(out *Output) bool {
	switch out.Function {
	case outTrouble:
		return p.troubled()
	case outMainsLost:
		return p.troubles[TroubleMains] != nil
	}
	if switchable(out) || out.Function == outDoor {
		return p.switched[out.Number]
	}
	for _, part := range p.order {
		if out.Partition != 0 && out.Partition != part.Number {
			continue
		}
		switch out.Function {
		case outArmed:
			if part.phase == armed {
				return true
			}
		case outExitTime:
			if part.phase == exiting {
				return true
			}
		case outEntryTime:
			if part.entry != nil {
				return true
			}
		}
		for _, kind := range soundingKinds[out.Function] {
			if part.sounding[kind] {
				return true
			}
		}
	}
	return false
}

// switchable tells whether commands may switch the output.
func switchable(out *Output) bool {
	info, known := satel.LookupType(satel.TypeOutput, out.Function)
	return known && info.Control == satel.ControlSwitch
}
