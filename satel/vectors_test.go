package satel_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// hexBytes are bytes written in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	b, err := hex.DecodeString(s)
	*h = b
	return err
}

// vectorFile is a file of test vectors; a file may have any part of the sections.
type vectorFile struct {
	Frames []struct {
		Name        string
		Cmd         satel.Command
		Data, Frame hexBytes
	}
	BadFrames []struct {
		Name   string
		Bytes  hexBytes
		Yields []struct {
			Cmd  satel.Command
			Data hexBytes
		}
	} `json:"bad_frames"`
	CRC []struct {
		Name string
		Data hexBytes
		CRC  hexBytes
	}
	UserCodes []struct {
		Name, Code, Prefix string
		Size               int
		Bytes              hexBytes
		Error              bool
	} `json:"user_codes"`
	Events []struct {
		Name, Panel, Today string
		Record             hexBytes
		Fields             map[string]any
		Index, Called      hexBytes
		AnswerData         hexBytes `json:"answer_data"`
	}
	States []struct {
		Name, Kind string
		Cmd        satel.Command
		Data       hexBytes
		Numbers    []int
	}
	NewData []struct {
		Name     string
		Data     hexBytes
		Commands []satel.Command
	} `json:"new_data"`
	Names []struct {
		Name       string
		Request    hexBytes
		AnswerData hexBytes `json:"answer_data"`
		Type       satel.ObjectType
		Number     int
		Function   byte
		Text       string
		Extra      *byte
	}
	Versions []struct {
		Name            string
		Cmd             satel.Command
		Data            hexBytes
		Type            byte
		Model           string
		Version, Date   string
		Language        satel.Language
		SettingsInFlash bool `json:"settings_in_flash"`
		Bytes32         bool
		Troubles8       bool
		ArmNoBypass     bool `json:"arm_no_bypass"`
	}
	Clocks []struct {
		Name, Time    string
		Data          hexBytes
		Weekday       int
		ServiceMode   bool `json:"service_mode"`
		Trouble       bool
		ACU100        bool
		IntRX         bool `json:"int_rx"`
		TroubleMemory bool `json:"trouble_memory"`
		Grade         bool
		Type          byte
	}
	Temperatures []struct {
		Name    string
		Data    hexBytes
		Zone    int
		Celsius *float64
	}
	Results []struct {
		Name, Meaning string
		Data          hexBytes
		Success       bool
	}
	EventTexts []struct {
		Name       string
		Request    hexBytes
		AnswerData hexBytes `json:"answer_data"`
		Code       int
		Restore    bool
		Long       bool
		LongKind   satel.LongKind `json:"long_kind"`
		ShortKind  hexBytes       `json:"short_kind"`
		Text       string
	} `json:"event_texts"`
	Troubles []struct {
		Name     string
		Cmd      satel.Command
		Data     hexBytes
		Troubles []string
	}
	Encryption []encryptionVector
}

// cases is the number of vectors in the file.
func (v vectorFile) cases() int {
	return len(v.Frames) + len(v.BadFrames) + len(v.CRC) + len(v.UserCodes) + len(v.Events) + len(v.States) +
		len(v.NewData) + len(v.Names) + len(v.Versions) + len(v.Clocks) + len(v.Temperatures) + len(v.Results) +
		len(v.EventTexts) + len(v.Troubles) + len(v.Encryption)
}

const ownVectors = "testdata/vectors.json"

// otherSections are parts of a file that hold no vectors.
var otherSections = map[string]bool{"schema": true, "version": true}

// vectorFiles returns the paths of the files to run.
func vectorFiles() []string {
	paths := []string{ownVectors}
	if more := os.Getenv("SATEL_VECTORS"); more != "" {
		paths = append(paths, more)
	}
	return paths
}

func readVectors(t *testing.T, path string) vectorFile {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var v vectorFile
	require.NoError(t, json.Unmarshal(text, &v))

	// Every vector of the file must have been understood, by a section that this test knows.
	var sections map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &sections))
	total := 0
	for name, raw := range sections {
		if otherSections[name] {
			continue
		}
		var list []json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &list), "section %s", name)
		total += len(list)
	}
	require.Equal(t, total, v.cases(), "vectors in sections that the test does not know")
	return v
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, path := range vectorFiles() {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			v := readVectors(t, path)
			t.Run("frames", func(t *testing.T) { testFrameVectors(t, v) })
			t.Run("codes", func(t *testing.T) { testCodeVectors(t, v) })
			t.Run("events", func(t *testing.T) { testEventVectors(t, v) })
			t.Run("lists", func(t *testing.T) { testListVectors(t, v) })
			t.Run("names", func(t *testing.T) { testNameVectors(t, v) })
			t.Run("versions", func(t *testing.T) { testVersionVectors(t, v) })
			t.Run("clocks", func(t *testing.T) { testClockVectors(t, v) })
			t.Run("temperatures", func(t *testing.T) { testTemperatureVectors(t, v) })
			t.Run("results", func(t *testing.T) { testResultVectors(t, v) })
			t.Run("event texts", func(t *testing.T) { testEventTextVectors(t, v) })
			t.Run("troubles", func(t *testing.T) { testTroubleVectors(t, v) })
			t.Run("encryption", func(t *testing.T) { testEncryptionVectors(t, v) })
		})
	}
}

