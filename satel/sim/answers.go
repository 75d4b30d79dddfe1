package sim

import (
	"cmp"

	"dozor/satel"
)

// What the simulated panel and module say of their firmware.
var (
	panelFirmware  = satel.Firmware{Version: "1.24", Date: "2023-10-12"}
	moduleFirmware = satel.Firmware{Version: "2.11", Date: "2023-08-22"}
)

// Answer does what one request asks for and returns the module's answer, or false when the module keeps silent: the
// command is unknown or its data have a wrong length. It knows nothing of delays, gaps and faults of the link.
func (p *Panel) Answer(request satel.Frame) (satel.Frame, bool) { return p.answer(request, &caller{}) }

func (p *Panel) answer(request satel.Frame, from *caller) (satel.Frame, bool) {
	p.enter()
	if request.Cmd.IsControl() {
		defer p.leave()
		result, ok := p.control(request.Cmd, request.Data, from.connection)
		return resultFrame(result), ok
	}
	defer p.unlock()
	var data []byte
	var err error
	switch cmd := request.Cmd; cmd {
	case satel.CmdModuleVersion:
		if p.cfg.OldModule {
			break
		}
		data, err = satel.AppendModuleVersion(nil, satel.ModuleVersion{Firmware: moduleFirmware, Wide: true, Troubles8: true})
	case satel.CmdPanelVersion:
		data, err = satel.AppendPanelVersion(nil, satel.PanelVersion{
			Type: p.model.Code, Firmware: panelFirmware, Language: satel.LanguagePolish, SettingsInFlash: true,
		})
	case satel.CmdNewData:
		if len(request.Data) >= 2*satel.NewDataShort {
			return p.subscription(request.Data, from)
		}
		data = p.newData(len(request.Data))
	case satel.CmdEventRecord:
		if len(request.Data) == len(satel.Index{}) {
			data = satel.AppendLogEntry(nil, p.readLog(satel.Index(request.Data)))
		}
	case satel.CmdEventText:
		data, err = p.eventText(request.Data)
	case satel.CmdObjectName:
		return p.nameAnswer(request.Data)
	case satel.CmdSelf, satel.CmdUserList, satel.CmdUser, satel.CmdUserLocks:
		return p.aboutUsers(request)
	case satel.CmdZoneTemperature, satel.CmdOutputPower:
		data, err = p.measured(request)
	default:
		if len(request.Data) <= 1 && !(p.cfg.OldModule && cmd > satel.CmdPartitionsWarning) {
			p.board.news = p.board.news.Without(cmd)
			data, err = p.list(cmd, len(request.Data) == 1 && !p.cfg.OldModule)
		}
	}
	return satel.Frame{Cmd: request.Cmd, Data: data}, data != nil && err == nil
}

// list returns the data of a command that reads a list, or the clock; nil when it reads neither.
func (p *Panel) list(cmd satel.Command, wide bool) ([]byte, error) {
	switch {
	case cmd == satel.CmdClock:
		return satel.AppendClock(nil, p.clockAnswer())
	case int(cmd) >= lists || p.board.bits[cmd] == nil:
		return nil, nil
	default:
		return p.board.show(cmd, wide), nil
	}
}

// measured tells what a thermometer or an output measures; nil when nothing does.
func (p *Panel) measured(request satel.Frame) ([]byte, error) {
	if len(request.Data) != 1 {
		return nil, nil
	}
	number := int(request.Data[0])
	if number == 0 {
		number = 256
	}
	if request.Cmd == satel.CmdZoneTemperature {
		if shown, there := p.thermometers[number]; there {
			return satel.AppendTemperature(nil, shown)
		}
		return nil, nil
	}
	out := p.output(number)
	if out == nil || p.cfg.OldModule {
		return nil, nil
	}
	power := satel.OutputPower{Output: number}
	if p.outputOn(out) {
		power.Watts = out.Watts
	}
	return satel.AppendOutputPower(nil, power)
}

func resultFrame(r satel.Result) satel.Frame {
	return satel.Frame{Cmd: satel.CmdResult, Data: []byte{byte(r)}}
}

func (p *Panel) clockAnswer() satel.Clock {
	clock := satel.ClockAt(p.clock())
	clock.Trouble = p.troubled()
	clock.ServiceMode = p.service
	clock.TroubleMemory = p.troubledOnce()
	clock.Type = p.model.ClockType()
	return clock
}

// subscription answers the long form of the request for news, which old modules do not know.
func (p *Panel) subscription(data []byte, from *caller) (satel.Frame, bool) {
	want, err := satel.ParseSubscription(data)
	if err != nil || p.cfg.OldModule {
		return satel.Frame{}, false
	}
	p.subscribe(from, want)
	return resultFrame(satel.ResultAccepted), true
}

// newData returns the news flags in the form that a request with so many data bytes asks for, nil when there is none.
func (p *Panel) newData(requestSize int) []byte {
	longest := satel.NewDataLong - satel.NewDataShort
	if p.cfg.OldModule {
		longest-- // it has no eighth part of troubles
	}
	if requestSize > longest {
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
			return satel.ObjectName{Text: u.Name, Extra: []byte{byte(u.Serial) | userSerialMark}}, true
		}
	case satel.NameOutput:
		for _, out := range p.cfg.Site.Outputs {
			if out.Number == number {
				return satel.ObjectName{Text: out.Name, Function: out.Function}, true
			}
		}
	default:
		if object := p.cfg.Site.object(kind, number); object != nil {
			return satel.ObjectName{Text: object.Name, Function: object.Type}, true
		}
	}
	return satel.ObjectName{}, false
}

// userSerialMark goes with a user's serial number behind its name.
const userSerialMark = 0x80

func (p *Panel) eventText(data []byte) ([]byte, error) {
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
	full := code
	if restore {
		full += 1024
	}
	text := []rune(cmp.Or(info.TextPL, p.cfg.Site.EventTexts[full]))
	return satel.AppendEventText(nil, satel.EventText{
		Code: code, Restore: restore, Long: long, LongKind: info.LongKind, ShortKind: max(info.ShortKind, 0),
		Text: string(text[:min(len(text), size)]),
	})
}
