package satel_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func model(t *testing.T, name string) satel.Model {
	t.Helper()
	m, ok := satel.ModelByName(name)
	require.True(t, ok, name)
	return m
}

func TestTroublesSayWhichDeviceAndWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	plus, wireless := model(t, "INTEGRA 128 PLUS"), model(t, "INTEGRA 128-WRL LEON")
	for _, x := range []struct {
		group, item string
		panel       satel.Model
		module      byte
		device      satel.Source
		fault       string
	}{
		{"system", "ac", plus, 0, satel.Source{Kind: satel.SourcePanel}, "system_ac"},
		{"system", "no_line_voltage", plus, 0, satel.Source{Kind: satel.SourcePanel}, "system_no_line_voltage"},
		{"system", "no_line_voltage", wireless, 0, satel.Source{Kind: satel.SourcePanel}, "system_auxiliary_processor"},
		{"technical_zone", "129", plus, 0, satel.Source{Kind: satel.SourceZone, Index: 129}, "technical_zone"},
		{"expander_ac", "0", plus, 0, satel.Source{Kind: satel.SourceExpander, Index: 0}, "expander_ac"},
		{"expander_batt", "3", plus, 4, satel.Source{Kind: satel.SourceExpander, Index: 3}, "expander_batt"},
		{"expander_batt", "3", plus, satel.ExpanderCA64SR, satel.Source{Kind: satel.SourceExpander, Index: 3}, "output_overload"},
		{"ptsa_ac", "2", plus, 3, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "ptsa_ac"},
		{"ptsa_ac", "2", plus, satel.KeypadETHM1, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "ethm_ping"},
		{"ptsa_batt", "2", plus, satel.KeypadETHM1GSM, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "ethm_id_refused"},
		{"ptsa_batt", "2", plus, satel.KeypadGSM, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "gsm_imei_refused"},
		{"ptsa_batt", "2", plus, satel.KeypadKWRL, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "keypad_battery1"},
		{"ptsa_no_batt", "2", plus, satel.KeypadETHM1, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "no_server_link"},
		{"ptsa_no_batt", "2", plus, satel.KeypadKWRL, satel.Source{Kind: satel.SourceKeypad, Index: 2}, "keypad_battery2"},
		{"ethm_monitoring", "4", plus, 0, satel.Source{Kind: satel.SourcePanel}, "time_server"},
		{"reader_a", "1", plus, satel.ExpanderCA64SR, satel.Source{Kind: satel.SourceExpander, Index: 1}, "reader_a"},
		{"reader_a", "1", plus, satel.ExpanderACU100, satel.Source{Kind: satel.SourceExpander, Index: 1}, "acu_synchronisation"},
		{"reader_a", "1", plus, satel.ExpanderTXM, satel.Source{Kind: satel.SourceExpander, Index: 1}, "txm_busy"},
		{"reader_a", "1", plus, satel.ExpanderKNX, satel.Source{Kind: satel.SourceExpander, Index: 1}, "knx_link"},
		{"reader_a", "1", plus, 0, satel.Source{Kind: satel.SourceExpander, Index: 1}, "battery_resistance"},
		{"reader_b", "1", plus, satel.ExpanderCA64SR, satel.Source{Kind: satel.SourceExpander, Index: 1}, "reader_b"},
		{"reader_b", "1", plus, 0, satel.Source{Kind: satel.SourceExpander, Index: 1}, "charging"},
		{"acu_jam_or_short", "17", plus, satel.ExpanderACU100, satel.Source{Kind: satel.SourceController, Index: 17}, "acu_jammed"},
		{"acu_jam_or_short", "17", plus, 0, satel.Source{Kind: satel.SourceController, Index: 17}, "loop_short"},
		{"radio_no_comm", "121", plus, 0, satel.Source{Kind: satel.SourceRadio, Index: 121}, "radio_no_comm"},
		{"master_fob_batt", "8", plus, 0, satel.Source{Kind: satel.SourceUser, Index: 248}, "master_fob_batt"},
		{"user_fob_batt", "8", plus, 0, satel.Source{Kind: satel.SourceUser, Index: 8}, "user_fob_batt"},
		{"int_gsm", "7.jamming", plus, 0, satel.Source{Kind: satel.SourceKeypad, Index: 7}, "gsm_jamming"},
	} {
		trouble := satel.Trouble{Group: x.group, Item: x.item}
		require.Equal(t, x.device, trouble.Device(), trouble.Name())
		require.Equal(t, x.fault, trouble.Fault(x.panel, x.module), trouble.Name())
	}
}

// Every bit of every answer must be a trouble with a device and a name, and must be found again when it is built.
func TestEveryBitOfTheTroublesIsNamedAndKeepsItsPlace(t *testing.T) {
	t.Parallel()
	plain := regexp.MustCompile(`^[a-z0-9_]+$`)
	plus := model(t, "INTEGRA 256 PLUS")
	commands := 0
	for cmd := range satel.CmdNewData {
		size, ok := satel.TroublesSize(cmd)
		if !ok {
			continue
		}
		commands++
		for bit := range size * 8 {
			data := make([]byte, size)
			satel.Bits(data).SetAddress(bit)
			got, err := satel.ParseTroubles(cmd, data)
			require.NoError(t, err)
			for _, trouble := range got.Active {
				require.NotEqual(t, satel.SourceOther, trouble.Device().Kind, trouble.Name())
				require.Regexp(t, plain, trouble.Fault(plus, 0), trouble.Name())
			}
			if len(got.Active)+len(got.Levels) == 0 {
				continue // zeros by the description
			}
			back, err := satel.AppendTroubles(nil, cmd, got)
			require.NoError(t, err)
			require.Equal(t, data, back, "%s, bit %d", cmd, bit)
		}
	}
	require.Equal(t, 16, commands)
}
