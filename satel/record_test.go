package satel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

func warsaw(t require.TestingT) *time.Location {
	loc, err := time.LoadLocation("Europe/Warsaw")
	require.NoError(t, err)
	return loc
}

func record(t require.TestingT, f satel.RecordFields) satel.Record {
	r, err := satel.NewRecord(f)
	require.NoError(t, err)
	return r
}

func TestRecordKeepsItsFields(t *testing.T) {
	t.Parallel()
	loc := warsaw(t)
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(1_000_000_000, 4_000_000_000).Draw(t, "now"), 0).In(loc)
		ago := time.Duration(rapid.Int64Range(-60, 3*365*24*60).Draw(t, "minutes ago")) * time.Minute
		at := now.Add(-ago).Truncate(time.Minute)
		f := satel.RecordFields{
			At: at, Class: satel.Class(rapid.IntRange(0, 7).Draw(t, "class")),
			Code: rapid.IntRange(0, 1023).Draw(t, "code"), Restore: rapid.Bool().Draw(t, "restore"),
			Partition: rapid.IntRange(1, 32).Draw(t, "partition"), Source: rapid.IntRange(0, 255).Draw(t, "source"),
			Object: rapid.IntRange(1, 8).Draw(t, "object"), UserControl: rapid.IntRange(0, 31).Draw(t, "user control"),
			Station1: satel.StationStatus(rapid.IntRange(0, 3).Draw(t, "station 1")),
			Station2: satel.StationStatus(rapid.IntRange(0, 3).Draw(t, "station 2")),
		}
		r := record(t, f)
		require.True(t, r.Present() && r.HasEvent())
		got := satel.RecordFields{
			At: at, Class: r.Class(), Code: r.Code(), Restore: r.Restore(), Partition: r.Partition(),
			Source: r.Source(), Object: r.Object(), UserControl: r.UserControl(), Station1: r.Station1(),
			Station2: r.Station2(),
		}
		require.Equal(t, f, got)
		// The wall time is what a record has: of the hour that comes twice, either instant will do.
		require.Equal(t, at.Format(time.DateTime), r.Resolve(now, loc).Format(time.DateTime))
		changed := f
		changed.Station1, changed.Station2 = satel.StationSent, satel.StationNotReported
		require.Equal(t, r.Masked(), record(t, changed).Masked())
	})
}

func TestRecordRefusesFieldsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]satel.RecordFields{
		"class": {Class: 8}, "code": {Code: 1024}, "negative code": {Code: -1}, "partition": {Partition: 33},
		"negative partition": {Partition: -1}, "source": {Source: 256}, "object": {Object: 9},
		"user control": {UserControl: 32}, "station": {Station1: 4},
	} {
		_, err := satel.NewRecord(f)
		require.ErrorIs(t, err, satel.ErrValue, name)
	}
}

func TestImpossibleDatesResolveToNothing(t *testing.T) {
	t.Parallel()
	loc := warsaw(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, loc)
	valid := record(t, satel.RecordFields{At: now})
	for name, change := range map[string]func(*satel.Record){
		"empty":            func(r *satel.Record) { *r = satel.Record{} },
		"month 0":          func(r *satel.Record) { r[2] &= 0x0F },
		"month 13":         func(r *satel.Record) { r[2] = r[2]&0x0F | 13<<4 },
		"day 0":            func(r *satel.Record) { r[1] &= 0xE0 },
		"minute 1440":      func(r *satel.Record) { r[2], r[3] = r[2]&0xF0|5, 0xA0 },
		"31 November":      func(r *satel.Record) { r[1] |= 31 },
		"29 February 2025": func(r *satel.Record) { r[0], r[1], r[2] = r[0]&0x3F|1<<6, 29, 2<<4 },
	} {
		r := valid
		change(&r)
		require.True(t, r.Resolve(now, loc).IsZero(), name)
	}
	require.Equal(t, now, valid.Resolve(now, loc))
}

