package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestTroubles(t *testing.T) {
	events := map[string]string{
		TroubleMains: "301 panel0", TroubleBattery: "302 panel0", TroubleOverload: "312 p1 panel0", TroubleBus: "333 p1 bus1",
		TroubleModule: "93 p1 expander0", TroubleModuleTamper: "145 p1 expander0", TroubleLAN: "78 keypad1",
		TroubleServer: "980 keypad1", TroubleTelephone: "351", TroubleReporting: "350", TroubleRadio: "381 p1 zone1",
		TroubleRadioBattery: "384 p1 zone1",
	}
	require.Len(t, TroubleNames(), len(events))
	for _, name := range TroubleNames() {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			kind := troubleKinds[name]
			got := b.do(b.StartTrouble(name))
			require.Equal(t, []string{events[name]}, got)
			require.Equal(t, []int{kind.bit}, b.list(kind.list))
			require.Equal(t, []int{kind.bit}, b.list(kind.memory))
			require.True(t, b.clockFlags().Trouble)
			require.True(t, b.clockFlags().TroubleMemory)
			require.Empty(t, b.do(b.StartTrouble(name)), "it is there already")

			require.Equal(t, satel.ResultAccepted, b.order(satel.CmdClearTroubles, DefaultCode))
			require.Equal(t, []int{kind.bit}, b.list(kind.memory), "what is still there is remembered")

			ended, err := b.EndTrouble(name)
			require.NoError(t, err)
			require.Len(t, ended, 1)
			require.True(t, ended[0].Record.Restore())
			require.Equal(t, kind.code, ended[0].Record.Code())
			require.False(t, b.clockFlags().Trouble)
			require.True(t, b.clockFlags().TroubleMemory)

			b.order(satel.CmdClearTroubles, DefaultCode)
			require.Empty(t, b.list(kind.memory))
			require.False(t, b.clockFlags().TroubleMemory)
			require.Empty(t, b.do(b.EndTrouble(name)))
		})
	}
	_, err := setup(t).StartTrouble("gremlins")
	require.ErrorIs(t, err, ErrNotFound)
}

func (b *bench) clockFlags() satel.Clock {
	b.t.Helper()
	clock, err := satel.ParseClock(b.ask(satel.CmdClock).Data)
	require.NoError(b.t, err)
	return clock
}

func TestMainsDelay(t *testing.T) {
	b := setup(t, func(c *Config) {
		site := DefaultSite(DefaultCode)
		site.MainsDelay = 10 * time.Minute
		c.Site = &site
	})
	require.Empty(t, b.do(b.StartTrouble(TroubleMains)))
	require.True(t, b.clockFlags().Trouble)
	require.False(t, b.clockFlags().TroubleMemory)
	require.Empty(t, b.do(b.EndTrouble(TroubleMains)), "too short to be recorded")
	b.do(b.StartTrouble(TroubleMains))
	b.clock.advance(10 * time.Minute)
	require.Equal(t, []string{"301 panel0"}, b.log(0))
	require.True(t, b.clockFlags().TroubleMemory)
}
