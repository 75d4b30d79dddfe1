package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestRecordFollowsItsStateBits(t *testing.T) {
	b := setup(t, func(c *Config) { c.LogDelay = DefaultLogDelay })
	events, err := b.Violate(8)
	require.NoError(t, err)
	require.Equal(t, []int{8}, b.list(satel.CmdZonesAlarm))
	require.False(t, b.ReadLog(satel.NewestIndex).Record.Present(), "not there yet")
	require.Greater(t, events[0].RecordedAt, start)
	require.LessOrEqual(t, events[0].RecordedAt.Sub(start), DefaultLogDelay)

	b.clock.advance(DefaultLogDelay)
	newest, ok := b.Newest()
	require.True(t, ok)
	require.Equal(t, events[0], newest, "sequence, index and record were known before")
	require.Equal(t, events[0].Index, b.ReadLog(satel.NewestIndex).Index)
}

func TestRecordsKeepTheOrderOfWhatHappened(t *testing.T) {
	b := setup(t, func(c *Config) { c.LogDelay = time.Second })
	var want []string
	for range 20 {
		want = append(want, b.do(b.Violate(8))...)
		want = append(want, b.do(b.RestoreZone(8))...)
		b.clock.advance(50 * time.Millisecond)
	}
	b.clock.advance(time.Second)
	require.Equal(t, want, b.log(0))
}

func TestSameSeedSameDelays(t *testing.T) {
	times := func(seed uint64) []time.Time {
		b := setup(t, func(c *Config) { c.LogDelay, c.Seed = time.Second, seed })
		var out []time.Time
		for range 5 {
			events, err := b.Violate(8)
			require.NoError(t, err)
			out = append(out, events[0].RecordedAt)
			b.do(b.RestoreZone(8))
			b.clock.advance(2 * time.Second)
		}
		return out
	}
	first, again := times(1), times(1)
	require.Equal(t, first, again)
	require.NotEqual(t, first, times(2))
}

func TestLateLog(t *testing.T) {
	b := setup(t)
	b.SetLogMode(LogLate, 5*time.Second)
	b.do(b.Violate(8))
	b.clock.advance(4999 * time.Millisecond)
	require.Empty(t, b.log(0))
	require.Equal(t, []int{8}, b.list(satel.CmdZonesAlarm))
	b.SetLogMode(LogNormal, 0)
	b.do(b.StartTrouble(TroubleMains))
	require.Empty(t, b.log(0), "nothing overtakes the late record")
	b.clock.advance(time.Millisecond)
	require.Equal(t, []string{"111 p1 zone8", "301 panel0"}, b.log(0))
}

func TestMissingLog(t *testing.T) {
	b := setup(t)
	b.SetLogMode(LogMissing, 0)
	require.Empty(t, b.do(b.Violate(8)))
	require.Equal(t, []int{8}, b.list(satel.CmdZonesAlarm))
	b.do(b.StartTrouble(TroubleMains))
	require.Equal(t, []string{"301 panel0"}, b.log(0), "only alarms are missing")
	b.SetLogMode(LogNormal, 0)
	b.do(b.Violate(13))
	require.Equal(t, []string{"301 panel0", "151 p2 zone13"}, b.log(0))
}

func TestReportingBitsFlipLater(t *testing.T) {
	b := setup(t)
	b.do(b.Violate(8))
	fresh := b.ReadLog(satel.NewestIndex).Record
	require.Equal(t, satel.StationNew, fresh.Station1())
	b.clock.advance(2*time.Second - 1)
	require.Equal(t, fresh, b.ReadLog(satel.NewestIndex).Record)
	b.clock.advance(3*time.Second + 1)
	told := b.ReadLog(satel.NewestIndex).Record
	require.Equal(t, satel.StationSent, told.Station1())
	require.Equal(t, satel.StationSent, told.Station2())
	require.NotEqual(t, fresh, told)
	require.Equal(t, fresh.Masked(), told.Masked())
	require.Equal(t, fresh, b.Events(0, 0)[0].Record, "the journal keeps what was written first")
}

func TestNewsFlags(t *testing.T) {
	b := setup(t)
	require.Len(t, b.news(), int(satel.CmdTroublesMemory8), "everything is news at first")
	b.readAll()
	require.Empty(t, b.news())
	b.do(b.Violate(4))
	require.Equal(t, []satel.Command{satel.CmdZonesViolated, satel.CmdPartitionsViolated}, b.news())
	require.Len(t, b.news(), 2, "asking takes no flag down")
	b.do(b.RestoreZone(4))
	b.list(satel.CmdPartitionsViolated)
	require.Equal(t, []satel.Command{satel.CmdZonesViolated}, b.news(), "a change and back is a change")
	b.list(satel.CmdZonesViolated)
	require.Empty(t, b.news())
	b.Restart()
	require.Len(t, b.news(), int(satel.CmdTroublesMemory8))

	require.Len(t, b.ask(satel.CmdNewData).Data, satel.NewDataShort)
	require.Len(t, b.ask(satel.CmdNewData, 0).Data, satel.NewDataMiddle)
	require.Len(t, b.ask(satel.CmdNewData, 0, 0).Data, satel.NewDataLong)
}

func TestBurst(t *testing.T) {
	b := setup(t, capacity(40))
	events, err := b.Burst(30, BurstAlarms)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, e := range events {
		require.False(t, e.Record.Restore())
		seen[e.Record.Source()] = true
	}
	require.Len(t, seen, 30, "distinct zones")
	require.Equal(t, 3, events[0].Record.Source(), "zones that alarm at once come first")
	require.Contains(t, b.list(satel.CmdZonesAlarm), 3)
	require.Equal(t, []int{1, 2}, b.list(satel.CmdPartitionsAlarm))

	b = setup(t, capacity(40))
	_, err = b.Burst(100, BurstMixed)
	require.NoError(t, err)
	require.Equal(t, 40, b.Held())
	require.Equal(t, []string{"131 p1 zone3", "131R p1 zone3", "130 p1 zone4", "130R p1 zone4"}, b.log(0)[:4])
	require.Empty(t, b.list(satel.CmdZonesViolated))

	_, err = b.Burst(0, BurstAlarms)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = b.Burst(1, "odd")
	require.ErrorIs(t, err, ErrInvalid)
}
