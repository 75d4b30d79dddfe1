package sim

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

func capacity(n int) func(*Config) { return func(c *Config) { c.LogCapacity = n } }

// numbered is a record that can be told from others by its source.
func numbered(t require.TestingT, n int) satel.Record {
	r, err := satel.NewRecord(satel.RecordFields{
		At: start, Class: satel.ClassZoneAlarm, Code: codeBurglary, Partition: n/128%32 + 1, Source: n%128 + 1,
	})
	require.NoError(t, err)
	return r
}

// walk reads the memory from the newest record to its end, as a client does.
func walk(p *Panel) (records []satel.Record, indexes []satel.Index) {
	entry := p.ReadLog(satel.NewestIndex)
	for entry.Record.Present() {
		records = append(records, entry.Record.Masked())
		indexes = append(indexes, entry.Index)
		entry = p.ReadLog(entry.Index)
	}
	return records, indexes
}

func TestWalkReadsTheMemoryBackwards(t *testing.T) {
	b := setup(t, capacity(12))
	require.Equal(t, satel.LogEntry{Called: satel.NewestIndex}, b.ReadLog(satel.NewestIndex), "an empty memory")

	for n := range 12 {
		e := b.Record(numbered(t, n))
		require.EqualValues(t, n+1, e.Sequence)
	}
	records, indexes := walk(b.Panel)
	require.Len(t, records, 12)
	for i, r := range records {
		require.Equal(t, numbered(t, 11-i).Masked(), r)
		require.Equal(t, indexes[0][2], indexes[i][2], "the low byte is the panel's own")
	}
	newest, older := indexes[0], indexes[1]
	step := (int(newest[0])<<16 | int(newest[1])<<8) - (int(older[0])<<16 | int(older[1])<<8)
	require.Equal(t, 0x800, step)

	end := b.ReadLog(indexes[11])
	require.Equal(t, satel.LogEntry{Called: indexes[11]}, end, "behind the oldest record")
	require.False(t, b.ReadLog(satel.NewestGradeIndex).Record.Present())
	wrong := newest
	wrong[2]++
	require.False(t, b.ReadLog(wrong).Record.Present(), "an index of another panel names nothing")
}

func TestIndexNamesAPlaceNotARecord(t *testing.T) {
	b := setup(t, capacity(12))
	first := b.Record(numbered(t, 0))
	second := b.Record(numbered(t, 1))
	require.Equal(t, first.Record, b.ReadLog(second.Index).Record)

	for n := 2; n < 14; n++ { // 13 places: the record after the last place lies where the first one lay
		b.Record(numbered(t, n))
	}
	again := b.Events(13, 0)[0]
	require.Equal(t, first.Index, again.Index)
	require.NotEqual(t, first.Record, again.Record)
	require.Equal(t, numbered(t, 12).Masked(), b.ReadLog(first.Index).Record.Masked())
	require.Equal(t, 12, b.Held())
}

func TestEraseBeginsANewMemory(t *testing.T) {
	b := setup(t, capacity(12))
	old := b.Record(numbered(t, 0))
	b.Record(numbered(t, 1))
	mark := b.EraseMemory()
	require.EqualValues(t, 3, mark.Sequence)
	require.Equal(t, old.Index, mark.Index, "places are counted anew")
	require.Equal(t, codeMemoryErased, mark.Record.Code())
	records, _ := walk(b.Panel)
	require.Len(t, records, 1)
	require.Len(t, b.Events(0, 0), 3, "the journal forgets nothing")
}

func TestLargestMemoryHasDistinctIndexes(t *testing.T) {
	b := setup(t)
	r := numbered(t, 0)
	for range b.Model().LogSize + 10 {
		b.Record(r)
	}
	_, indexes := walk(b.Panel)
	require.Len(t, indexes, b.Model().LogSize)
	seen := map[satel.Index]bool{}
	for _, i := range indexes {
		require.False(t, seen[i], "index %s comes twice", i)
		require.NotContains(t, []satel.Index{satel.NewestIndex, satel.NewestGradeIndex, {}}, i)
		seen[i] = true
	}
}

// The memory, read by walking, is always the newest records of what was written since the last erase.
func TestMemoryIsTheTailOfItsJournal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 40).Draw(rt, "size")
		p, err := New(Config{LogCapacity: size, Now: (&handClock{now: start}).Now, LogDelay: -1})
		require.NoError(rt, err)
		var model []satel.Record
		written := 0
		rt.Repeat(map[string]func(*rapid.T){
			"record": func(rt *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(rt, "n") {
					r := numbered(rt, written)
					p.Record(r)
					model = append(model, r.Masked())
					written++
				}
			},
			"erase": func(*rapid.T) {
				model = []satel.Record{p.EraseMemory().Record.Masked()}
				written++
			},
			"": func(rt *rapid.T) {
				if len(model) > size {
					model = model[len(model)-size:]
				}
				records, _ := walk(p)
				require.Len(rt, records, len(model))
				for i, r := range records {
					require.Equal(rt, model[len(model)-1-i], r)
				}
				require.Len(rt, p.Events(0, 0), written)
			},
		})
	})
}
