package satel

import (
	"strconv"
	"strings"
)

// Types of modules that give a trouble another meaning, as NameDevice tells them beside the name. Expanders and keypads
// have numberings of their own; ETHM-1, PTSA and GSM modules are on the bus of keypads.
const (
	ExpanderCA64DR byte = 10
	ExpanderCA64SR byte = 11
	ExpanderACU100 byte = 12
	ExpanderTXM    byte = 22
	ExpanderKNX    byte = 24

	KeypadETHM1    byte = 5
	KeypadKWRL     byte = 14
	KeypadGSM      byte = 15
	KeypadETHM1GSM byte = 16
)

// Devices that only troubles name, by their position in the panel's list of radio controllers.
const (
	SourceRadio      SourceKind = "radio"      // device with radio, from 1
	SourceController SourceKind = "controller" // ACU-100 or another controller, from 1
)

// firstMaster is the user number of the first master, less one.
const firstMaster = 240

// Device returns what is in trouble: a zone, expander, keypad bus address, user (masters are users 241 to 248), radio
// device or controller, else the panel.
func (t Trouble) Device() Source {
	kind := SourcePanel
	switch {
	case t.Group == "technical_zone", t.Group == "long_violation", t.Group == "no_violation", t.Group == "zone_tamper":
		kind = SourceZone
	case strings.HasPrefix(t.Group, "expander_"), t.Group == "reader_a", t.Group == "reader_b", t.Group == "supply_overload":
		kind = SourceExpander
	case strings.HasPrefix(t.Group, "keypad_"), strings.HasPrefix(t.Group, "ptsa_"), t.Group == "no_lan_cable_or_dsr",
		t.Group == "aux_stm", t.Group == "int_gsm":
		kind = SourceKeypad
	case strings.HasPrefix(t.Group, "radio_"):
		kind = SourceRadio
	case t.Group == "acu_jam_or_short":
		kind = SourceController
	case t.Group == "user_fob_batt", t.Group == "master_fob_batt":
		kind = SourceUser
	}
	if kind == SourcePanel {
		return Source{SourcePanel, 0}
	}
	address, _, _ := strings.Cut(t.Item, ".") // the rest is the fault of a GSM module
	n, err := strconv.Atoi(address)
	if err != nil {
		return Source{SourceOther, 0}
	}
	if t.Group == "master_fob_batt" {
		n += firstMaster
	}
	return Source{kind, n}
}

// Fault names what is wrong, as one word for all devices of a sort: the same place in a panel's answer means different
// things on different modules. moduleType is that of the module at Device's address, of the numbering that expanders or
// keypads have; 0 when it is not known, which gives the meaning that most have.
func (t Trouble) Fault(m Model, moduleType byte) string {
	ethm := moduleType == KeypadETHM1 || moduleType == KeypadETHM1GSM
	switch t.Group {
	case "system":
		if t.Item == "no_line_voltage" && m.ClockType() == wirelessType {
			return "system_auxiliary_processor"
		}
		return "system_" + t.Item
	case "int_gsm":
		_, fault, _ := strings.Cut(t.Item, ".")
		return "gsm_" + fault
	case "ethm_monitoring":
		return ethmFault(t.Item)
	case "ptsa_ac":
		if ethm {
			return "ethm_ping"
		}
	case "ptsa_batt":
		switch {
		case ethm:
			return "ethm_id_refused"
		case moduleType == KeypadGSM:
			return "gsm_imei_refused"
		case moduleType == KeypadKWRL:
			return "keypad_battery1"
		}
	case "ptsa_no_batt":
		switch {
		case ethm, moduleType == KeypadGSM:
			return "no_server_link"
		case moduleType == KeypadKWRL:
			return "keypad_battery2"
		}
	case "reader_a":
		switch moduleType {
		case ExpanderCA64SR:
			return t.Group
		case ExpanderACU100:
			return "acu_synchronisation"
		case ExpanderTXM:
			return "txm_busy"
		case ExpanderKNX:
			return "knx_link"
		default:
			return "battery_resistance"
		}
	case "reader_b":
		if moduleType != ExpanderCA64SR {
			return "charging"
		}
	case "expander_batt":
		if moduleType == ExpanderCA64DR || moduleType == ExpanderCA64SR {
			return "output_overload"
		}
	case "acu_jam_or_short":
		if moduleType == ExpanderACU100 {
			return "acu_jammed"
		}
		return "loop_short"
	}
	return t.Group
}

// wirelessType is the ClockType of both panels 128-WRL.
const wirelessType = 4

var ethmFaults = [...]string{
	"ethm_station1", "ethm_station2", "gprs_station1", "gprs_station2", "time_server", "gsm_start", "ip_station1",
	"ip_station2",
}

func ethmFault(item string) string {
	if bit, err := strconv.Atoi(item); err == nil && bit >= 0 && bit < len(ethmFaults) {
		return ethmFaults[bit]
	}
	return "ethm_monitoring"
}
