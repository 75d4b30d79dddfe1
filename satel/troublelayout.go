package satel

import "strconv"

// Names of the bits of the panel's own troubles. On the 128-WRL "no_line_voltage" means the auxiliary processor.
var systemTroubles = []string{
	"out1", "out2", "out3", "out4", "kpd", "ex", "batt", "ac",
	"dt1", "dt2", "dtm", "rtc", "no_dtr", "no_batt", "modem_init", "modem_cmd",
	"no_line_voltage", "bad_line_signal", "no_line_signal", "station1", "station2", "eeprom", "ram", "restart_memory",
}

// Names of the bits of one GSM module; the rest of its four bytes has no known meaning.
var gsmTroubles = []string{
	"ethm_station1", "ethm_station2", "gprs_sim1_station1", "gprs_sim1_station2", "gprs_sim2_station1",
	"gprs_sim2_station2", "sms_sim1_station1", "sms_sim1_station2",
	"sms_sim2_station1", "sms_sim2_station2", "pin_sim1", "pin_sim2", "login_sim1", "login_sim2", "credit_sim1",
	"credit_sim2",
	"sms_sending1", "sms_sending2", "jamming", "settings", "missing", "changed", "server", "mail_server",
	"time_server",
}

// Radio devices, jamming levels and controllers are counted by their position in the list of radio controllers.
var troubleLayouts = buildTroubleLayouts()

func buildTroubleLayouts() map[Command]troubleLayout {
	part1 := []troubleField{
		{offset: 0, length: 16, group: "technical_zone", first: 1},
		{offset: 16, length: 8, group: "expander_ac"},
		{offset: 24, length: 8, group: "expander_batt"},
		{offset: 32, length: 8, group: "expander_no_batt"},
		{offset: 40, length: 3, group: "system", items: systemTroubles},
		{offset: 43, length: 1, group: "ptsa_ac"},
		{offset: 44, length: 1, group: "ptsa_batt"},
		{offset: 45, length: 1, group: "ptsa_no_batt"},
		{offset: 46, length: 1, group: "ethm_monitoring"},
	}
	part2 := []troubleField{
		{offset: 0, length: 8, group: "reader_a"},
		{offset: 8, length: 8, group: "reader_b"},
		{offset: 16, length: 8, group: "supply_overload"},
		{offset: 24, length: 2, group: "acu_jam_or_short", first: 1},
	}
	restarts := []troubleField{
		{offset: 26, length: 1, group: "keypad_restart"},
		{offset: 27, length: 8, group: "expander_restart"},
		{offset: 35, length: 2, group: "gsm_code", valueSize: 2},
		{offset: 37, length: 2, group: "gsm_code_memory", valueSize: 2},
	}
	radio := []troubleField{
		{offset: 15, length: 15, group: "radio_low_batt", first: 1},
		{offset: 30, length: 15, group: "radio_no_comm", first: 1},
		{offset: 45, length: 15, group: "radio_out_no_comm", first: 1},
	}
	highRadio := []troubleField{
		{offset: 0, length: 15, group: "radio_low_batt", first: 121},
		{offset: 15, length: 15, group: "radio_no_comm", first: 121},
		{offset: 30, length: 15, group: "radio_out_no_comm", first: 121},
	}
	part4 := []troubleField{
		{offset: 0, length: 8, group: "expander_no_comm"},
		{offset: 8, length: 8, group: "expander_switched"},
		{offset: 16, length: 1, group: "keypad_no_comm"},
		{offset: 17, length: 1, group: "keypad_switched"},
		{offset: 18, length: 1, group: "no_lan_cable_or_dsr"},
		{offset: 19, length: 8, group: "expander_tamper"},
		{offset: 27, length: 1, group: "keypad_tamper"},
		{offset: 28, length: 1, group: "keypad_init"},
		{offset: 29, length: 1, group: "aux_stm"},
	}
	jam := []troubleField{{offset: 0, length: 15, group: "jam_level", first: 1, valueSize: 1}}
	moreControllers := []troubleField{
		{offset: 0, length: 2, group: "acu_jam_or_short", first: 17},
		{offset: 2, length: 2, group: "acu_jam_or_short", first: 17, memory: true},
	}
	return map[Command]troubleLayout{
		CmdTroubles1:       {47, part1},
		CmdTroubles2:       {26, part2},
		CmdTroubles3:       {60, append(jam, radio...)},
		CmdTroubles4:       {30, part4},
		CmdTroubles5:       {31, fobTroubles()},
		CmdTroubles6:       {45, highRadio},
		CmdTroubles7:       {47, part7()},
		CmdTroubles8:       {64, gsmFields(false)},
		CmdTroublesMemory1: {47, remembered(part1)},
		CmdTroublesMemory2: {39, append(remembered(part2), remembered(restarts)...)},
		CmdTroublesMemory3: {60, append(moreControllers, remembered(radio)...)},
		CmdTroublesMemory4: {30, remembered(part4)},
		CmdTroublesMemory5: {48, zoneMemory(1)},
		CmdTroublesMemory6: {45, remembered(highRadio)},
		CmdTroublesMemory7: {48, zoneMemory(129)},
		CmdTroublesMemory8: {64, gsmFields(true)},
	}
}

func fobTroubles() []troubleField {
	return []troubleField{
		{offset: 0, length: 1, group: "master_fob_batt", first: 1},
		{offset: 1, length: 30, group: "user_fob_batt", first: 1},
	}
}

func part7() []troubleField {
	return []troubleField{
		{offset: 0, length: 16, group: "technical_zone", first: 129},
		{offset: 16, length: 16, group: "technical_zone", first: 129, memory: true},
		{offset: 32, length: 15, group: "jam_level", first: 16, valueSize: 1},
	}
}

func zoneMemory(first int) []troubleField {
	return remembered([]troubleField{
		{offset: 0, length: 16, group: "long_violation", first: first},
		{offset: 16, length: 16, group: "no_violation", first: first},
		{offset: 32, length: 16, group: "zone_tamper", first: first},
	})
}

// gsmFields lays out eight bytes for each of the eight addresses: bits, then two error codes of the modem.
func gsmFields(memory bool) []troubleField {
	var out []troubleField
	for address := range 8 {
		items := make([]string, 32)
		for bit := range items {
			name := strconv.Itoa(bit)
			if bit < len(gsmTroubles) {
				name = gsmTroubles[bit]
			}
			items[bit] = strconv.Itoa(address) + "." + name
		}
		at := address * 8
		out = append(out,
			troubleField{offset: at, length: 4, group: "int_gsm", items: items, memory: memory},
			troubleField{offset: at + 4, length: 2, group: "modem1_code", first: address, valueSize: 2, memory: memory},
			troubleField{offset: at + 6, length: 2, group: "modem2_code", first: address, valueSize: 2, memory: memory},
		)
	}
	return out
}

func remembered(fields []troubleField) []troubleField {
	out := append([]troubleField(nil), fields...)
	for i := range out {
		out[i].memory = true
	}
	return out
}
