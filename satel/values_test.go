package satel_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

func TestBits(t *testing.T) {
	t.Parallel()
	prev, b := satel.NewBits(16, 1, 8, 128), satel.NewBits(32, 1, 9, 128, 129, 256)
	require.True(t, b.Has(256) && b.HasAddress(255) && b.Any())
	require.False(t, b.Has(2) || b.Has(0) || b.Has(-1) || b.Has(257) || prev.Has(129))
	require.Equal(t, []int{9, 129, 256}, b.Rises(prev))
	require.Equal(t, []int{8}, prev.Rises(b))
	require.Equal(t, b.Numbers(), b.Rises(nil))
	require.Equal(t, 5, b.Count())
	require.False(t, b.Equal(prev))
	require.True(t, satel.NewBits(16, 3).Equal(satel.NewBits(32, 3)))
	b.Clear(9)
	require.False(t, b.Has(9))
	require.False(t, satel.NewBits(4).Any())
	require.Panics(t, func() { satel.NewBits(4, 33) })
	require.Panics(t, func() { satel.NewBits(4, 0) })
}

func TestRisesAreWhatIsInOneListOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := satel.Bits(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "now"))
		prev := satel.Bits(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "before"))
		want := []int{}
		for n := 1; n <= 256; n++ {
			if b.Has(n) && !prev.Has(n) {
				want = append(want, n)
			}
		}
		require.Equal(t, want, b.Rises(prev))
		require.Equal(t, len(b.Rises(prev)) == 0 && len(prev.Rises(b)) == 0, b.Equal(prev))
	})
}