func TestOwnVectorsHaveEverySection(t *testing.T) {
	t.Parallel()
	v := readVectors(t, ownVectors)
	for name, n := range map[string]int{
		"frames": len(v.Frames), "bad_frames": len(v.BadFrames), "crc": len(v.CRC), "user_codes": len(v.UserCodes),
		"events": len(v.Events), "states": len(v.States), "new_data": len(v.NewData), "names": len(v.Names),
		"versions": len(v.Versions), "clocks": len(v.Clocks), "temperatures": len(v.Temperatures),
		"results": len(v.Results), "event_texts": len(v.EventTexts), "troubles": len(v.Troubles),
		"encryption": len(v.Encryption),
	} {
		require.NotZero(t, n, name)
	}
}

// decodeAll returns the frames in a stream, with data of their own.
func decodeAll(d *satel.Decoder, p []byte) []satel.Frame {
	d.Write(p)
	out := []satel.Frame{}
	for {
		f, ok := d.Next()
		if !ok {
			return out
		}
		f.Data = append([]byte{}, f.Data...)
		out = append(out, f)
	}
}

func testFrameVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Frames {
		require.Equal(t, []byte(x.Frame), satel.AppendFrame(nil, x.Cmd, x.Data), x.Name)
		var d satel.Decoder
		require.Equal(t, []satel.Frame{{Cmd: x.Cmd, Data: append([]byte{}, x.Data...)}}, decodeAll(&d, x.Frame), x.Name)
		if slices.Contains(controls, x.Cmd) {
			r, err := satel.ParseControlRequest(x.Cmd, x.Data)
			require.NoError(t, err, x.Name)
			data, err := satel.AppendControlRequest(nil, r)
			require.NoError(t, err, x.Name)
			require.Equal(t, []byte(x.Data), data, x.Name)
		}
	}
	for _, x := range v.BadFrames {
		want := []satel.Frame{}
		for _, y := range x.Yields {
			want = append(want, satel.Frame{Cmd: y.Cmd, Data: y.Data})
		}
		var whole, pieces satel.Decoder
		require.Equal(t, want, decodeAll(&whole, x.Bytes), x.Name)
		got := []satel.Frame{}
		for i := range x.Bytes {
			got = append(got, decodeAll(&pieces, x.Bytes[i:i+1])...)
		}
		require.Equal(t, want, got, "%s, byte by byte", x.Name)
		require.Equal(t, whole.Stats(), pieces.Stats(), x.Name)
	}
	for _, x := range v.CRC {
		require.Equal(t, uint16(x.CRC[0])<<8|uint16(x.CRC[1]), satel.CRC(x.Data), x.Name)
	}
}

func testCodeVectors(t *testing.T, v vectorFile) {
	for _, x := range v.UserCodes {
		got, err := satel.EncodeUserCode(x.Code, x.Prefix, x.Size)
		if x.Error {
			require.ErrorIs(t, err, satel.ErrUserCode, x.Name)
			continue
		}
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.Bytes), got, x.Name)
		digits, err := satel.DecodeUserCode(got)
		require.NoError(t, err, x.Name)
		require.Equal(t, x.Prefix+x.Code, digits, x.Name)
	}
}

// eventFields writes an event as the vectors do.
func eventFields(r satel.Record, m satel.Model, at time.Time) map[string]any {
	out := map[string]any{"present": r.Present(), "event": r.HasEvent()}
	if !r.HasEvent() {
		return out
	}
	e := r.Decode(m)
	out["station1"], out["station2"] = float64(r.Station1()), float64(r.Station2())
	out["class"] = e.Class.String()
	out["year_mod4"], out["month"], out["day"] = float64(r.YearMod4()), float64(r.Month()), float64(r.Day())
	out["hour"], out["minute"] = float64(r.Minute()/60), float64(r.Minute()%60)
	out["local_time"] = at.Format("2006-01-02T15:04")
	out["code"], out["restore"] = float64(e.Code), e.Restore
	out["full_code"] = "0x" + upperHex(e.FullCode)
	out["source_number"], out["object"] = float64(r.Source()), float64(e.Object)
	out["user_control"] = float64(e.UserControl)
	out["long_kind"] = float64(e.LongKind)
	if e.Partition != 0 {
		out["partition"] = float64(e.Partition)
	}
	if e.PartitionKeypad != 0 {
		out["partition_keypad"] = float64(e.PartitionKeypad)
	}
	if e.KeypadAddress >= 0 {
		out["p_field"] = float64(e.KeypadAddress)
	}
	if e.Source.Kind != satel.SourceNone {
		out["source_kind"], out["source_index"] = string(e.Source.Kind), float64(e.Source.Index)
	}
	return out
}

