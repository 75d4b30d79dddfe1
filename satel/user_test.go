package satel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

func TestOwnDataAreReadWhereTheyStand(t *testing.T) {
	t.Parallel()
	data := make([]byte, 29)
	data[0], data[1], data[2] = 4, 0x12, 0x34
	copy(data[3:], []byte{0x05, 0, 0, 0x80})
	data[7], data[8] = 0xA4, 9
	data[9], data[10], data[11] = 0x03, 0x01, 0x84
	copy(data[12:28], "Stacja          ")
	data[28] = 0x42
	s, err := satel.ParseSelf(data)
	require.NoError(t, err)
	require.Equal(t, satel.Self{
		Number: 4, Partitions: satel.NewBits(4, 1, 3, 32), Kind: satel.UserDuress, CodeNeverChanged: true, MayIsolate: true,
		Time: 9, Rights: satel.Rights{0x03, 0x01, 0x84}, Name: "Stacja", Master: true, Object: 3,
	}, s)
	require.Equal(t, []satel.Right{
		satel.RightArm, satel.RightDisarm, satel.RightBypass, satel.RightNetwork, satel.RightLatchedOutputs,
	}, s.Rights.List())
	require.True(t, s.Rights.Has(satel.RightNetwork))
	require.False(t, s.Rights.Has(satel.RightOutputs))
	require.Equal(t, "network", satel.RightNetwork.String())
	require.Equal(t, "duress", s.Kind.String())
	for _, n := range []int{0, 28, 30} {
		_, err := satel.ParseSelf(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
	for _, wrong := range []satel.User{
		{Name: strings.Repeat("x", 17)}, {Number: 256}, {Kind: 16}, {Object: 9}, {Partitions: make(satel.Bits, 5)},
	} {
		_, err = satel.AppendSelf(nil, wrong)
		require.ErrorIs(t, err, satel.ErrValue)
	}
}

func TestUsersSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		flag := rapid.Bool()
		u := satel.User{
			Number: rapid.IntRange(0, 255).Draw(t, "number"), Partitions: bitsOf(t, "partitions", 4),
			Kind:             satel.UserKind(rapid.IntRange(0, 15).Draw(t, "kind")),
			CodeNeverChanged: flag.Draw(t, "never changed"), CodeKnown: flag.Draw(t, "known"),
			MayIsolate: flag.Draw(t, "isolate"), PhoneCodeChanged: flag.Draw(t, "phone"),
			Time: rapid.Byte().Draw(t, "time"), TemporaryTime: rapid.Byte().Draw(t, "temporary"),
			Rights: satel.Rights(bitsOf(t, "rights", 3)),
			Name:   rapid.StringMatching(`([A-Za-zżźćąśęółńŻŹĆĄŚĘÓŁŃ ]{0,15}[a-zółż])?`).Draw(t, "name"),
			Simple: flag.Draw(t, "simple"), Master: flag.Draw(t, "master"), Object: rapid.IntRange(1, 8).Draw(t, "object"),
		}
		require.Equal(t, u.Rights, satel.RightsOf(u.Rights.List()...))
		data, err := satel.AppendUser(nil, u)
		require.NoError(t, err)
		require.Len(t, data, 28)
		got, err := satel.ParseUser(data)
		require.NoError(t, err)
		require.Equal(t, u, got)

		data, err = satel.AppendSelf(nil, u)
		require.NoError(t, err)
		require.Len(t, data, 29)
		got, err = satel.ParseSelf(data)
		require.NoError(t, err)
		u.TemporaryTime = 0
		require.Equal(t, u, got)
	})
}

func TestListsOfUsersAndLocksSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		users := satel.Users{
			Asker:    rapid.IntRange(0, 255).Draw(t, "asker"),
			Existing: bitsOf(t, "existing", 30), Editable: bitsOf(t, "editable", 30),
		}
		got, err := satel.ParseUsers(satel.AppendUsers(nil, users))
		require.NoError(t, err)
		require.Equal(t, users, got)
		locks := satel.UserLocks{Number: rapid.IntRange(0, 255).Draw(t, "number"), Expanders: bitsOf(t, "expanders", 8)}
		gotLocks, err := satel.ParseUserLocks(satel.AppendUserLocks(nil, locks))
		require.NoError(t, err)
		require.Equal(t, locks, gotLocks)
	})
	for _, n := range []int{0, 8, 10, 31, 62} {
		_, err := satel.ParseUsers(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
		_, err = satel.ParseUserLocks(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
		_, err = satel.ParseUser(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
		_, err = satel.ParseOutputPower(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
}

func TestOutputPowerIsInTenthsOfAWatt(t *testing.T) {
	t.Parallel()
	p, err := satel.ParseOutputPower([]byte{0, 0x01, 0x02})
	require.NoError(t, err)
	require.Equal(t, satel.OutputPower{Output: 256, Watts: 25.8}, p)
	for tenths := range 0x10000 {
		data := []byte{7, byte(tenths >> 8), byte(tenths)}
		p, err := satel.ParseOutputPower(data)
		require.NoError(t, err)
		back, err := satel.AppendOutputPower(nil, p)
		require.NoError(t, err)
		require.Equal(t, data, back)
	}
	for _, wrong := range []satel.OutputPower{{Output: 0}, {Output: 257}, {Output: 1, Watts: -1}, {Output: 1, Watts: 6553.6}} {
		_, err := satel.AppendOutputPower(nil, wrong)
		require.ErrorIs(t, err, satel.ErrValue)
	}
}