func TestNewDataForms(t *testing.T) {
	t.Parallel()
	s := satel.Commands(satel.CmdZonesAlarm, satel.CmdClock, satel.CmdTroublesMemory8, satel.CmdEventRecord)
	require.Equal(t, []satel.Command{satel.CmdZonesAlarm, satel.CmdClock, satel.CmdTroublesMemory8}, s.List())
	require.True(t, s.Has(satel.CmdClock))
	require.False(t, s.Without(satel.CmdClock).Has(satel.CmdClock))
	require.False(t, s.Has(satel.CmdEventRecord))
	short, err := satel.ParseNewData(satel.AppendNewData(nil, s, satel.NewDataShort))
	require.NoError(t, err)
	require.Equal(t, satel.Commands(satel.CmdZonesAlarm, satel.CmdClock), short)
	for _, n := range []int{0, 4, 8} {
		_, err := satel.ParseNewData(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	want := satel.Subscription{
		Changed: satel.Commands(satel.CmdZonesViolated, satel.CmdArmed), Received: satel.Commands(satel.CmdOutputs),
	}
	for _, size := range []int{satel.NewDataShort, satel.NewDataMiddle, satel.NewDataLong} {
		data := satel.AppendSubscription(nil, want, size)
		require.Len(t, data, 2*size)
		got, err := satel.ParseSubscription(data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, n := range []int{0, 2, 11, 16} {
		_, err := satel.ParseSubscription(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
}

func TestUserCodeErrorsDoNotQuoteTheCode(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"12x4", "123456789", "987"} {
		_, err := satel.EncodeUserCode(code, "55", 8)
		require.ErrorIs(t, err, satel.ErrUserCode)
		require.NotContains(t, err.Error(), code)
	}
	_, err := satel.EncodeUserCode("1234", "12345", 4)
	require.ErrorIs(t, err, satel.ErrUserCode)
	_, err = satel.EncodeUserCode("1234", "", 5)
	require.ErrorIs(t, err, satel.ErrLength)
	for _, data := range [][]byte{{0x12, 0xF4, 0xFF, 0xFF}, {0x12, 0x3A, 0xFF, 0xFF}, {0x12, 0x3F, 0xFF, 0xFF}} {
		_, err := satel.DecodeUserCode(data)
		require.ErrorIs(t, err, satel.ErrUserCode, "% x", data)
	}
	_, err = satel.DecodeUserCode(make([]byte, 3))
	require.ErrorIs(t, err, satel.ErrLength)
}

func TestClockRefusesWhatIsNoTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)
	valid, err := satel.AppendClock(nil, satel.ClockAt(at))
	require.NoError(t, err)
	for name, change := range map[string]func([]byte){
		"no digit":    func(d []byte) { d[6] = 0x5A },
		"month 13":    func(d []byte) { d[2] = 0x13 },
		"month 0":     func(d []byte) { d[2] = 0 },
		"29 February": func(d []byte) { d[1] = 0x25 },
		"hour 24":     func(d []byte) { d[4] = 0x24 },
		"minute 60":   func(d []byte) { d[5] = 0x60 },
		"second 60":   func(d []byte) { d[6] = 0x60 },
	} {
		d := bytes.Clone(valid)
		change(d)
		_, err := satel.ParseClock(d)
		require.ErrorIs(t, err, satel.ErrValue, name)
	}
	_, err = satel.ParseClock(valid[:8])
	require.ErrorIs(t, err, satel.ErrLength)
	_, err = satel.AppendClock(nil, satel.Clock{Year: 2026, Month: 2, Day: 30})
	require.ErrorIs(t, err, satel.ErrValue)
}

func TestVersionsRefuseWhatIsNoVersion(t *testing.T) {
	t.Parallel()
	_, err := satel.ParsePanelVersion([]byte("\x031x920190820\x00\x00"))
	require.ErrorIs(t, err, satel.ErrValue)
	_, err = satel.ParsePanelVersion(make([]byte, 13))
	require.ErrorIs(t, err, satel.ErrLength)
	_, err = satel.ParseModuleVersion(make([]byte, 11))
	require.ErrorIs(t, err, satel.ErrLength)
	for _, f := range []satel.Firmware{
		{},
		{Version: "1.2", Date: "2020-01-01"},
		{Version: "12.3", Date: "2020-01-01"},
		{Version: "1.23", Date: "2020/01/01"},
		{Version: "1.234", Date: "020-01-01"},
	} {
		_, err := satel.AppendModuleVersion(nil, satel.ModuleVersion{Firmware: f})
		require.ErrorIs(t, err, satel.ErrValue, "%v", f)
	}
}

func TestNamesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, n := range []satel.ObjectName{
		{Number: 1, Text: "seventeen letters"}, {Number: 1, Text: "日本"}, {Number: 1, Text: "a\nb"}, {Number: 0}, {Number: 257},
	} {
		_, err := satel.AppendObjectName(nil, n)
		require.ErrorIs(t, err, satel.ErrValue, "%v", n)
	}
	_, err := satel.ParseObjectName(make([]byte, 18))
	require.ErrorIs(t, err, satel.ErrLength)
	n, err := satel.ParseObjectName(append([]byte{1, 1, 5}, "Hol\x00\x07l\x81             "[:16]...))
	require.NoError(t, err)
	require.Equal(t, "Hol  l\uFFFD", n.Text)
}

func TestTemperaturesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, v := range []satel.Temperature{
		{Zone: 1, Celsius: -55.5, Measured: true}, {Zone: 1, Celsius: 1e9, Measured: true}, {Zone: 0}, {Zone: 257},
	} {
		_, err := satel.AppendTemperature(nil, v)
		require.ErrorIs(t, err, satel.ErrValue, "%v", v)
	}
	near, err := satel.AppendTemperature(nil, satel.Temperature{Zone: 256, Celsius: 20.3, Measured: true})
	require.NoError(t, err)
	got, err := satel.ParseTemperature(near)
	require.NoError(t, err)
	require.Equal(t, satel.Temperature{Zone: 256, Celsius: 20.5, Measured: true}, got)
}

var troubleCommands = []satel.Command{
	satel.CmdTroubles1, satel.CmdTroubles2, satel.CmdTroubles3, satel.CmdTroubles4, satel.CmdTroubles5,
	satel.CmdTroubles6, satel.CmdTroubles7, satel.CmdTroubles8, satel.CmdTroublesMemory1, satel.CmdTroublesMemory2,
	satel.CmdTroublesMemory3, satel.CmdTroublesMemory4, satel.CmdTroublesMemory5, satel.CmdTroublesMemory6,
	satel.CmdTroublesMemory7, satel.CmdTroublesMemory8,
}

func TestTroubleSizes(t *testing.T) {
	t.Parallel()
	var sizes []int
	for _, c := range troubleCommands {
		n, ok := satel.TroublesSize(c)
		require.True(t, ok, c)
		sizes = append(sizes, n)
	}
	require.Equal(t, []int{47, 26, 60, 30, 31, 45, 47, 64, 47, 39, 60, 30, 48, 45, 48, 64}, sizes)
	_, ok := satel.TroublesSize(satel.CmdClock)
	require.False(t, ok)
}

func TestTroublesAreBuiltAsTheyAreRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cmd := rapid.SampledFrom(troubleCommands).Draw(t, "cmd")
		size, _ := satel.TroublesSize(cmd)
		data := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "data")
		first, err := satel.ParseTroubles(cmd, data)
		require.NoError(t, err)
		built, err := satel.AppendTroubles(nil, cmd, first)
		require.NoError(t, err)
		again, err := satel.ParseTroubles(cmd, built)
		require.NoError(t, err)
		require.Equal(t, first, again)
		seen := map[satel.Trouble]bool{}
		for _, a := range first.Active {
			require.False(t, seen[a], "%v stands for two bits", a)
			seen[a] = true
		}
	})
}

