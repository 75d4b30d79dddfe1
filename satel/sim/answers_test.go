package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestEveryListIsAnsweredAtItsLength(t *testing.T) {
	b := setup(t)
	sizes := map[satel.Command]int{
		satel.CmdClock: 9, satel.CmdTroubles1: 47, satel.CmdTroubles2: 26, satel.CmdTroubles3: 60, satel.CmdTroubles4: 30,
		satel.CmdTroubles5: 31, satel.CmdTroublesMemory1: 47, satel.CmdTroublesMemory2: 39, satel.CmdTroublesMemory3: 60,
		satel.CmdTroublesMemory4: 30, satel.CmdTroublesMemory5: 48, satel.CmdTroubles6: 45, satel.CmdTroubles7: 47,
		satel.CmdTroublesMemory6: 45, satel.CmdTroublesMemory7: 48, satel.CmdTroubles8: 64, satel.CmdTroublesMemory8: 64,
	}
	for cmd := range satel.CmdTroublesMemory8 + 1 {
		short, wide := sizes[cmd], sizes[cmd]
		if kind := cmd.List(); kind != satel.ListNone {
			short, wide = kind.Size(false), kind.Size(true)
		}
		require.Len(t, b.ask(cmd).Data, short, cmd)
		require.Len(t, b.ask(cmd, 0xFF).Data, wide, cmd)
	}
}

func TestSilence(t *testing.T) {
	b := setup(t)
	code, err := satel.EncodeUserCode(DefaultCode, "", satel.UserCodeSize)
	require.NoError(t, err)
	for name, request := range map[string]satel.Frame{
		"unknown command":         {Cmd: 0x5A},
		"beyond the lists":        {Cmd: 0x35},
		"list with too much":      {Cmd: satel.CmdZonesAlarm, Data: []byte{1, 2}},
		"event without index":     {Cmd: satel.CmdEventRecord, Data: []byte{0xFF, 0xFF}},
		"event text without code": {Cmd: satel.CmdEventText, Data: []byte{1}},
		"name without number":     {Cmd: satel.CmdObjectName, Data: []byte{1}},
		"thermometer":             {Cmd: satel.CmdZoneTemperature, Data: []byte{1}},
		"arming without code":     {Cmd: satel.CmdArm0, Data: []byte{1, 0, 0, 0}},
		"arming short":            {Cmd: satel.CmdArm0, Data: append(code, 1, 0, 0)},
		"arming long":             {Cmd: satel.CmdArm0, Data: append(code, 1, 0, 0, 0, 0)},
		"an answer":               {Cmd: satel.CmdResult, Data: []byte{0}},
		"own data without a code": {Cmd: satel.CmdSelf},
	} {
		_, ok := b.Answer(request)
		require.False(t, ok, name)
	}
	require.Empty(t, b.Commands())
}

func TestVersions(t *testing.T) {
	for _, model := range satel.Models() {
		b := setup(t, func(c *Config) {
			c.Model = model.Name
			site := DefaultSite(DefaultCode)
			c.Site = &site
		})
		version, err := satel.ParsePanelVersion(b.ask(satel.CmdPanelVersion).Data)
		require.NoError(t, err)
		require.Equal(t, model.Code, version.Type)
		require.Equal(t, satel.LanguagePolish, version.Language)
		require.Equal(t, model.ClockType(), b.clockFlags().Type)
		module, err := satel.ParseModuleVersion(b.ask(satel.CmdModuleVersion).Data)
		require.NoError(t, err)
		require.True(t, module.Wide)
		require.True(t, module.Troubles8)
	}
}

func TestClockIsLocalTime(t *testing.T) {
	b := setup(t, func(c *Config) { c.ClockError = -90 * time.Second })
	clock := b.clockFlags()
	require.Equal(t, [3]int{11, 58, 30}, [3]int{clock.Hour, clock.Minute, clock.Second})
	require.Equal(t, 5, clock.Weekday, "Saturday")

	// The night in which the hour from two to three comes twice.
	b.clock.advance(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).Sub(start) + 90*time.Second)
	before := b.clockFlags()
	first := b.Record(numbered(t, 0))
	b.clock.advance(time.Hour)
	after := b.clockFlags()
	require.Equal(t, before, after)
	require.Equal(t, 2, after.Hour)
	require.Equal(t, time.Hour, b.Record(numbered(t, 0)).HappenedAt.Sub(first.HappenedAt))
}

