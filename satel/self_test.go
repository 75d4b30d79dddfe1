package satel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

func TestOwnDataAreReadWhereTheyStand(t *testing.T) {
	t.Parallel()
	data := make([]byte, 29)
	data[0], data[1], data[2] = 4, 0x12, 0x34
	copy(data[3:], []byte{0x05, 0, 0, 0x80})
	data[9], data[10], data[11] = 1, 2, 3
	copy(data[12:28], "Stacja          ")
	s, err := satel.ParseSelf(data)
	require.NoError(t, err)
	require.Equal(t, 4, s.Number)
	require.Equal(t, []int{1, 3, 32}, s.Partitions.Numbers())
	require.Equal(t, [3]byte{1, 2, 3}, s.Rights)
	require.Equal(t, "Stacja", s.Name)
	for _, n := range []int{0, 28, 30} {
		_, err := satel.ParseSelf(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}

	back, err := satel.AppendSelf(nil, satel.Self{Number: 7, Partitions: satel.NewBits(4, 2), Rights: [3]byte{9, 8, 7}, Name: "Łucja"})
	require.NoError(t, err)
	again, err := satel.ParseSelf(back)
	require.NoError(t, err)
	require.Equal(t, satel.Self{Number: 7, Partitions: satel.NewBits(4, 2), Rights: [3]byte{9, 8, 7}, Name: "Łucja"}, again)
	_, err = satel.AppendSelf(nil, satel.Self{Name: strings.Repeat("x", 17)})
	require.ErrorIs(t, err, satel.ErrValue)
}

func TestTheListOfUsersIsRead(t *testing.T) {
	t.Parallel()
	u, err := satel.ParseUsers(satel.AppendUsers(nil, satel.Users{Asker: 1, Existing: satel.NewBits(30, 1, 5, 240)}))
	require.NoError(t, err)
	require.Equal(t, 1, u.Asker)
	require.Equal(t, []int{1, 5, 240}, u.Existing.Numbers())
	for _, n := range []int{0, 31, 62} {
		_, err := satel.ParseUsers(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
}