func TestTroublesOfModulesAndMemory(t *testing.T) {
	t.Parallel()
	gsm := make([]byte, 64)
	gsm[8*3+2], gsm[8*3+4], gsm[8*3+5] = 0x04, 0x01, 0x02
	got, err := satel.ParseTroubles(satel.CmdTroubles8, gsm)
	require.NoError(t, err)
	require.Equal(t, []string{"int_gsm.3.jamming"}, got.Names())
	require.Equal(t, []satel.Level{{Group: "modem1_code", Item: 3, Value: 0x102}}, got.Levels)

	jam := make([]byte, 60)
	jam[14] = 9
	got, err = satel.ParseTroubles(satel.CmdTroubles3, jam)
	require.NoError(t, err)
	require.Empty(t, got.Names())
	require.Equal(t, []satel.Level{{Group: "jam_level", Item: 15, Value: 9}}, got.Levels)

	part7 := make([]byte, 47)
	part7[0], part7[16] = 1, 2
	got, err = satel.ParseTroubles(satel.CmdTroubles7, part7)
	require.NoError(t, err)
	require.Equal(t, []satel.Trouble{
		{Group: "technical_zone", Item: "129"}, {Group: "technical_zone", Item: "130", Memory: true},
	}, got.Active)

	_, err = satel.ParseTroubles(satel.CmdTroubles1, make([]byte, 46))
	require.ErrorIs(t, err, satel.ErrLength)
	_, err = satel.ParseTroubles(satel.CmdClock, nil)
	require.ErrorIs(t, err, satel.ErrValue)
	for _, bad := range []satel.Troubles{
		{Active: []satel.Trouble{{Group: "system", Item: "nothing"}}},
		{Active: []satel.Trouble{{Group: "system", Item: "ac", Memory: true}}},
		{Levels: []satel.Level{{Group: "jam_level", Item: 1, Value: 1}}},
	} {
		_, err := satel.AppendTroubles(nil, satel.CmdTroubles1, bad)
		require.ErrorIs(t, err, satel.ErrValue)
	}
}

func TestUnknownPanelIsAsLargeAsItsModuleCanTell(t *testing.T) {
	t.Parallel()
	for wide, zones := range map[bool]int{false: 128, true: 256} {
		m, known := satel.ModelFor(68, satel.ModuleVersion{Wide: wide})
		require.False(t, known)
		require.Equal(t, zones, m.Zones)
		require.EqualValues(t, 68, m.Code)
		require.Empty(t, m.Name)
	}
	m, known := satel.ModelFor(3, satel.ModuleVersion{Wide: true})
	require.True(t, known)
	require.Equal(t, model(t, "INTEGRA 128"), m)
}

func FuzzUserCode(f *testing.F) {
	f.Add("1234", "", true)
	f.Add("12345678", "987", true)
	f.Add("12a4", "0", false)
	f.Fuzz(func(t *testing.T, code, prefix string, long bool) {
		size := 4
		if long {
			size = 8
		}
		data, err := satel.EncodeUserCode(code, prefix, size)
		digits := strings.Trim(code+prefix, "0123456789") == ""
		fits := len(code) >= 4 && len(code) <= 8 && len(code)+len(prefix) <= 2*size
		if (err == nil) != (digits && fits) {
			t.Fatalf("code of %d, prefix of %d digits in %d bytes: %v", len(code), len(prefix), size, err)
		}
		if err != nil {
			return
		}
		got, err := satel.DecodeUserCode(data)
		require.NoError(t, err)
		require.Equal(t, prefix+code, got)
	})
}

func FuzzObjectName(f *testing.F) {
	f.Add([]byte("\x05\x07\x05Kuchnia \xb9\xea\xb3\xf1\xf3\x9c\x9f\xbf\x03"))
	f.Add([]byte("\x01\x00\x00                "))
	f.Add([]byte("\x01\x01\x00\x81\x83\x88\x90\x98\x00\x0a\x7f          "))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := satel.ParseObjectName(data)
		if err != nil {
			require.ErrorIs(t, err, satel.ErrLength)
			return
		}
		if !utf8.ValidString(n.Text) || strings.ContainsFunc(n.Text, unicode.IsControl) {
			t.Fatalf("text %q", n.Text)
		}
		if strings.ContainsRune(n.Text, utf8.RuneError) {
			return
		}
		built, err := satel.AppendObjectName(nil, n)
		require.NoError(t, err)
		again, err := satel.ParseObjectName(built)
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}
