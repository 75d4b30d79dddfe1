package satel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestEventTableIsWhole(t *testing.T) {
	t.Parallel()
	events := satel.Events()
	require.Len(t, events, 394)
	categories := map[satel.Category]bool{
		satel.CategoryPanic: true, satel.CategoryFire: true, satel.CategoryMedical: true, satel.CategoryBurglary: true,
		satel.CategoryTamper: true, satel.CategoryDuress: true, satel.CategoryTechnical: true,
		satel.CategoryTrouble: true, satel.CategoryTest: true, satel.CategoryArming: true, satel.CategoryAccess: true,
		satel.CategoryBypass: true, satel.CategorySystem: true,
	}
	objects := map[satel.ObjectKind]bool{
		satel.ObjectNone: true, satel.ObjectZone: true, satel.ObjectUser: true, satel.ObjectExpander: true,
		satel.ObjectKeypad: true, satel.ObjectDevice: true, satel.ObjectOutput: true, satel.ObjectTimer: true,
		satel.ObjectPartition: true, satel.ObjectTelephone: true, satel.ObjectRelay: true, satel.ObjectReader: true,
		satel.ObjectBus: true, satel.ObjectIP: true,
	}
	for _, e := range events {
		require.True(t, categories[e.Category], "%d %s", e.Code, e.Category)
		require.True(t, objects[e.Object], "%d %s", e.Code, e.Object)
		require.NotEmpty(t, e.TextPL, e.Code)
		require.LessOrEqual(t, e.LongKind, satel.KindRadioDevice, e.Code)
		again, ok := satel.LookupEvent(e.Code, e.Restore)
		require.True(t, ok)
		require.Equal(t, e, again)
	}
}

func TestLookupEvent(t *testing.T) {
	t.Parallel()
	e, ok := satel.LookupEvent(130, false)
	require.True(t, ok)
	require.Equal(t, satel.EventInfo{
		Code: 130, Class: satel.ClassZoneAlarm, Category: satel.CategoryBurglary, Priority: satel.PriorityIntrusion,
		ZoneRelated: true, Object: satel.ObjectZone, LongKind: satel.KindDevice, ShortKind: 3,
		TextEN: e.TextEN, TextPL: e.TextPL,
	}, e)
	require.Contains(t, e.TextEN, "Burglary")
	require.Equal(t, "P2", e.Priority.String())
	back, ok := satel.LookupEvent(130, true)
	require.True(t, ok)
	require.Equal(t, satel.PriorityInformation, back.Priority)
	for _, code := range []int{-1, 1024, 0x482} {
		_, ok = satel.LookupEvent(code, false)
		require.False(t, ok, code)
	}
}

func TestGasIsTechnicalAndDangerous(t *testing.T) {
	t.Parallel()
	for _, code := range []int{151, 162} {
		e, ok := satel.LookupEvent(code, false)
		require.True(t, ok)
		require.Equal(t, satel.CategoryTechnical, e.Category)
		require.Equal(t, satel.PriorityDanger, e.Priority)
	}
}

func TestEveryAlarmOfAZoneReactionIsInTheEventTable(t *testing.T) {
	t.Parallel()
	with := 0
	for reaction := range 256 {
		code, ok := satel.ZoneReactionAlarmEvent(byte(reaction))
		if !ok {
			require.Zero(t, code)
			continue
		}
		with++
		_, known := satel.LookupEvent(code, false)
		require.True(t, known, "reaction %d raises %d", reaction, code)
	}
	require.Greater(t, with, 50)
	code, ok := satel.ZoneReactionAlarmEvent(32)
	require.True(t, ok)
	require.Equal(t, 110, code)
	_, ok = satel.ZoneReactionAlarmEvent(47)
	require.False(t, ok)
}

func TestLookupType(t *testing.T) {
	t.Parallel()
	door, ok := satel.LookupType(satel.TypeOutput, 101)
	require.True(t, ok)
	require.Equal(t, satel.ControlDoor, door.Control)
	mono, ok := satel.LookupType(satel.TypeOutput, 24)
	require.True(t, ok)
	require.Equal(t, satel.ControlSwitch, mono.Control)
	_, ok = satel.LookupType(satel.TypeOutput, 250)
	require.False(t, ok)
	module, ok := satel.LookupType(satel.TypeKeypad, 5)
	require.True(t, ok)
	require.Equal(t, "ETHM-1", module.NamePL)
}

func TestModelsAgreeWithTheTypeTable(t *testing.T) {
	t.Parallel()
	for _, m := range satel.Models() {
		info, ok := satel.LookupType(satel.TypePanel, m.Code)
		require.True(t, ok, m.Name)
		require.Equal(t, m.Name, info.NameEN)
		byName, ok := satel.ModelByName(m.Name)
		require.True(t, ok)
		require.Equal(t, m, byName)
		require.Equal(t, m.Zones > 128, m.Wide(), m.Name)
	}
	unknown, ok := satel.ModelByCode(99)
	require.False(t, ok)
	require.Equal(t, []int{128, 128, 32}, []int{unknown.Zones, unknown.Outputs, unknown.Partitions})
	for code, want := range map[byte]byte{0: 0, 1: 1, 2: 2, 66: 2, 3: 3, 67: 3, 4: 4, 132: 4, 72: 8} {
		m, _ := satel.ModelByCode(code)
		require.Equal(t, want, m.ClockType(), m.Name)
	}
}

func TestCommandsAnsweredByAResult(t *testing.T) {
	t.Parallel()
	controls := []satel.Command{
		satel.CmdArm0, satel.CmdArm3, satel.CmdDisarm, satel.CmdClearAlarm, satel.CmdBypass, satel.CmdUnbypass,
		satel.CmdOutputsOn, satel.CmdOutputsOff, satel.CmdOpenDoor, satel.CmdClearTroubles, satel.CmdFirstCodeEnter,
		satel.CmdSetClock, satel.CmdIsolate, satel.CmdOutputsSwitch, satel.CmdForceArm0, satel.CmdForceArm3,
	}
	for _, c := range controls {
		require.True(t, c.IsControl(), c)
	}
	for _, c := range []satel.Command{
		satel.CmdEventRecord, satel.CmdEventText, satel.CmdObjectName, satel.CmdSelf, satel.CmdUserLocks, satel.CmdClock,
		satel.CmdResult, satel.CmdNewData,
	} {
		require.False(t, c.IsControl(), c)
	}
	require.Equal(t, "disarm (0x84)", satel.CmdDisarm.String())
	require.Equal(t, "command 0xC0", satel.Command(0xC0).String())
}