func TestPanelClockAheadAtNewYear(t *testing.T) {
	t.Parallel()
	loc := warsaw(t)
	ahead := time.Date(2027, 1, 1, 0, 3, 0, 0, loc)
	r := record(t, satel.RecordFields{At: ahead})
	require.Equal(t, ahead, r.Resolve(ahead.Add(-5*time.Minute), loc))
	require.Equal(t, 2023, r.Resolve(ahead.AddDate(0, 0, -3), loc).Year())
}

func TestSourcesOfSmallAndLargePanels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		model  string
		source satel.Source
		number int
		high   int
	}{
		{"INTEGRA 24", satel.Source{Kind: satel.SourcePanel}, 0, 0},
		{"INTEGRA 24", satel.Source{Kind: satel.SourceZone, Index: 24}, 24, 0},
		{"INTEGRA 24", satel.Source{Kind: satel.SourceKeypad, Index: 3}, 196, 0},
		{"INTEGRA 24", satel.Source{Kind: satel.SourceGuardX, Index: 0}, 197, 0},
		{"INTEGRA 24", satel.Source{Kind: satel.SourceDloadX}, 201, 0},
		{"INTEGRA 24", satel.Source{Kind: satel.SourceModem}, 202, 0},
		{"INTEGRA 128", satel.Source{Kind: satel.SourceKeypad, Index: 7}, 200, 0},
		{"INTEGRA 128", satel.Source{Kind: satel.SourceGuardX, Index: 7}, 208, 0},
		{"INTEGRA 128", satel.Source{Kind: satel.SourceDloadX}, 209, 0},
		{"INTEGRA 128", satel.Source{Kind: satel.SourceModem}, 210, 0},
		{"INTEGRA 128", satel.Source{Kind: satel.SourceExpander, Index: 63}, 192, 0},
		{"INTEGRA 256 PLUS", satel.Source{Kind: satel.SourceZone, Index: 128}, 128, 0},
		{"INTEGRA 256 PLUS", satel.Source{Kind: satel.SourceZone, Index: 129}, 1, 1},
		{"INTEGRA 256 PLUS", satel.Source{Kind: satel.SourceZone, Index: 256}, 128, 1},
	} {
		m, ok := satel.ModelByName(tc.model)
		require.True(t, ok)
		number, high, err := satel.SourceNumber(tc.source, m)
		require.NoError(t, err)
		require.Equal(t, []int{tc.number, tc.high}, []int{number, high}, "%s %v", tc.model, tc.source)
		r := record(t, satel.RecordFields{Code: 301, Class: satel.ClassTrouble, Source: number, UserControl: high})
		require.Equal(t, tc.source, r.Decode(m).Source, "%s %v", tc.model, tc.source)
	}
	m, _ := satel.ModelByName("INTEGRA 24")
	for _, s := range []satel.Source{
		{Kind: satel.SourceZone, Index: 25},
		{Kind: satel.SourceZone},
		{Kind: satel.SourceKeypad, Index: 4},
		{Kind: satel.SourceExpander, Index: 32},
		{Kind: satel.SourcePanel, Index: 1},
		{Kind: satel.SourceIP},
		{Kind: "x"},
	} {
		_, _, err := satel.SourceNumber(s, m)
		require.ErrorIs(t, err, satel.ErrValue, "%v", s)
	}
}

