package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// armNow arms a partition and lets its exit time pass.
func (b *bench) armNow(partition, mode int) {
	b.t.Helper()
	b.do(b.Arm(partition, Arming{Mode: mode}))
	b.clock.advance(21 * time.Second)
	require.Contains(b.t, b.list(satel.CmdArmed), partition)
}

func TestZoneViolatedWhileDisarmedOnlyShows(t *testing.T) {
	b := setup(t)
	require.Empty(t, b.do(b.Violate(4)))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesViolated))
	require.Equal(t, []int{1}, b.list(satel.CmdPartitionsViolated))
	require.Empty(t, b.list(satel.CmdZonesAlarm))
	require.Empty(t, b.do(b.RestoreZone(4)))
	require.Empty(t, b.list(satel.CmdZonesViolated))
	require.Empty(t, b.list(satel.CmdPartitionsViolated))
}

func TestInstantZoneAlarm(t *testing.T) {
	b := setup(t)
	b.armNow(1, 0)
	require.Equal(t, []string{"130 p1 zone4"}, b.do(b.Violate(4)))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesViolated))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesAlarm))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesAlarmMemory))
	for _, cmd := range []satel.Command{
		satel.CmdPartitionsViolated, satel.CmdPartitionsAlarm, satel.CmdPartitionsAlarmMemory,
	} {
		require.Equal(t, []int{1}, b.list(cmd), cmd)
	}
	require.Empty(t, b.list(satel.CmdPartitionsFireAlarm))
	require.Equal(t, []int{1, 4}, b.list(satel.CmdOutputs), "the outer siren, and the lamp for armed")

	require.Equal(t, []string{"130R p1 zone4"}, b.do(b.RestoreZone(4)))
	require.Empty(t, b.list(satel.CmdZonesViolated))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesAlarm), "stays until the siren time is over")

	b.clock.advance(DefaultSirenTime)
	require.Empty(t, b.list(satel.CmdZonesAlarm))
	require.Empty(t, b.list(satel.CmdPartitionsAlarm))
	require.Equal(t, []int{4}, b.list(satel.CmdOutputs))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesAlarmMemory))
	require.Equal(t, []int{1}, b.list(satel.CmdPartitionsAlarmMemory))
}

func TestSwingingDetectorRecordsEveryViolation(t *testing.T) {
	b := setup(t)
	b.armNow(1, 0)
	after := b.Events(0, 0)
	for range 3 {
		b.do(b.Violate(6))
		b.do(b.Violate(6)) // it is open already
		b.do(b.RestoreZone(6))
	}
	require.Equal(t, []string{
		"130 p1 zone6", "130R p1 zone6", "130 p1 zone6", "130R p1 zone6", "130 p1 zone6", "130R p1 zone6",
	}, b.log(uint64(len(after))))
}

func TestEntryTime(t *testing.T) {
	b := setup(t)
	b.armNow(1, 0)
	require.Empty(t, b.do(b.Violate(1)))
	require.Equal(t, []int{1}, b.list(satel.CmdEntryTime))
	require.Equal(t, []int{1}, b.list(satel.CmdArmed))
	require.Empty(t, b.do(b.Violate(2)), "the way from the door to the keypad is free")
	b.do(b.RestoreZone(2))
	require.Equal(t, []string{"131 p1 zone3"}, b.do(b.Violate(3)), "other zones are not")

	n := uint64(len(b.Events(0, 0)))
	b.clock.advance(29 * time.Second)
	require.Empty(t, b.log(n))
	b.clock.advance(time.Second)
	require.Equal(t, []string{"134 p1 zone1"}, b.log(n))
	require.Empty(t, b.list(satel.CmdEntryTime))
	require.Equal(t, []string{"134R p1 zone1"}, b.do(b.RestoreZone(1)))
	require.Equal(t, []string{"132 p1 zone2"}, b.do(b.Violate(2)), "without entry time the interior alarms")
}