func TestNames(t *testing.T) {
	b := setup(t)
	name := func(kind satel.ObjectType, number int) satel.ObjectName {
		answer := b.ask(satel.CmdObjectName, satel.AppendNameRequest(nil, kind, number)...)
		n, err := satel.ParseObjectName(answer.Data)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, satel.ObjectName{Number: 1, Text: "Sklep"}, name(satel.NamePartition, 1))
	require.Equal(t, satel.ObjectName{Type: 1, Number: 1, Text: "Drzwi wejściowe"}, name(satel.NameZone, 1))
	require.Equal(t, satel.ObjectName{
		Type: 5, Number: 16, Function: byte(WaterLeak24h), Text: "Zalanie łazienki", Extra: []byte{2},
	}, name(satel.NameZoneAndPartition, 16))
	require.Equal(t, "Stacja", name(satel.NameUser, 1).Text)
	require.Equal(t, byte(2), name(satel.NameOutput, 1).Function)
	require.Equal(t, "ETHM-1 Plus", name(satel.NameDevice, 194).Text)
	require.Equal(t, []byte{1}, name(satel.NamePartitionObject, 2).Extra)
	require.Equal(t, "Obiekt 1", name(satel.NameObject, 1).Text)
	for _, missing := range [][]byte{{0, 3}, {1, 17}, {5, 0}, {2, 9}, {3, 130}, {4, 9}, {15, 2}, {6, 1}, {99, 1}} {
		require.Equal(t, resultFrame(satel.ResultOther), b.ask(satel.CmdObjectName, missing...))
	}
}

func TestEventTexts(t *testing.T) {
	b := setup(t)
	for _, info := range satel.Events() {
		for _, long := range []bool{true, false} {
			answer := b.ask(satel.CmdEventText, satel.AppendEventTextRequest(nil, info.Code, info.Restore, long)...)
			text, err := satel.ParseEventText(answer.Data)
			require.NoError(t, err)
			require.Equal(t, info.LongKind, text.LongKind)
			require.NotEmpty(t, text.Text)
		}
	}
}

func TestAUserHearsOfItselfAndOfOthers(t *testing.T) {
	site := DefaultSite(DefaultCode)
	site.Users = append(site.Users, User{Number: 9, Name: "Ewa", Code: "8520", Rights: MayUseNetwork, Partitions: []int{2}}, User{Number: 3, Name: "Bez sieci", Code: "9999"})
	b := setup(t, func(c *Config) { c.Site = &site })
	ask := func(cmd satel.Command, digits string, more ...byte) satel.Frame {
		code, err := satel.EncodeUserCode(digits, "", satel.UserCodeSize)
		require.NoError(t, err)
		answer, ok := b.Answer(satel.Frame{Cmd: cmd, Data: append(code, more...)})
		require.True(t, ok)
		return answer
	}
	self, err := satel.ParseSelf(ask(satel.CmdSelf, "8520").Data)
	require.NoError(t, err)
	require.Equal(t, satel.Self{Number: 9, Partitions: satel.NewBits(4, 2), Rights: satel.RightsOf(satel.RightNetwork), Name: "Ewa", Object: 1}, self)
	users, err := satel.ParseUsers(ask(satel.CmdUserList, DefaultCode, 1).Data)
	require.NoError(t, err)
	require.Equal(t, []int{1, 3, 9}, users.Existing.Numbers())
	for _, wrong := range []string{"4444", "9999"} {
		require.Equal(t, resultFrame(satel.ResultCodeNotFound), ask(satel.CmdSelf, wrong))
	}
	require.Empty(t, b.Commands(), "asking is no command")
}
