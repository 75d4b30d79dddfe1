package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestArmingWithExitTime(t *testing.T) {
	b := setup(t)
	require.Equal(t, []string{"1008 p1 user1"}, b.do(b.Arm(1, Arming{})))
	require.Equal(t, []int{1}, b.list(satel.CmdExitTimeLong))
	require.Empty(t, b.list(satel.CmdArmed))

	b.clock.advance(9999 * time.Millisecond)
	require.Equal(t, []int{1}, b.list(satel.CmdExitTimeLong))
	require.Empty(t, b.list(satel.CmdExitTimeShort))
	b.clock.advance(time.Millisecond)
	require.Empty(t, b.list(satel.CmdExitTimeLong))
	require.Equal(t, []int{1}, b.list(satel.CmdExitTimeShort))
	require.Empty(t, b.list(satel.CmdArmed))

	b.clock.advance(10 * time.Second)
	require.Empty(t, b.list(satel.CmdExitTimeShort))
	require.Equal(t, []int{1}, b.list(satel.CmdArmed))
	require.Equal(t, []int{1}, b.list(satel.CmdArmedSuppressed))
	require.Equal(t, []string{"1008 p1 user1", "401R p1 user1"}, b.log(0))

	armedAt := b.Events(1, 0)[0]
	require.Equal(t, start.Add(20*time.Second), armedAt.HappenedAt, "at its own time, whenever somebody looks")
	require.Empty(t, b.do(b.Arm(1, Arming{})), "armed already")
}

func TestModesShowInListsOfTheirOwn(t *testing.T) {
	lists := []satel.Command{0, satel.CmdArmedMode1, satel.CmdArmedMode2, satel.CmdArmedMode3}
	events := []string{"401R p2 user1", "401R p2 user1", "441R p2 user1", "441R p2 user1"}
	for mode := range lists {
		b := setup(t)
		b.armNow(2, mode)
		for other := 1; other < len(lists); other++ {
			require.Equal(t, mode == other, len(b.list(lists[other])) == 1, "mode %d, list of %d", mode, other)
		}
		require.Equal(t, events[mode], b.log(1)[0])
		require.Equal(t, []string{"401 p2 user1"}, b.do(b.Disarm(2, 0)))
		for cmd := satel.CmdArmedSuppressed; cmd <= satel.CmdExitTimeShort; cmd++ {
			require.Empty(t, b.list(cmd), cmd)
		}
		require.Empty(t, b.list(satel.CmdArmedMode1))
		require.Empty(t, b.do(b.Disarm(2, 0)), "disarmed already")
	}
}

func TestDisarmingEndsTheExitTime(t *testing.T) {
	b := setup(t)
	b.do(b.Arm(1, Arming{}))
	require.Equal(t, []string{"401 p1 user1"}, b.do(b.Disarm(1, 0)))
	b.clock.advance(time.Minute)
	require.Empty(t, b.list(satel.CmdArmed))
	require.Empty(t, b.list(satel.CmdExitTimeLong))
}

func TestPriorityZoneStandsAgainstArming(t *testing.T) {
	b := setup(t)
	b.do(b.Violate(5))
	_, err := b.Arm(1, Arming{})
	require.ErrorIs(t, err, ErrRefused)
	require.Equal(t, satel.ResultCannotArmForce, b.order(satel.CmdArm0, DefaultCode, 1, 0, 0, 0))
	require.Equal(t, satel.ResultCannotArmForce, b.order(satel.CmdArm0, DefaultCode, 3, 0, 0, 0), "all or none")
	require.Empty(t, b.log(0))
	require.Empty(t, b.list(satel.CmdExitTimeLong))

	require.Equal(t, satel.ResultOK, b.order(satel.CmdForceArm0, DefaultCode, 1, 0, 0, 0))
	require.Equal(t, []int{5}, b.list(satel.CmdZonesBypassed), "left out until disarmed")
	b.clock.advance(time.Minute)
	require.Equal(t, []string{"1001 p1 user1", "1008 p1 user1", "401R p1 user1"}, b.log(0))
	b.do(b.Disarm(1, 0))
	require.Empty(t, b.list(satel.CmdZonesBypassed))
}