func TestDisarmingEndsTheEntryTime(t *testing.T) {
	b := setup(t)
	b.armNow(1, 0)
	b.do(b.Violate(1))
	require.Equal(t, []string{"401 p1 user1"}, b.do(b.Disarm(1, 0)))
	n := uint64(len(b.Events(0, 0)))
	b.clock.advance(time.Hour)
	require.Empty(t, b.log(n))
	require.Empty(t, b.list(satel.CmdEntryTime))
	require.Empty(t, b.list(satel.CmdZonesAlarm))
}

func TestStayModesLeaveOutInteriorAndDelay(t *testing.T) {
	b := setup(t)
	b.armNow(1, 2)
	require.Empty(t, b.do(b.Violate(2)))
	require.Empty(t, b.do(b.Violate(1)))
	require.Equal(t, []int{1}, b.list(satel.CmdEntryTime))

	b = setup(t)
	b.armNow(1, 3)
	require.Empty(t, b.do(b.Violate(2)))
	require.Equal(t, []string{"134 p1 zone1"}, b.do(b.Violate(1)), "mode 3 has no entry time")
}

func TestZonesThatAlarmAtAnyTime(t *testing.T) {
	for name, c := range map[string]struct {
		zone    int
		event   string
		part    int
		fire    bool
		outputs []int
	}{
		"silent panic":   {7, "122 p1 zone7", 1, false, []int{3}},
		"smoke":          {8, "111 p1 zone8", 1, true, []int{1}},
		"gas":            {13, "151 p2 zone13", 2, false, []int{}},
		"audible panic":  {14, "123 p2 zone14", 2, false, []int{1, 2}},
		"tamper circuit": {15, "137 p1 zone15", 1, false, []int{1}},
		"water":          {16, "154 p2 zone16", 2, false, []int{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			require.Equal(t, []string{c.event}, b.do(b.Violate(c.zone)))
			require.Equal(t, []int{c.zone}, b.list(satel.CmdZonesAlarm))
			require.Equal(t, []int{c.part}, b.list(satel.CmdPartitionsAlarm))
			require.Equal(t, []int{c.part}, b.list(satel.CmdPartitionsAlarmMemory))
			require.Equal(t, c.fire, len(b.list(satel.CmdPartitionsFireAlarm)) == 1)
			require.Equal(t, c.fire, len(b.list(satel.CmdPartitionsFireAlarmMemory)) == 1)
			require.Equal(t, c.outputs, b.list(satel.CmdOutputs))
		})
	}
}

func TestTamper(t *testing.T) {
	b := setup(t)
	require.Equal(t, []string{"144 p1 zone4"}, b.do(b.Tamper(4)))
	for _, cmd := range []satel.Command{
		satel.CmdZonesTampered, satel.CmdZonesTamperAlarm, satel.CmdZonesTamperAlarmMemory,
	} {
		require.Equal(t, []int{4}, b.list(cmd), cmd)
	}
	require.Equal(t, []int{1}, b.list(satel.CmdPartitionsAlarm))
	require.Equal(t, []string{"144R p1 zone4"}, b.do(b.RestoreZone(4)))
	require.Empty(t, b.list(satel.CmdZonesTampered))
	require.Equal(t, []int{4}, b.list(satel.CmdZonesTamperAlarmMemory))
}

func TestKeypadPanic(t *testing.T) {
	b := setup(t)
	require.Equal(t, []string{"120 p2 keypad0"}, b.do(b.Panic(2)))
	require.Equal(t, []int{2}, b.list(satel.CmdPartitionsAlarm))
	require.Equal(t, []int{2}, b.list(satel.CmdPartitionsAlarmMemory))
}

