package sim

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

// Whatever happens to a panel, what it shows fits together and its journal is in order.
func TestPanelStaysConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := &handClock{now: start}
		p, err := New(Config{LogDelay: time.Second, LogCapacity: 20, Now: clock.Now, Seed: rapid.Uint64().Draw(rt, "seed")})
		require.NoError(rt, err)
		zone, part := rapid.IntRange(1, 16), rapid.IntRange(1, 2)
		trouble := rapid.SampledFrom(TroubleNames())
		must := func(_ []Event, err error) { require.NoError(rt, err) }
		rt.Repeat(map[string]func(*rapid.T){
			"violate": func(rt *rapid.T) { must(p.Violate(zone.Draw(rt, "zone"))) },
			"restore": func(rt *rapid.T) { must(p.RestoreZone(zone.Draw(rt, "zone"))) },
			"tamper":  func(rt *rapid.T) { must(p.Tamper(zone.Draw(rt, "zone"))) },
			"arm": func(rt *rapid.T) {
				must(p.Arm(part.Draw(rt, "part"), Arming{Mode: rapid.IntRange(0, 3).Draw(rt, "mode"), Force: true}))
			},
			"disarm":  func(rt *rapid.T) { must(p.Disarm(part.Draw(rt, "part"), 0)) },
			"clear":   func(rt *rapid.T) { must(p.ClearAlarm(part.Draw(rt, "part"), 0)) },
			"panic":   func(rt *rapid.T) { must(p.Panic(part.Draw(rt, "part"))) },
			"trouble": func(rt *rapid.T) { must(p.StartTrouble(trouble.Draw(rt, "name"))) },
			"ended":   func(rt *rapid.T) { must(p.EndTrouble(trouble.Draw(rt, "name"))) },
			"erase":   func(*rapid.T) { p.EraseMemory() },
			"restart": func(*rapid.T) { p.Restart() },
			"wait": func(rt *rapid.T) {
				clock.advance(time.Duration(rapid.IntRange(1, 60_000).Draw(rt, "ms")) * time.Millisecond)
			},
			"request": func(rt *rapid.T) {
				p.Answer(satel.Frame{
					Cmd:  satel.Command(rapid.Byte().Draw(rt, "cmd")),
					Data: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "data"),
				})
			},
			"": func(rt *rapid.T) {
				requireConsistent(rt, p)
				requireOrdered(rt, p.Events(0, 0))
			},
		})
	})
}

func requireConsistent(t require.TestingT, p *Panel) {
	list := func(cmd satel.Command) satel.Bits {
		answer, ok := p.Answer(satel.Frame{Cmd: cmd})
		require.True(t, ok)
		return answer.Data
	}
	violated := map[int]bool{}
	for _, z := range p.State().Zones {
		if z.Violated {
			violated[z.Partition] = true
		}
		require.False(t, z.Alarm && !z.AlarmMemory, "zone %d in alarm without its memory", z.Number)
	}
	for _, part := range p.State().Partitions {
		n := part.Number
		require.Equal(t, violated[n], list(satel.CmdPartitionsViolated).Has(n))
		require.Equal(t, part.Phase == "armed", list(satel.CmdArmed).Has(n))
		exits := list(satel.CmdExitTimeLong).Has(n) || list(satel.CmdExitTimeShort).Has(n)
		require.Equal(t, part.Phase == "exit", exits)
		require.False(t, part.EntryTime && part.Phase != "armed")
		require.False(t, part.Alarm && !part.AlarmMemory)
		modes := 0
		for _, cmd := range []satel.Command{satel.CmdArmedMode1, satel.CmdArmedMode2, satel.CmdArmedMode3} {
			if list(cmd).Has(n) {
				modes++
			}
		}
		require.LessOrEqual(t, modes, 1)
		require.False(t, modes == 1 && part.Phase != "armed")
	}
}

func requireOrdered(t require.TestingT, events []Event) {
	for i, e := range events {
		require.EqualValues(t, i+1, e.Sequence)
		require.False(t, e.RecordedAt.Before(e.HappenedAt))
		require.LessOrEqual(t, e.RecordedAt.Sub(e.HappenedAt), time.Second, "within the log delay")
		if i > 0 {
			require.False(t, e.RecordedAt.Before(events[i-1].RecordedAt), "written in order")
			require.False(t, e.HappenedAt.Before(events[i-1].HappenedAt), "in the order of what happened")
		}
	}
}

func TestPanelMayBeUsedByMany(t *testing.T) {
	b := setup(t, func(c *Config) { c.Now, c.LogDelay = time.Now, time.Millisecond })
	var users sync.WaitGroup
	for user := range 8 {
		users.Go(func() {
			for i := range 100 {
				_, _ = b.Violate(user + 1) // both always succeed
				b.Answer(satel.Frame{Cmd: satel.CmdZonesAlarm})
				_, _ = b.RestoreZone(user + 1)
				b.ReadLog(satel.NewestIndex)
				if i%10 == 0 {
					b.State()
					b.Connections()
					b.Restart()
				}
			}
		})
	}
	users.Wait()
	events := b.Events(0, 0)
	for i, e := range events {
		require.EqualValues(t, i+1, e.Sequence)
	}
	require.Empty(t, b.list(satel.CmdZonesViolated))
}
