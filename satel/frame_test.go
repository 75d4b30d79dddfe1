package satel_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

func anyFrame(t *rapid.T) satel.Frame {
	return satel.Frame{
		Cmd: satel.Command(rapid.OneOf(rapid.ByteMax(0xFD), rapid.Just(byte(0xFF)), rapid.Just(byte(0x0D)),
			rapid.Just(byte(0xF0))).Draw(t, "cmd")),
		Data: rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0xFE, 0xF0, 0x0D})), 0,
			satel.MaxData).Draw(t, "data"),
	}
}

func TestFramesSurviveAnyChunkingAndLeadingGarbage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		frames := rapid.SliceOfN(rapid.Custom(anyFrame), 1, 5).Draw(t, "frames")
		garbage := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0xFE, 0xFE, 0xF0, 0x0D}))).Draw(t, "garbage")
		var before satel.Decoder
		fromGarbage := len(decodeAll(&before, garbage))

		stream := bytes.Clone(garbage)
		for _, f := range frames {
			stream = satel.AppendFrame(stream, f.Cmd, f.Data)
		}
		var d satel.Decoder
		got := []satel.Frame{}
		for len(stream) > 0 {
			n := rapid.IntRange(1, len(stream)).Draw(t, "chunk")
			got = append(got, decodeAll(&d, stream[:n])...)
			stream = stream[n:]
		}
		require.Equal(t, frames, got[fromGarbage:])
		require.EqualValues(t, len(got), d.Stats().Frames)
	})
}

func TestDecoderCountsWhatItDrops(t *testing.T) {
	t.Parallel()
	good := satel.AppendFrame(nil, satel.CmdArmed, []byte{1, 0, 0, 0})
	for name, tc := range map[string]struct {
		in   []byte
		want satel.DecoderStats
	}{
		"bad crc":    {[]byte{0xFE, 0xFE, 0x09, 0xD7, 0xEC, 0xFE, 0x0D}, satel.DecoderStats{Frames: 1, BadCRC: 1}},
		"short":      {[]byte{0xFE, 0xFE, 0x09, 0xD7, 0xFE, 0x0D}, satel.DecoderStats{Frames: 1, Short: 1}},
		"cut":        {[]byte{0xFE, 0xFE, 0x09, 0xD7}, satel.DecoderStats{Frames: 1, Cut: 1}},
		"bad escape": {[]byte{0xFE, 0xFE, 0x09, 0xFE, 0x01}, satel.DecoderStats{Frames: 1, BadEscape: 1}},
		"skipped":    {[]byte{1, 2, 0xFE, 3}, satel.DecoderStats{Frames: 1, Skipped: 4}},
		"oversize": {
			append([]byte{0xFE, 0xFE}, bytes.Repeat([]byte{7}, satel.MaxData+5)...),
			satel.DecoderStats{Frames: 1, Oversize: 1, Skipped: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d satel.Decoder
			require.Empty(t, decodeAll(&d, tc.in))
			require.Len(t, decodeAll(&d, good), 1)
			require.Equal(t, tc.want, d.Stats())
			require.Equal(t, tc.want.BadCRC+tc.want.Short+tc.want.Cut+tc.want.BadEscape+tc.want.Oversize, d.Stats().Dropped())
		})
	}
}

func TestLongestFrameIsTakenAndALongerOneRefused(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte{0xFE}, satel.MaxData+1)
	var d satel.Decoder
	longest := satel.AppendFrame(nil, satel.CmdTroubles8, data[:satel.MaxData])
	require.LessOrEqual(t, len(longest), satel.MaxFrameSize(satel.MaxData))
	require.Len(t, decodeAll(&d, longest), 1)
	require.Empty(t, decodeAll(&d, satel.AppendFrame(nil, satel.CmdTroubles8, data)))
	require.EqualValues(t, 1, d.Stats().Oversize)
}

func TestFrameDataStaysValidUntilTheNextFrame(t *testing.T) {
	t.Parallel()
	var d satel.Decoder
	d.Write(satel.AppendFrame(nil, satel.CmdArmed, []byte{1, 2, 3, 4}))
	f, ok := d.Next()
	require.True(t, ok)
	d.Write(satel.AppendFrame(nil, satel.CmdArmed, []byte{5, 6, 7, 8}))
	require.Equal(t, []byte{1, 2, 3, 4}, f.Data)
	next, ok := d.Next()
	require.True(t, ok)
	require.Equal(t, []byte{5, 6, 7, 8}, next.Data)
}

func TestCodingDoesNotAllocate(t *testing.T) {
	data := bytes.Repeat([]byte{0xFE}, 32)
	buf := make([]byte, 0, satel.MaxFrameSize(len(data)))
	var d satel.Decoder
	decodeOne := func() {
		d.Write(buf)
		if _, ok := d.Next(); !ok {
			panic("frame not decoded")
		}
	}
	buf = satel.AppendFrame(buf, satel.CmdZonesViolated, data)
	decodeOne()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf = satel.AppendFrame(buf[:0], satel.CmdZonesViolated, data)
		decodeOne()
	}))
}

func TestBusyText(t *testing.T) {
	t.Parallel()
	for _, filler := range [][8]byte{
		{0xD8, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}, {0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}, {},
	} {
		text := satel.AppendBusy(nil, filler)
		require.Len(t, text, satel.BusySize)
		require.Equal(t, byte(0x10), text[0])
		require.True(t, satel.IsBusy(text))
		require.True(t, satel.IsBusy(text[:6]))
		require.False(t, satel.IsBusy(text[:5]))
	}
	require.False(t, satel.IsBusy(nil))
	require.False(t, satel.IsBusy([]byte("\xFE\xFE\xEE\x01\x01\x05Busy!     ")))
	require.False(t, satel.IsBusy(append(make([]byte, satel.BusySize), "Busy!"...)))
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte{0xFE, 0xFE, 0x09, 0xD7, 0xEB, 0xFE, 0x0D})
	f.Add([]byte{0xFE, 0xFE, 0xFE, 0x1C, 0xD7, 0xFE, 0xF0, 0xFE, 0x0D, 0xFE})
	f.Add([]byte{0xFE, 0xFE, 0x09, 0x01, 0xFE, 0xFE, 0x0A, 0xFE, 0x01, 0xFE, 0x0D})
	f.Add(satel.AppendBusy(nil, [8]byte{}))
	f.Fuzz(func(t *testing.T, in []byte) {
		var d satel.Decoder
		for _, got := range decodeAll(&d, in) {
			if !bytes.Contains(in, satel.AppendFrame(nil, got.Cmd, got.Data)) {
				t.Fatalf("delivered %s % x, which was never sent", got.Cmd, got.Data)
			}
		}
		want := satel.Frame{Cmd: satel.CmdEventRecord, Data: []byte{0xFE, 0xFE, 0x0D}}
		got := decodeAll(&d, satel.AppendFrame(nil, want.Cmd, want.Data))
		require.Equal(t, []satel.Frame{want}, got)
	})
}

func BenchmarkAppendFrame(b *testing.B) {
	data := make([]byte, 32)
	buf := make([]byte, 0, satel.MaxFrameSize(len(data)))
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		buf = satel.AppendFrame(buf[:0], satel.CmdZonesViolated, data)
	}
}

func BenchmarkDecoder(b *testing.B) {
	wire := satel.AppendFrame(nil, satel.CmdZonesViolated, make([]byte, 32))
	var d satel.Decoder
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		d.Write(wire)
		if _, ok := d.Next(); !ok {
			b.Fatal("frame not decoded")
		}
	}
}