func TestClearAlarm(t *testing.T) {
	b := setup(t)
	b.do(b.Violate(8))
	b.do(b.Tamper(4))
	require.Equal(t, []string{"406 p1 user1"}, b.do(b.ClearAlarm(1, 0)))
	for cmd := satel.CmdZonesAlarm; cmd <= satel.CmdZonesTamperAlarmMemory; cmd++ {
		require.Empty(t, b.list(cmd), cmd)
	}
	for cmd := satel.CmdPartitionsAlarm; cmd <= satel.CmdOutputs; cmd++ {
		require.Empty(t, b.list(cmd), cmd)
	}
	require.Equal(t, []int{8}, b.list(satel.CmdZonesViolated))
	require.Empty(t, b.do(b.ClearAlarm(1, 0)), "nothing is left to be cleared")
}

func TestTechnicalZoneIsATrouble(t *testing.T) {
	b := setup(t, func(c *Config) {
		site := DefaultSite("1234")
		site.Zones = append(site.Zones, Zone{Number: 20, Name: "Zasilacz", Partition: 1, Reaction: MainsLost})
		c.Site = &site
	})
	require.Equal(t, []string{"301 zone20"}, b.do(b.Violate(20)))
	require.Equal(t, []int{20}, b.list(satel.CmdTroubles1))
	require.Empty(t, b.list(satel.CmdPartitionsAlarm))
	require.Equal(t, []string{"301R zone20"}, b.do(b.RestoreZone(20)))
	require.Empty(t, b.list(satel.CmdTroubles1))
	require.Equal(t, []int{20}, b.list(satel.CmdTroublesMemory1))
}

func TestZonesAbove128(t *testing.T) {
	b := setup(t, func(c *Config) {
		c.Model = "INTEGRA 256 PLUS"
		site := DefaultSite("1234")
		site.Zones = append(site.Zones, Zone{Number: 200, Name: "Smoke", Partition: 1, Reaction: Fire24h})
		c.Site = &site
	})
	require.Equal(t, []string{"110 p1 zone200"}, b.do(b.Violate(200)))
	require.Empty(t, b.list(satel.CmdZonesAlarm), "the short form ends at 128")
	require.Equal(t, []int{200}, satel.Bits(b.ask(satel.CmdZonesAlarm, 0).Data).Numbers())
}

func TestTechnicalZoneAbove128(t *testing.T) {
	b := setup(t, func(c *Config) {
		c.Model = "INTEGRA 256 PLUS"
		site := DefaultSite("1234")
		site.Zones = append(site.Zones, Zone{Number: 130, Name: "Zasilacz", Partition: 1, Reaction: MainsLost})
		c.Site = &site
	})
	b.do(b.Violate(130))
	require.Equal(t, []int{2, 130}, b.list(satel.CmdTroubles7))
	require.True(t, b.clockFlags().Trouble)
	b.do(b.RestoreZone(130))
	require.False(t, b.clockFlags().Trouble)
	require.True(t, b.clockFlags().TroubleMemory)
	b.order(satel.CmdClearTroubles, DefaultCode)
	require.Empty(t, b.list(satel.CmdTroubles7))
}

func TestUnknownZone(t *testing.T) {
	_, err := setup(t).Violate(99)
	require.ErrorIs(t, err, ErrNotFound)
}

// Every reaction of the panel has a use of its violations that fits its alarm event.
func TestEveryReactionIsHandled(t *testing.T) {
	for code := range 98 {
		reaction := Reaction(code)
		_, alarms := satel.ZoneReactionAlarmEvent(byte(code))
		switch reaction.behaviour() {
		case passive:
		default:
			require.True(t, alarms, "reaction %d has no event", code)
		}
		site := DefaultSite("1234")
		site.Zones = []Zone{{Number: 1, Name: "Z", Partition: 1, Reaction: reaction}}
		b := setup(t, func(c *Config) { c.Site = &site })
		b.armNow(1, 0)
		b.do(b.Violate(1))
		b.clock.advance(time.Minute)
		b.do(b.RestoreZone(1))
		require.Empty(t, b.list(satel.CmdZonesViolated))
		last := len(b.Events(0, 0))
		require.Equal(t, reaction.behaviour() != passive, last > 2, "reaction %d", code)
	}
}