func TestEventsReadByTheirKind(t *testing.T) {
	t.Parallel()
	m, _ := satel.ModelByName("INTEGRA 128")
	decode := func(code int, restore bool, p, source, last int) satel.Event {
		return record(t, satel.RecordFields{
			Code: code, Restore: restore, Partition: p, Source: source, Object: last>>5 + 1, UserControl: last & 31,
		}).Decode(m)
	}
	t.Run("partition keypad takes the restore bit as part of its address", func(t *testing.T) {
		t.Parallel()
		e := decode(2, true, 5, 9, 0)
		require.True(t, e.Known)
		require.False(t, e.Restore)
		require.Equal(t, 10, e.PartitionKeypad)
		require.Zero(t, e.Partition)
		require.Equal(t, satel.Source{Kind: satel.SourceUser, Index: 9}, e.Source)
	})
	t.Run("network address in two records", func(t *testing.T) {
		t.Parallel()
		first, second := decode(0x38, false, 3, 192, 168), decode(0x32, false, 1, 1, 20)
		require.Equal(t, satel.Source{Kind: satel.SourceIP, Index: 192<<8 | 168}, first.Source)
		require.Equal(t, 2, first.KeypadAddress)
		require.Equal(t, satel.Source{Kind: satel.SourceIP, Index: 1<<8 | 20}, second.Source)
	})
	t.Run("data bus", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, satel.Source{Kind: satel.SourceBus, Index: 2}, decode(0x14D, false, 1, 2, 0).Source)
		require.Equal(t, satel.Source{Kind: satel.SourceExpander, Index: 1}, decode(0x14D, false, 1, 130, 0).Source)
	})
	t.Run("user by telephone", func(t *testing.T) {
		t.Parallel()
		var found bool
		for _, info := range satel.Events() {
			if info.LongKind != satel.KindUserByPhone {
				continue
			}
			found = true
			require.Equal(t, 3, decode(info.Code, info.Restore, 4, 7, 0).Telephone)
		}
		require.True(t, found)
	})
	t.Run("missing restore is read as its event", func(t *testing.T) {
		t.Parallel()
		_, ok := satel.LookupEvent(602, true)
		require.False(t, ok)
		e := decode(121, true, 4, 240, 0)
		require.False(t, e.Known)
		require.True(t, e.Readable)
		require.True(t, e.Restore)
		require.Equal(t, 4, e.Partition)
	})
	t.Run("unknown code keeps its raw fields", func(t *testing.T) {
		t.Parallel()
		unknown := -1
		for code := range 1024 {
			_, plain := satel.LookupEvent(code, false)
			_, restore := satel.LookupEvent(code, true)
			if !plain && !restore {
				unknown = code
				break
			}
		}
		require.NotEqual(t, -1, unknown)
		e := decode(unknown, false, 4, 7, 0)
		require.False(t, e.Known || e.Readable)
		require.Equal(t, unknown, e.Code)
		require.Equal(t, satel.Source{}, e.Source)
	})
}

func TestLogEntryNeedsItsLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 13, 15} {
		_, err := satel.ParseLogEntry(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte{0xBF, 0x17, 0xB0, 0x89, 0x08, 0x82, 0x05, 0x00}, int64(1_795_000_000), byte(3))
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, int64(0), byte(72))
	f.Add([]byte{0x30, 0x3D, 0x20, 0x00, 0x00, 0x79, 0xF0, 0xFF}, int64(4_107_542_400), byte(0))
	f.Fuzz(func(t *testing.T, raw []byte, now int64, model byte) {
		if len(raw) < 8 {
			return
		}
		r := satel.Record(raw[:8])
		m, _ := satel.ModelByCode(model)
		e := r.Decode(m)
		clock := time.Unix(now%(1<<33), 0)
		at := r.Resolve(clock, time.UTC)
		if at.IsZero() {
			return
		}
		if tomorrow := clock.UTC().AddDate(0, 0, 1); at.After(tomorrow.Truncate(24*time.Hour).AddDate(0, 0, 1)) {
			t.Fatalf("%s resolves to %s, later than the day after %s", r, at, clock)
		}
		again := record(t, satel.RecordFields{
			At: at, Class: e.Class, Code: e.Code, Restore: r.Restore(), Partition: r.Partition(), Source: r.Source(),
			Object: e.Object, UserControl: e.UserControl, Station1: r.Station1(), Station2: r.Station2(),
		})
		if r.Present() {
			require.Equal(t, r, again)
		}
	})
}
