package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestWrongCodes(t *testing.T) {
	b := setup(t)
	require.Equal(t, satel.ResultCodeNotFound, b.order(satel.CmdArm0, "9999", 1, 0, 0, 0))
	require.Equal(t, satel.ResultCodeNotFound, b.order(satel.CmdDisarm, "9999", 1, 0, 0, 0))
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, DefaultCode, 1, 0, 0, 0), "a right one begins anew")
	n := uint64(len(b.Events(0, 0)))
	b.order(satel.CmdArm0, "9999", 1, 0, 0, 0)
	b.order(satel.CmdArm0, "9999", 1, 0, 0, 0)
	require.Empty(t, b.log(n))
	b.order(satel.CmdArm0, "9999", 1, 0, 0, 0)
	require.Equal(t, []string{"83 p1 keypad1"}, b.log(n))

	garbage := []byte{0xAB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0}
	require.Equal(t, resultFrame(satel.ResultCodeWrongOrTaken), b.ask(satel.CmdArm0, garbage...))
}

func TestRights(t *testing.T) {
	b := setup(t, func(c *Config) {
		site := DefaultSite(DefaultCode)
		site.Users = append(site.Users,
			User{Number: 2, Name: "Sprzątanie", Code: "2222", Rights: MayArm | MayUseNetwork, Partitions: []int{1}},
			User{Number: 3, Name: "Bez sieci", Code: "3333", Rights: AllRights &^ MayUseNetwork},
		)
		c.Site = &site
	})
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, "2222", 1, 0, 0, 0))
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdDisarm, "2222", 1, 0, 0, 0))
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdArm0, "2222", 2, 0, 0, 0), "not this user's partition")
	require.Equal(t, satel.ResultCodeNotFound, b.order(satel.CmdArm0, "3333", 1, 0, 0, 0))
	require.Equal(t, satel.ResultOther, b.order(satel.CmdArm0, DefaultCode, 0, 0, 0, 0x80), "no such partition")
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdUserRemove, DefaultCode, 5))
}

func TestCommandsAreRememberedWithoutCodes(t *testing.T) {
	b := setup(t)
	b.order(satel.CmdArm2, DefaultCode, 3, 0, 0, 0)
	b.clock.advance(time.Second)
	b.order(satel.CmdDisarm, "9999", 1, 0, 0, 0)
	b.order(satel.CmdBypass, DefaultCode, satel.NewBits(16, 3, 8)...)
	require.Equal(t, []CommandRecord{
		{At: start, Command: satel.CmdArm2, User: 1, Partitions: []int{1, 2}, Result: satel.ResultOK},
		{At: start.Add(time.Second), Command: satel.CmdDisarm, Result: satel.ResultCodeNotFound},
		{
			At: start.Add(time.Second), Command: satel.CmdBypass, User: 1, Zones: []int{3, 8}, Result: satel.ResultAccepted,
		},
	}, b.Commands())
}

func TestArmingSeveralPartitions(t *testing.T) {
	b := setup(t)
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, DefaultCode, 3, 0, 0, 0))
	require.Equal(t, []int{1, 2}, b.list(satel.CmdExitTimeLong))
	b.clock.advance(20 * time.Second)
	require.Equal(t, []string{"1008 p1 user1", "1008 p2 user1", "401R p1 user1", "401R p2 user1"}, b.log(0))
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, DefaultCode, 3, 0, 0, 0), "armed already")
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdDisarm, DefaultCode, 3, 0, 0, 0))
	require.Equal(t, []string{"401 p1 user1", "401 p2 user1"}, b.log(4))
}

func TestOutputs(t *testing.T) {
	b := setup(t)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdOutputsOn, DefaultCode, satel.NewBits(16, 1, 5)...))
	require.Equal(t, []int{5}, b.list(satel.CmdOutputs), "a siren is no switch, although the answer is the same")
	b.order(satel.CmdOutputsSwitch, DefaultCode, satel.NewBits(16, 5)...)
	require.Empty(t, b.list(satel.CmdOutputs))
	b.order(satel.CmdOutputsSwitch, DefaultCode, satel.NewBits(32, 5)...)
	b.order(satel.CmdOutputsOff, DefaultCode, satel.NewBits(16, 5)...)
	require.Empty(t, b.list(satel.CmdOutputs))
}

func TestSettingTheClock(t *testing.T) {
	b := setup(t)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdSetClock, DefaultCode, []byte("20300105081500")...))
	clock := b.Clock()
	require.Equal(t, "2030-01-05T08:15:00", clock.Format(clockFormat))
	require.Equal(t, []string{"625 user1", "68"}, b.log(0))
	events := b.Events(0, 0)
	require.Equal(t, 2026, events[0].PanelClock.Year())
	require.Equal(t, 2030, events[1].PanelClock.Year())
	require.Equal(t, start, events[1].HappenedAt)
	require.Equal(t, satel.ResultOther, b.order(satel.CmdSetClock, DefaultCode, []byte("20301305081500")...))
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"model":     {Config{Model: "INTEGRA 7"}, "INTEGRA 7"},
		"code":      {Config{Code: "12"}, "4 to 8 digits"},
		"time zone": {Config{TimeZone: "Mars/Olympus"}, "time zone"},
		"log":       {Config{LogCapacity: 1 << 20}, "log capacity"},
		"empty":     {Config{Site: &Site{}}, "at least one partition"},
		"partition": {Config{Site: &Site{Partitions: []Partition{{Number: 33}}}}, "partition 33"},
		"zone": {
			Config{Site: &Site{Partitions: []Partition{{Number: 1}}, Zones: []Zone{{Number: 1, Partition: 2}}}},
			"no partition 2",
		},
		"twice": {
			Config{Site: &Site{Partitions: []Partition{{Number: 1}, {Number: 1}}}}, "there twice",
		},
		"name": {
			Config{Site: &Site{Partitions: []Partition{{Number: 1, Name: "A name that is too long"}}}}, "16 characters",
		},
	} {
		_, err := New(c.cfg)
		require.ErrorContains(t, err, c.says, name)
	}
}