func upperHex(n int) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

func testEventVectors(t *testing.T, v vectorFile) {
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	require.NoError(t, err)
	for _, x := range v.Events {
		m, ok := satel.ModelByName(x.Panel)
		require.True(t, ok, x.Name)
		today, err := time.ParseInLocation("2006-01-02", x.Today, warsaw)
		require.NoError(t, err, x.Name)
		r := satel.Record(x.Record)
		at := r.Resolve(today, warsaw)
		require.Empty(t, cmp.Diff(x.Fields, eventFields(r, m, at)), x.Name)
		if r.HasEvent() {
			rebuilt := rebuild(t, r, m, at)
			require.Equal(t, r, rebuilt, "%s, built again", x.Name)
		}
		if x.AnswerData == nil {
			continue
		}
		e, err := satel.ParseLogEntry(x.AnswerData)
		require.NoError(t, err, x.Name)
		require.Equal(t, satel.LogEntry{Record: r, Index: satel.Index(x.Index), Called: satel.Index(x.Called)}, e, x.Name)
		require.Equal(t, []byte(x.AnswerData), satel.AppendLogEntry(nil, e), x.Name)
	}
}

// rebuild makes a record from what another one says.
func rebuild(t *testing.T, r satel.Record, m satel.Model, at time.Time) satel.Record {
	t.Helper()
	e := r.Decode(m)
	f := satel.RecordFields{
		At: at, Class: e.Class, Code: e.Code, Restore: r.Restore(), Partition: r.Partition(), Source: r.Source(),
		Object: e.Object, UserControl: e.UserControl, Station1: r.Station1(), Station2: r.Station2(),
	}
	if e.Source.Kind != satel.SourceNone && e.Source.Kind != satel.SourceIP {
		number, control, err := satel.SourceNumber(e.Source, m)
		require.NoError(t, err)
		f.Source = number
		f.UserControl = max(control, r.UserControl())
	}
	out, err := satel.NewRecord(f)
	require.NoError(t, err)
	return out
}

func testListVectors(t *testing.T, v vectorFile) {
	kinds := map[string]satel.ListKind{
		"zones": satel.ListZones, "partitions": satel.ListPartitions, "outputs": satel.ListOutputs,
		"expanders": satel.ListExpanders,
	}
	for _, x := range v.States {
		require.Equal(t, kinds[x.Kind], x.Cmd.List(), x.Name)
		require.Contains(t, []int{x.Cmd.List().Size(false), x.Cmd.List().Size(true)}, len(x.Data), x.Name)
		b := satel.Bits(x.Data)
		again := make(satel.Bits, len(b))
		if x.Cmd.List() == satel.ListExpanders {
			require.Equal(t, x.Numbers, b.Addresses(), x.Name)
			for _, a := range x.Numbers {
				again.SetAddress(a)
			}
		} else {
			require.Equal(t, x.Numbers, b.Numbers(), x.Name)
			again = satel.NewBits(len(b), x.Numbers...)
		}
		require.Equal(t, b, again, x.Name)
	}
	for _, x := range v.NewData {
		s, err := satel.ParseNewData(x.Data)
		require.NoError(t, err, x.Name)
		require.Equal(t, x.Commands, s.List(), x.Name)
		require.Equal(t, []byte(x.Data), satel.AppendNewData(nil, satel.Commands(x.Commands...), len(x.Data)), x.Name)
	}
}

func testNameVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Names {
		request := satel.AppendNameRequest(nil, x.Type, x.Number)
		require.Equal(t, []byte(x.Request), satel.AppendFrame(nil, satel.CmdObjectName, request), x.Name)
		typ, number, err := satel.ParseNameRequest(request)
		require.NoError(t, err, x.Name)
		require.Equal(t, x.Type, typ, x.Name)
		require.Equal(t, x.Number, number, x.Name)

		want := satel.ObjectName{Type: x.Type, Number: x.Number, Function: x.Function, Text: x.Text}
		if x.Extra != nil {
			want.Extra = []byte{*x.Extra}
		}
		got, err := satel.ParseObjectName(x.AnswerData)
		require.NoError(t, err, x.Name)
		require.Equal(t, want, got, x.Name)
		built, err := satel.AppendObjectName(nil, want)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.AnswerData), built, x.Name)
	}
}

func testVersionVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Versions {
		firmware := satel.Firmware{Version: x.Version, Date: x.Date}
		if x.Cmd == satel.CmdModuleVersion {
			want := satel.ModuleVersion{
				Firmware: firmware, Wide: x.Bytes32, Troubles8: x.Troubles8, ArmNoBypass: x.ArmNoBypass,
			}
			got, err := satel.ParseModuleVersion(x.Data)
			require.NoError(t, err, x.Name)
			require.Equal(t, want, got, x.Name)
			built, err := satel.AppendModuleVersion(nil, want)
			require.NoError(t, err, x.Name)
			require.Equal(t, []byte(x.Data), built, x.Name)
			continue
		}
		require.Equal(t, satel.CmdPanelVersion, x.Cmd, x.Name)
		want := satel.PanelVersion{
			Type: x.Type, Firmware: firmware, Language: x.Language, SettingsInFlash: x.SettingsInFlash,
		}
		got, err := satel.ParsePanelVersion(x.Data)
		require.NoError(t, err, x.Name)
		require.Equal(t, want, got, x.Name)
		m, known := satel.ModelByCode(got.Type)
		require.Equal(t, x.Model, m.Name, x.Name)
		require.Equal(t, x.Model != "", known, x.Name)
		built, err := satel.AppendPanelVersion(nil, want)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.Data), built, x.Name)
	}
}

func testClockVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Clocks {
		got, err := satel.ParseClock(x.Data)
		require.NoError(t, err, x.Name)
		at, err := time.Parse("2006-01-02T15:04:05", x.Time)
		require.NoError(t, err, x.Name)
		want := satel.ClockAt(at)
		weekday := want.Weekday
		require.Equal(t, x.Weekday, weekday, x.Name)
		want.ServiceMode, want.Trouble, want.TroubleMemory = x.ServiceMode, x.Trouble, x.TroubleMemory
		want.ACU100, want.IntRX, want.Grade, want.Type = x.ACU100, x.IntRX, x.Grade, x.Type
		require.Equal(t, want, got, x.Name)
		require.Equal(t, at, got.Time(time.UTC), x.Name)
		built, err := satel.AppendClock(nil, got)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.Data), built, x.Name)
	}
}

func testTemperatureVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Temperatures {
		want := satel.Temperature{Zone: x.Zone}
		if x.Celsius != nil {
			want.Celsius, want.Measured = *x.Celsius, true
		}
		got, err := satel.ParseTemperature(x.Data)
		require.NoError(t, err, x.Name)
		require.Equal(t, want, got, x.Name)
		built, err := satel.AppendTemperature(nil, want)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.Data), built, x.Name)
	}
}

func testResultVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Results {
		got, err := satel.ParseResult(x.Data)
		require.NoError(t, err, x.Name)
		require.Equal(t, x.Meaning, got.String(), x.Name)
		require.Equal(t, x.Success, got.Success(), x.Name)
		require.Equal(t, []byte(x.Data), satel.AppendResult(nil, got), x.Name)
	}
}

func testEventTextVectors(t *testing.T, v vectorFile) {
	for _, x := range v.EventTexts {
		request := satel.AppendEventTextRequest(nil, x.Code, x.Restore, x.Long)
		require.Equal(t, []byte(x.Request), satel.AppendFrame(nil, satel.CmdEventText, request), x.Name)
		code, restore, long, err := satel.ParseEventTextRequest(request)
		require.NoError(t, err, x.Name)
		require.Equal(t, []any{x.Code, x.Restore, x.Long}, []any{code, restore, long}, x.Name)

		want := satel.EventText{
			Code: x.Code, Restore: x.Restore, Long: x.Long, LongKind: x.LongKind,
			ShortKind: int(x.ShortKind[0])<<8 | int(x.ShortKind[1]), Text: x.Text,
		}
		got, err := satel.ParseEventText(x.AnswerData)
		require.NoError(t, err, x.Name)
		require.Equal(t, want, got, x.Name)
		built, err := satel.AppendEventText(nil, want)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.AnswerData), built, x.Name)
	}
}

func testTroubleVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Troubles {
		got, err := satel.ParseTroubles(x.Cmd, x.Data)
		require.NoError(t, err, x.Name)
		require.Equal(t, x.Troubles, got.Names(), x.Name)
		built, err := satel.AppendTroubles(nil, x.Cmd, got)
		require.NoError(t, err, x.Name)
		require.Equal(t, []byte(x.Data), built, x.Name)
	}
}
