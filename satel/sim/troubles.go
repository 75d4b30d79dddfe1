package sim

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"dozor/satel"
)

// Names of the troubles that a panel can be given.
const (
	TroubleMains        = "mains"         // mains power of the panel
	TroubleBattery      = "battery"       // battery of the panel
	TroubleOverload     = "overload"      // supply output of the panel overloaded
	TroubleBus          = "bus"           // first expander bus
	TroubleModule       = "module"        // no link with the expander at address 0
	TroubleModuleTamper = "module-tamper" // cover of the expander at address 0
	TroubleLAN          = "lan"           // network cable of the module
	TroubleServer       = "server"        // maker's server out of reach
	TroubleTelephone    = "telephone"     // telephone line
	TroubleReporting    = "reporting"     // no reporting to the first monitoring station
	TroubleRadio        = "radio"         // no radio link with device 1
	TroubleRadioBattery = "radio-battery" // battery of radio device 1
)

// The seventh list is in neither: it holds technical zones above 128 and, behind them, their memory.
var currentTroubles = []satel.Command{
	satel.CmdTroubles1, satel.CmdTroubles2, satel.CmdTroubles3, satel.CmdTroubles4, satel.CmdTroubles5,
	satel.CmdTroubles6, satel.CmdTroubles8,
}

var rememberedTroubles = []satel.Command{
	satel.CmdTroublesMemory1, satel.CmdTroublesMemory2, satel.CmdTroublesMemory3, satel.CmdTroublesMemory4,
	satel.CmdTroublesMemory5, satel.CmdTroublesMemory6, satel.CmdTroublesMemory8,
}

// troubled tells whether the panel has a trouble.
func (p *Panel) troubled() bool {
	return p.board.any(currentTroubles...) || p.board.bits[satel.CmdTroubles7][:highZones/8].Any()
}

// troubledOnce tells whether the panel remembers a trouble.
func (p *Panel) troubledOnce() bool {
	return p.board.any(rememberedTroubles...) || p.board.bits[satel.CmdTroubles7][highZones/8:highZones/4].Any()
}

// troubleKind is where a trouble shows and how it is recorded.
type troubleKind struct {
	list, memory satel.Command
	bit          int   // number in both lists, from 1
	more         []int // further numbers, of a level
	code         int   // 0 for a trouble that is not recorded
	source       satel.Source
	partition    bool // the record names a partition
	alarm        bool // a tamper alarm in the first partition too
}

// bitOf returns the number, in the sense of a bit list, of one bit of a byte.
func bitOf(offset, bit int) int { return offset*8 + bit + 1 }

// The system bytes begin at offset 40 of the first list; expanders without link, the cable and tampers have offsets of
// their own in the fourth.
var troubleKinds = map[string]troubleKind{
	TroubleMains: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(40, 7), code: 301,
		source: satel.Source{Kind: satel.SourcePanel},
	},
	TroubleBattery: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(40, 6), code: 302,
		source: satel.Source{Kind: satel.SourcePanel},
	},
	TroubleOverload: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(40, 0), code: 312, partition: true,
		source: satel.Source{Kind: satel.SourcePanel},
	},
	TroubleBus: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(41, 0), code: 333, partition: true,
		source: satel.Source{Kind: satel.SourceBus, Index: 1},
	},
	TroubleTelephone: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(42, 0), code: 351,
	},
	TroubleReporting: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(42, 3), code: 350,
	},
	TroubleServer: {
		list: satel.CmdTroubles1, memory: satel.CmdTroublesMemory1, bit: bitOf(45, networkKeypad), code: 980,
		source: byKeypad(networkKeypad),
	},
	TroubleModule: {
		list: satel.CmdTroubles4, memory: satel.CmdTroublesMemory4, bit: bitOf(0, 0), code: 93, partition: true,
		source: byExpander(0),
	},
	TroubleModuleTamper: {
		list: satel.CmdTroubles4, memory: satel.CmdTroublesMemory4, bit: bitOf(19, 0), code: 145, partition: true,
		alarm: true, source: byExpander(0),
	},
	TroubleLAN: {
		list: satel.CmdTroubles4, memory: satel.CmdTroublesMemory4, bit: bitOf(18, networkKeypad), code: 78,
		source: byKeypad(networkKeypad),
	},
	TroubleRadio: {
		list: satel.CmdTroubles3, memory: satel.CmdTroublesMemory3, bit: bitOf(30, 0), code: 381, partition: true,
		source: byZone(1),
	},
	TroubleRadioBattery: {
		list: satel.CmdTroubles3, memory: satel.CmdTroublesMemory3, bit: bitOf(15, 0), code: 384, partition: true,
		source: byZone(1),
	},
}

type troubleState struct {
	kind     troubleKind
	waiting  *task // until the trouble is recorded
	recorded bool
}

