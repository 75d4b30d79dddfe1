package sim

import (
	"slices"
	"time"

	"dozor/satel"
)

// CommandRecord is one control command that a client has given, with what the panel made of it. It never holds a code.
type CommandRecord struct {
	At         time.Time
	Connection int // which connection brought it, see Connection.ID
	Command    satel.Command
	User       int // whose code it was, 0 when nobody's
	Partitions []int
	Zones      []int
	Outputs    []int
	Expanders  []int // addresses from 0
	Result     satel.Result
}

// Commands returns every control command that the panel was ever given over the network, oldest first.
func (p *Panel) Commands() []CommandRecord {
	p.enter()
	defer p.unlock()
	return append([]CommandRecord(nil), p.commands...)
}

const wrongCodeLimit = 3

// order is a control command that has been understood.
type order struct {
	cmd  satel.Command
	user *User
	data []byte
	rec  *CommandRecord
}

// controls says for each control command how many data bytes may follow the code, which right it needs, and what it
// does. Commands that are not in it but are controls are refused for want of a right.
var controls = map[satel.Command]struct {
	sizes  []int
	rights Rights
	do     func(*Panel, order) satel.Result
}{
	satel.CmdArm0:           {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdArm1:           {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdArm2:           {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdArm3:           {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdForceArm0:      {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdForceArm1:      {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdForceArm2:      {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdForceArm3:      {[]int{4}, MayArm, (*Panel).orderArm},
	satel.CmdDisarm:         {[]int{4}, MayDisarm, (*Panel).orderDisarm},
	satel.CmdClearAlarm:     {[]int{4}, MayClearAlarm, (*Panel).orderClearAlarm},
	satel.CmdBypass:         {[]int{16, 32}, MayBypass, (*Panel).orderBypass},
	satel.CmdUnbypass:       {[]int{16, 32}, MayBypass, (*Panel).orderBypass},
	satel.CmdIsolate:        {[]int{16, 32}, MayBypass, (*Panel).orderBypass},
	satel.CmdOutputsOn:      {[]int{16, 32}, MaySwitchOutputs, (*Panel).orderOutputs},
	satel.CmdOutputsOff:     {[]int{16, 32}, MaySwitchOutputs, (*Panel).orderOutputs},
	satel.CmdOutputsSwitch:  {[]int{16, 32}, MaySwitchOutputs, (*Panel).orderOutputs},
	satel.CmdOpenDoor:       {[]int{16 + locksSize, 32 + locksSize}, MaySwitchOutputs, (*Panel).orderDoors},
	satel.CmdFirstCodeEnter: {[]int{7}, MayGiveFirstCode, (*Panel).orderFirstCode},
	satel.CmdClearTroubles:  {[]int{0}, MayClearTroubles, (*Panel).orderClearTroubles},
	satel.CmdSetClock:       {[]int{len(clockLayout)}, MaySetClock, (*Panel).orderSetClock},
}

const clockLayout = "20060102150405"

// control does what a control command asks for, or returns false when its data have a wrong length.
func (p *Panel) control(cmd satel.Command, data []byte, connection int) (satel.Result, bool) {
	if len(data) < satel.UserCodeSize {
		return 0, false
	}
	how, supported := controls[cmd]
	rest := data[satel.UserCodeSize:]
	if supported && !slices.Contains(how.sizes, len(rest)) {
		return 0, false
	}
	rec := CommandRecord{At: p.now, Connection: connection, Command: cmd}
	user, result := p.identify(data[:satel.UserCodeSize])
	if user != nil {
		rec.User = user.Number
		result = satel.ResultNoAccess
		if p.service && cmd.IsArm() {
			result = satel.ResultCannotArm
		}
		if !p.service && supported && user.Rights&how.rights != 0 {
			result = how.do(p, order{cmd: cmd, user: user, data: rest, rec: &rec})
		}
	}
	rec.Result = result
	p.commands = append(p.commands, rec)
	return result, true
}

// identify returns the user whose code was sent, or why nobody is it. Every third wrong code goes on record.
func (p *Panel) identify(code []byte) (*User, satel.Result) {
	digits, err := satel.DecodeUserCode(code)
	user := p.users[digits]
	if err == nil && user != nil {
		p.wrongCodes = 0
		if user.Rights&MayUseNetwork == 0 {
			return nil, satel.ResultCodeNotFound
		}
		return user, satel.ResultOK
	}
	p.wrongCodes++
	if p.wrongCodes == wrongCodeLimit {
		p.wrongCodes = 0
		p.log(happening{code: codeThreeWrong, partition: p.order[0].Number, source: byKeypad(networkKeypad)})
	}
	if err != nil {
		return nil, satel.ResultCodeWrongOrTaken
	}
	return nil, satel.ResultCodeNotFound
}

// named returns the partitions that an order names and this panel has. It is refused as a whole when one of them is
// not the user's.
func (p *Panel) named(o order) ([]*partitionState, satel.Result) {
	var parts []*partitionState
	o.rec.Partitions = satel.Bits(o.data).Numbers()
	for _, n := range o.rec.Partitions {
		part := p.partitions[n]
		if part == nil {
			continue
		}
		if len(o.user.Partitions) > 0 && !slices.Contains(o.user.Partitions, n) {
			return nil, satel.ResultNoAccess
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, satel.ResultOther
	}
	return parts, satel.ResultOK
}

func (p *Panel) orderArm(o order) satel.Result {
	parts, result := p.named(o)
	if result != satel.ResultOK {
		return result
	}
	force := o.cmd >= satel.CmdForceArm0
	mode := int(o.cmd - satel.CmdArm0)
	if force {
		mode = int(o.cmd - satel.CmdForceArm0)
	}
	if !secondCode(parts, o.user, firstToArm) {
		return satel.ResultCannotArm
	}
	return p.arm(parts, mode, force, o.user.Number)
}

func (p *Panel) orderDisarm(o order) satel.Result {
	parts, result := p.named(o)
	if result != satel.ResultOK {
		return result
	}
	if !secondCode(parts, o.user, firstToDisarm) {
		return satel.ResultNoAccess
	}
	for _, part := range parts {
		p.forgetFirst(part)
		p.disarm(part, o.user.Number)
	}
	return satel.ResultAccepted
}

func (p *Panel) orderClearAlarm(o order) satel.Result {
	parts, result := p.named(o)
	if result != satel.ResultOK {
		return result
	}
	for _, part := range parts {
		p.clearAlarm(part, o.user.Number)
	}
	return satel.ResultAccepted
}

func (p *Panel) orderBypass(o order) satel.Result {
	o.rec.Zones = satel.Bits(o.data).Numbers()
	for _, n := range o.rec.Zones {
		z := p.zones[n]
		if z == nil {
			continue
		}
		if len(o.user.Partitions) > 0 && !slices.Contains(o.user.Partitions, z.Partition) {
			return satel.ResultNoAccess
		}
		p.setBypass(z, o.cmd != satel.CmdUnbypass, o.cmd == satel.CmdIsolate)
	}
	return satel.ResultAccepted
}

func (p *Panel) orderOutputs(o order) satel.Result {
	o.rec.Outputs = satel.Bits(o.data).Numbers()
	for _, n := range o.rec.Outputs {
		if out := p.output(n); out == nil || !switchable(out) {
			continue // accepted, and nothing happens
		}
		switch o.cmd {
		case satel.CmdOutputsOn:
			p.switched[n] = true
		case satel.CmdOutputsOff:
			p.switched[n] = false
		default:
			p.switched[n] = !p.switched[n]
		}
	}
	return satel.ResultAccepted
}

func (p *Panel) output(number int) *Output {
	outputs := p.cfg.Site.Outputs
	if i := slices.IndexFunc(outputs, func(o Output) bool { return o.Number == number }); i >= 0 {
		return &outputs[i]
	}
	return nil
}

// doorTime is how long a lock stays open.
const doorTime = 5 * time.Second

func (p *Panel) orderDoors(o order) satel.Result {
	outputs := len(o.data) - locksSize
	o.rec.Outputs = satel.Bits(o.data[:outputs]).Numbers()
	o.rec.Expanders = satel.Bits(o.data[outputs:]).Addresses()
	for _, n := range o.rec.Outputs {
		if out := p.output(n); out == nil || out.Function != outDoor {
			continue
		}
		p.switched[n] = true
		p.after(doorTime, func() { p.switched[n] = false })
		p.log(happening{code: codeDoorByOutput, source: satel.Source{Kind: satel.SourceOutput, Index: n}})
	}
	if len(o.rec.Expanders) > 0 {
		p.log(happening{code: codeDoorByUser, source: byUser(o.user.Number), partition: p.order[0].Number})
	}
	return satel.ResultAccepted
}

// firstCode is the first of two codes that a partition was given.
type firstCode struct {
	user   int
	action byte
	end    *task
}

// What the first code is for.
const (
	firstToArm byte = iota
	firstToDisarm
	firstCancelled
)

func (p *Panel) orderFirstCode(o order) satel.Result {
	validity, action := time.Duration(int(o.data[4])|int(o.data[5])<<8)*time.Second, o.data[6]
	o.data = o.data[:4]
	parts, result := p.named(o)
	if result != satel.ResultOK {
		return result
	}
	if action > firstCancelled || action != firstCancelled && validity == 0 {
		return satel.ResultOther
	}
	for _, part := range parts {
		p.forgetFirst(part)
		if action == firstCancelled {
			continue
		}
		part.first = &firstCode{user: o.user.Number, action: action}
		part.first.end = p.after(validity, func() { p.forgetFirst(part) })
		p.board.set(satel.CmdFirstCode, part.Number, true)
	}
	return satel.ResultAccepted
}

func (p *Panel) forgetFirst(part *partitionState) {
	if part.first != nil {
		part.first.end.cancel()
		part.first = nil
	}
	p.board.set(satel.CmdFirstCode, part.Number, false)
}

// secondCode tells whether the user may do it: partitions of two codes want a first one, of somebody else.
func secondCode(parts []*partitionState, user *User, action byte) bool {
	for _, part := range parts {
		if part.TwoCodes && (part.first == nil || part.first.action != action || part.first.user == user.Number) {
			return false
		}
	}
	return true
}

func (p *Panel) orderClearTroubles(o order) satel.Result {
	p.clearTroubleMemory(o.user.Number)
	return satel.ResultAccepted
}

func (p *Panel) orderSetClock(o order) satel.Result {
	t, err := time.Parse(clockLayout, string(o.data))
	if err != nil {
		return satel.ResultOther
	}
	p.setClock(t, o.user.Number)
	return satel.ResultAccepted
}
