package satel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// again parses data, builds what was understood once more, and parses that: both must say the same.
func again[T any](t *testing.T, data []byte, parse func([]byte) (T, error), build func([]byte, T) ([]byte, error)) {
	t.Helper()
	first, err := parse(data)
	if err != nil {
		return
	}
	built, err := build(nil, first)
	if err != nil {
		// Bytes that the code page lacks have no way back.
		require.ErrorIs(t, err, satel.ErrValue)
		return
	}
	second, err := parse(built)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

// sure is a builder that cannot fail.
func sure[T any](build func([]byte, T) []byte) func([]byte, T) ([]byte, error) {
	return func(dst []byte, v T) ([]byte, error) { return build(dst, v), nil }
}

// FuzzAnswers reads any data as the answer to, or the request of, any command.
func FuzzAnswers(f *testing.F) {
	for _, size := range []int{1, 2, 3, 5, 6, 7, 9, 12, 14, 19, 21, 28, 29, 47, 61} {
		for _, cmd := range []satel.Command{
			satel.CmdArm0, satel.CmdSetClock, satel.CmdClock, satel.CmdTroubles1, satel.CmdSelf, satel.CmdUser,
			satel.CmdPanelVersion, satel.CmdModuleVersion, satel.CmdEventText,
		} {
			f.Add(byte(cmd), make([]byte, size))
		}
	}
	f.Fuzz(func(t *testing.T, number byte, data []byte) {
		cmd := satel.Command(number)
		switch cmd {
		case satel.CmdClock:
			again(t, data, satel.ParseClock, satel.AppendClock)
		case satel.CmdPanelVersion:
			again(t, data, satel.ParsePanelVersion, satel.AppendPanelVersion)
		case satel.CmdModuleVersion:
			again(t, data, satel.ParseModuleVersion, satel.AppendModuleVersion)
		case satel.CmdZoneTemperature:
			again(t, data, satel.ParseTemperature, satel.AppendTemperature)
		case satel.CmdOutputPower:
			again(t, data, satel.ParseOutputPower, satel.AppendOutputPower)
		case satel.CmdSelf:
			again(t, data, satel.ParseSelf, satel.AppendSelf)
		case satel.CmdUser:
			again(t, data, satel.ParseUser, satel.AppendUser)
		case satel.CmdUserList:
			again(t, data, satel.ParseUsers, sure(satel.AppendUsers))
		case satel.CmdUserLocks:
			again(t, data, satel.ParseUserLocks, sure(satel.AppendUserLocks))
		case satel.CmdEventRecord:
			again(t, data, satel.ParseLogEntry, sure(satel.AppendLogEntry))
		case satel.CmdEventText:
			again(t, data, satel.ParseEventText, satel.AppendEventText)
		case satel.CmdResult:
			again(t, data, satel.ParseResult, sure(satel.AppendResult))
		case satel.CmdNewData:
			again(t, data, satel.ParseNewData, sure(func(dst []byte, s satel.CommandSet) []byte {
				return satel.AppendNewData(dst, s, len(data))
			}))
			again(t, data, satel.ParseSubscription, sure(func(dst []byte, s satel.Subscription) []byte {
				return satel.AppendSubscription(dst, s, len(data)/2)
			}))
		default:
			again(t, data, func(data []byte) (satel.ControlRequest, error) {
				return satel.ParseControlRequest(cmd, data)
			}, satel.AppendControlRequest)
			again(t, data, func(data []byte) (satel.Troubles, error) {
				return satel.ParseTroubles(cmd, data)
			}, func(dst []byte, troubles satel.Troubles) ([]byte, error) {
				return satel.AppendTroubles(dst, cmd, troubles)
			})
		}
	})
}