func TestWhereForceIsNotAllowed(t *testing.T) {
	b := setup(t, func(c *Config) {
		site := DefaultSite(DefaultCode)
		site.Partitions[0].NoForce = true
		site.TroublesBlockArming = true
		c.Site = &site
	})
	b.do(b.StartTrouble(TroubleBattery))
	require.Equal(t, satel.ResultCannotArm, b.order(satel.CmdArm0, DefaultCode, 1, 0, 0, 0))
	require.Equal(t, satel.ResultCannotArm, b.order(satel.CmdForceArm0, DefaultCode, 1, 0, 0, 0))
	require.Equal(t, satel.ResultCannotArmForce, b.order(satel.CmdArm0, DefaultCode, 2, 0, 0, 0))
	b.do(b.EndTrouble(TroubleBattery))
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, DefaultCode, 1, 0, 0, 0))
}

func TestZoneLeftOpenAtTheEndOfTheExitTime(t *testing.T) {
	b := setup(t)
	b.do(b.Violate(4))
	b.do(b.Arm(1, Arming{}))
	b.clock.advance(20 * time.Second)
	require.Equal(t, []string{"1008 p1 user1", "401R p1 user1", "130 p1 zone4"}, b.log(0))

	b = setup(t, func(c *Config) {
		site := DefaultSite(DefaultCode)
		site.Partitions[0].FailOnViolated = true
		c.Site = &site
	})
	b.do(b.Violate(4))
	b.do(b.Arm(1, Arming{}))
	b.clock.advance(20 * time.Second)
	require.Equal(t, []string{"1008 p1 user1", "454 p1 user1"}, b.log(0))
	require.Empty(t, b.list(satel.CmdArmed))
	require.Empty(t, b.list(satel.CmdExitTimeShort))
}

func TestArmingForgetsTheLastAlarm(t *testing.T) {
	b := setup(t)
	b.do(b.Violate(8))
	b.do(b.RestoreZone(8))
	b.clock.advance(time.Hour)
	require.Equal(t, []int{1}, b.list(satel.CmdPartitionsFireAlarmMemory))
	b.do(b.Arm(1, Arming{}))
	require.Empty(t, b.list(satel.CmdPartitionsFireAlarmMemory))
	require.Empty(t, b.list(satel.CmdPartitionsAlarmMemory))
	require.Empty(t, b.list(satel.CmdZonesAlarmMemory))
}

func TestDisarmingLeavesTheAlarmStanding(t *testing.T) {
	b := setup(t)
	b.armNow(1, 0)
	b.do(b.Violate(4))
	b.do(b.Disarm(1, 0))
	require.Equal(t, []int{1}, b.list(satel.CmdPartitionsAlarm))
	require.Equal(t, []int{1}, b.list(satel.CmdOutputs))
}

func TestDuress(t *testing.T) {
	b := setup(t, func(c *Config) {
		site := DefaultSite(DefaultCode)
		site.Users = append(site.Users, User{Number: 9, Name: "Napad", Code: "9876", Rights: AllRights, Duress: true})
		c.Site = &site
	})
	b.armNow(1, 0)
	b.readAll()
	n := uint64(len(b.Events(0, 0)))
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdDisarm, "9876", 1, 0, 0, 0))
	require.Equal(t, []string{"121 p1 user9", "401 p1 user9"}, b.log(n))
	require.Empty(t, b.list(satel.CmdPartitionsAlarm), "nothing is to be seen of it")
	require.Empty(t, b.list(satel.CmdPartitionsAlarmMemory))
}

func TestBypass(t *testing.T) {
	b := setup(t)
	zones := satel.NewBits(16, 4, 8)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdBypass, DefaultCode, zones...))
	require.Equal(t, []int{4, 8}, b.list(satel.CmdZonesBypassed))
	require.Equal(t, []string{"573 p1 zone4", "571 p1 zone8"}, b.log(0))
	require.Empty(t, b.do(b.Violate(8)), "it shows, and raises nothing")
	require.Equal(t, []int{8}, b.list(satel.CmdZonesViolated))
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdUnbypass, DefaultCode, zones...))
	require.Empty(t, b.list(satel.CmdZonesBypassed))
	require.Equal(t, []string{"573R p1 zone4", "571R p1 zone8"}, b.log(2))

	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdIsolate, DefaultCode, zones...))
	require.Equal(t, []int{4, 8}, b.list(satel.CmdZonesIsolated))
	require.Equal(t, []int{4, 8}, b.list(satel.CmdZonesBypassed))
}
