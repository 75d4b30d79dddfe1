package sim

import (
	"dozor/satel"
)

// What the simulated panel and module say of their firmware.
var (
	panelFirmware  = satel.Firmware{Version: "1.24", Date: "2023-10-12"}
	moduleFirmware = satel.Firmware{Version: "2.11", Date: "2023-08-22"}
)

// Answer does what one request asks for and returns the module's answer, or false when the module keeps silent: the
// command is unknown or its data have a wrong length. It knows nothing of delays, gaps and faults of the link.
func (p *Panel) Answer(request satel.Frame) (satel.Frame, bool) {
	p.enter()
	defer p.leave()
	if request.Cmd.IsControl() {
		result, ok := p.control(request.Cmd, request.Data)
		return resultFrame(result), ok
	}
	var data []byte
	var err error
	switch cmd := request.Cmd; cmd {
	case satel.CmdClock:
		data, err = satel.AppendClock(nil, p.clockAnswer())
	case satel.CmdModuleVersion:
		data, err = satel.AppendModuleVersion(nil, satel.ModuleVersion{Firmware: moduleFirmware, Wide: true, Troubles8: true})
	case satel.CmdPanelVersion:
		data, err = satel.AppendPanelVersion(nil, satel.PanelVersion{
			Type: p.model.Code, Firmware: panelFirmware, Language: satel.LanguagePolish, SettingsInFlash: true,
		})
	case satel.CmdNewData:
		data = p.newData(len(request.Data))
	case satel.CmdEventRecord:
		if len(request.Data) == len(satel.Index{}) {
			data = satel.AppendLogEntry(nil, p.readLog(satel.Index(request.Data)))
		}
	case satel.CmdEventText:
		data, err = eventText(request.Data)
	case satel.CmdObjectName:
		return p.nameAnswer(request.Data)
	case satel.CmdSelf, satel.CmdUserList:
		return p.aboutUsers(request)
	case satel.CmdUser, satel.CmdUserLocks:
		return resultFrame(satel.ResultNoAccess), len(request.Data) > 0
	default:
		if len(request.Data) <= 1 {
			data = p.board.read(cmd, len(request.Data) == 1)
		}
	}
	return satel.Frame{Cmd: request.Cmd, Data: data}, data != nil && err == nil
}

// aboutUsers tells a user of itself, and which users there are. A wrong code is counted as in commands.
func (p *Panel) aboutUsers(request satel.Frame) (satel.Frame, bool) {
	size := satel.UserCodeSize
	if request.Cmd == satel.CmdUserList {
		size++ // the number of a user
	}
	if len(request.Data) != size {
		return satel.Frame{}, false
	}
	user, result := p.identify(request.Data[:satel.UserCodeSize])
	if user == nil {
		return resultFrame(result), true
	}
	if request.Cmd == satel.CmdUserList {
		there := satel.NewBits(30)
		for _, u := range p.users {
			if u.Number <= 8*len(there) {
				there.Set(u.Number)
			}
		}
		return satel.Frame{Cmd: request.Cmd, Data: satel.AppendUsers(nil, satel.Users{Asker: user.Number, Existing: there})}, true
	}
	own := satel.Self{Number: user.Number, Partitions: satel.NewBits(4, user.Partitions...), Name: user.Name}
	if len(user.Partitions) == 0 {
		for number := range p.partitions {
			own.Partitions.Set(number)
		}
	}
	data, err := satel.AppendSelf(nil, own)
	if err != nil {
		return resultFrame(satel.ResultOther), true
	}
	return satel.Frame{Cmd: request.Cmd, Data: data}, true
}

func resultFrame(r satel.Result) satel.Frame {
	return satel.Frame{Cmd: satel.CmdResult, Data: []byte{byte(r)}}
}

func (p *Panel) clockAnswer() satel.Clock {
	clock := satel.ClockAt(p.clock())
	clock.Trouble = p.troubled()
	clock.TroubleMemory = p.troubledOnce()
	clock.Type = p.model.ClockType()
	return clock
}

// newData returns the news flags in the form that a request with so many data bytes asks for, nil for the long form
// that subscribes: the simulated module is one that knows only asking.
func (p *Panel) newData(requestSize int) []byte {
	if requestSize > satel.NewDataLong-satel.NewDataShort {
		return nil
	}
	news := p.board.news.With(satel.CmdClock)
	return satel.AppendNewData(nil, news, satel.NewDataShort+requestSize)
}

// nameAnswer answers with a name, or with "no such object".
func (p *Panel) nameAnswer(data []byte) (satel.Frame, bool) {
	kind, number, err := satel.ParseNameRequest(data)
	if err != nil {
		return satel.Frame{}, false
	}
	name, found := p.name(kind, number)
	if !found {
		return resultFrame(satel.ResultOther), true
	}
	name.Type, name.Number = kind, number
	answer, err := satel.AppendObjectName(nil, name)
	if err != nil {
		return resultFrame(satel.ResultOther), true
	}
	return satel.Frame{Cmd: satel.CmdObjectName, Data: answer}, true
}

func (p *Panel) name(kind satel.ObjectType, number int) (satel.ObjectName, bool) {
	switch kind {
	case satel.NamePartition, satel.NamePartitionObject:
		part := p.partitions[number]
		if part == nil {
			break
		}
		name := satel.ObjectName{Text: part.Name, Function: part.Type}
		if kind == satel.NamePartitionObject {
			name.Extra = []byte{1}
		}
		return name, true
	case satel.NameZone, satel.NameZoneAndPartition:
		z := p.zones[number]
		if z == nil {
			break
		}
		name := satel.ObjectName{Text: z.Name, Function: byte(z.Reaction)}
		if kind == satel.NameZoneAndPartition {
			name.Extra = []byte{byte(z.Partition)}
		}
		return name, true
	case satel.NameUser:
		if u := p.userByNumber(number); u != nil {
			return satel.ObjectName{Text: u.Name, Extra: []byte{0}}, true
		}
	case satel.NameOutput:
		for _, out := range p.cfg.Site.Outputs {
			if out.Number == number {
				return satel.ObjectName{Text: out.Name, Function: out.Function}, true
			}
		}
	case satel.NameDevice:
		text, found := devices[number]
		return text, found
	case satel.NameObject:
		if number == 1 {
			return satel.ObjectName{Text: objectName}, true
		}
	default:
	}
	return satel.ObjectName{}, false
}

const objectName = "Obiekt 1"

// devices are the modules of every simulated panel: one keypad, the network module, one expander.
var devices = map[int]satel.ObjectName{
	129: {Text: "Ekspander wejść", Function: 2},
	193: {Text: "Manipulator", Function: 10},
	194: {Text: "ETHM-1 Plus", Function: 16},
}

func eventText(data []byte) ([]byte, error) {
	code, restore, long, err := satel.ParseEventTextRequest(data)
	if err != nil {
		return nil, err
	}
	// An event without a text is answered with blanks, and a kind that is not known with 0: the panel has a place for
	// every code.
	info, _ := satel.LookupEvent(code, restore)
	size := 16
	if long {
		size = 46
	}
	text := []rune(info.TextPL)
	return satel.AppendEventText(nil, satel.EventText{
		Code: code, Restore: restore, Long: long, LongKind: info.LongKind, ShortKind: max(info.ShortKind, 0),
		Text: string(text[:min(len(text), size)]),
	})
}