// TroubleNames returns the names of the troubles that sites have most, sorted. Every other one that the panel can show has
// the name that package satel gives it: "expander_ac.5", "int_gsm.0.jamming", and with its value "jam_level.2=40".
func TroubleNames() []string {
	names := make([]string, 0, len(troubleKinds))
	for name := range troubleKinds {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// StartTrouble brings a trouble about, one of TroubleNames. One that is there already does nothing. Mains power is
// recorded only after the site's delay.
func (p *Panel) StartTrouble(name string) ([]Event, error) {
	return p.onTrouble(name, func(kind troubleKind) {
		if p.troubles[name] != nil {
			return
		}
		state := &troubleState{kind: kind}
		p.troubles[name] = state
		p.showTrouble(kind.list, kind, true)
		record := func() {
			state.recorded = true
			p.showTrouble(kind.memory, kind, true)
			if kind.alarm {
				p.soundAlarm(p.order[0], kindTamper)
			}
			p.logTrouble(kind, false)
		}
		if name == TroubleMains && p.cfg.Site.MainsDelay > 0 {
			state.waiting = p.after(p.cfg.Site.MainsDelay, record)
			return
		}
		record()
	})
}

// EndTrouble ends a trouble. Its memory stays until it is cleared.
func (p *Panel) EndTrouble(name string) ([]Event, error) {
	return p.onTrouble(name, func(kind troubleKind) {
		state := p.troubles[name]
		if state == nil {
			return
		}
		delete(p.troubles, name)
		state.waiting.cancel()
		p.showTrouble(kind.list, kind, false)
		if state.recorded {
			p.logTrouble(kind, true)
		}
	})
}

func (p *Panel) onTrouble(name string, act func(troubleKind)) ([]Event, error) {
	kind, known := troubleKinds[name]
	if !known {
		kind, known = findTrouble(name)
	}
	if !known {
		return nil, fmt.Errorf("%w: trouble %q, there are %s, and all of the panel's lists, as expander_ac.5 or jam_level.2=40",
			ErrNotFound, name, strings.Join(TroubleNames(), ", "))
	}
	p.enter()
	defer p.leave()
	return p.collect(func() { act(kind) }), nil
}

func (p *Panel) logTrouble(kind troubleKind, restore bool) {
	h := happening{code: kind.code, restore: restore, source: kind.source}
	if kind.partition {
		h.partition = p.order[0].Number
	}
	if _, err := p.event(h); err == nil { // not every trouble is recorded, nor its end
		p.log(h)
	}
}

// showTrouble shows a trouble in a list or takes it out; 0 stands for no list.
func (p *Panel) showTrouble(cmd satel.Command, kind troubleKind, on bool) {
	if cmd == 0 {
		return
	}
	p.board.set(cmd, kind.bit, on)
	for _, n := range kind.more {
		p.board.set(cmd, n, on)
	}
}

// groupCodes are the events of whole groups of troubles; the others are not recorded.
var groupCodes = map[string]int{
	"expander_ac": 301, "expander_batt": 302, "expander_no_comm": 93, "expander_tamper": 145,
	"no_lan_cable_or_dsr": 78, "radio_no_comm": 381, "radio_low_batt": 384, "acu_jam_or_short": 344,
}

// findTrouble finds the place of a trouble by the name that package satel gives it, with the value of a level behind "=".
func findTrouble(name string) (troubleKind, bool) {
	group, item, _ := strings.Cut(name, ".")
	item, value, isLevel := strings.Cut(item, "=")
	list, numbers := troublePlace(append([]satel.Command{satel.CmdTroubles7}, currentTroubles...), group, item, value, isLevel, false)
	if list == 0 {
		return troubleKind{}, false
	}
	kind := troubleKind{list: list, bit: numbers[0], more: numbers[1:], code: groupCodes[group], partition: true}
	// A memory that lies elsewhere in its list than the trouble is left out.
	memory, same := troublePlace(append([]satel.Command{satel.CmdTroubles7}, rememberedTroubles...), group, item, value, isLevel, true)
	if slices.Equal(same, numbers) {
		kind.memory = memory
	}
	kind.source = satel.Trouble{Group: group, Item: item}.Device()
	if kind.source.Kind == satel.SourceRadio || kind.source.Kind == satel.SourceController {
		kind.source = byZone(kind.source.Index)
	}
	return kind, true
}

// troublePlace returns the first of the lists in which the trouble has a place, with its numbers there.
func troublePlace(lists []satel.Command, group, item, value string, isLevel, memory bool) (satel.Command, []int) {
	var t satel.Troubles
	if isLevel {
		number, err := strconv.Atoi(item)
		height, err2 := strconv.Atoi(value)
		if err != nil || err2 != nil || height < 1 {
			return 0, nil
		}
		t.Levels = []satel.Level{{Group: group, Item: number, Value: height, Memory: memory}}
	} else {
		t.Active = []satel.Trouble{{Group: group, Item: item, Memory: memory}}
	}
	for _, cmd := range lists {
		if data, err := satel.AppendTroubles(nil, cmd, t); err == nil {
			return cmd, satel.Bits(data).Numbers()
		}
	}
	return 0, nil
}

// clearTroubleMemory forgets the troubles that are over.
func (p *Panel) clearTroubleMemory(user int) {
	for _, cmd := range rememberedTroubles {
		for _, n := range p.board.bits[cmd].Numbers() {
			p.board.set(cmd, n, false)
		}
	}
	for _, n := range p.board.bits[satel.CmdTroubles7].Numbers() {
		if n > highZones && n <= 2*highZones {
			p.board.set(satel.CmdTroubles7, n, false)
		}
	}
	for _, state := range p.troubles {
		if state.recorded {
			p.showTrouble(state.kind.memory, state.kind, true)
		}
	}
	for _, z := range p.zones {
		if z.Reaction.behaviour() == technical && p.board.has(satel.CmdZonesViolated, z.Number) && z.alarm != 0 {
			p.showTechnical(z, true)
		}
		if !p.board.has(satel.CmdZonesMasked, z.Number) {
			p.board.set(satel.CmdZonesMaskedMemory, z.Number, false)
		}
	}
	p.log(happening{code: codeMemoryCleared, source: byUser(user)})
}
