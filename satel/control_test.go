package satel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

var controls = []satel.Command{
	satel.CmdArm0, satel.CmdArm1, satel.CmdArm2, satel.CmdArm3, satel.CmdForceArm0, satel.CmdForceArm1,
	satel.CmdForceArm2, satel.CmdForceArm3, satel.CmdDisarm, satel.CmdClearAlarm, satel.CmdBypass, satel.CmdUnbypass,
	satel.CmdIsolate, satel.CmdOutputsOn, satel.CmdOutputsOff, satel.CmdOutputsSwitch, satel.CmdOpenDoor,
	satel.CmdClearTroubles, satel.CmdFirstCodeEnter, satel.CmdSetClock,
}

func bitsOf(t *rapid.T, what string, sizes ...int) satel.Bits {
	n := rapid.SampledFrom(sizes).Draw(t, what+" size")
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, what)
}

func TestControlsSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cmd := rapid.SampledFrom(controls).Draw(t, "command")
		r := satel.ControlRequest{Cmd: cmd, Code: bitsOf(t, "code", satel.UserCodeSize)}
		switch {
		case cmd.IsArm(), cmd == satel.CmdDisarm, cmd == satel.CmdClearAlarm:
			r.Partitions = bitsOf(t, "partitions", 4)
			r.RefuseBypass = cmd <= satel.CmdArm3 && rapid.Bool().Draw(t, "refuse")
		case cmd == satel.CmdOpenDoor:
			r.Numbers, r.Expanders = bitsOf(t, "outputs", 16, 32), bitsOf(t, "expanders", 8)
		case cmd == satel.CmdFirstCodeEnter:
			r.Partitions = bitsOf(t, "partitions", 4)
			r.Validity = time.Duration(rapid.Uint16().Draw(t, "seconds")) * time.Second
			r.Action = satel.FirstCodeAction(rapid.IntRange(0, 2).Draw(t, "action"))
		case cmd == satel.CmdSetClock:
			r.Clock = time.Unix(rapid.Int64Range(0, 200_000_000_000).Draw(t, "clock"), 0).UTC()
		case cmd != satel.CmdClearTroubles:
			r.Numbers = bitsOf(t, "numbers", 16, 32)
		}
		data, err := satel.AppendControlRequest(nil, r)
		require.NoError(t, err)
		got, err := satel.ParseControlRequest(cmd, data)
		require.NoError(t, err)
		require.Equal(t, r, got)
		_, err = satel.ParseControlRequest(cmd, data[:len(data)-1])
		if cmd.IsArm() && r.RefuseBypass {
			require.NoError(t, err) // without the flag it is whole too
			return
		}
		require.ErrorIs(t, err, satel.ErrLength)
	})
}

func TestControlsThatCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	code, four := make([]byte, satel.UserCodeSize), satel.NewBits(4, 1)
	for name, r := range map[string]satel.ControlRequest{
		"not a control": {Cmd: satel.CmdClock, Code: code},
		"no code":       {Cmd: satel.CmdDisarm, Partitions: four},
		"partitions":    {Cmd: satel.CmdArm0, Code: code, Partitions: satel.NewBits(16, 1)},
		"zones":         {Cmd: satel.CmdBypass, Code: code, Numbers: four},
		"expanders":     {Cmd: satel.CmdOpenDoor, Code: code, Numbers: make(satel.Bits, 16)},
		"fractions":     {Cmd: satel.CmdFirstCodeEnter, Code: code, Partitions: four, Validity: time.Millisecond},
		"too long":      {Cmd: satel.CmdFirstCodeEnter, Code: code, Partitions: four, Validity: satel.MaxValidity + time.Second},
		"year":          {Cmd: satel.CmdSetClock, Code: code, Clock: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := satel.AppendControlRequest(nil, r)
		require.Error(t, err, name)
	}
	_, err := satel.ParseControlRequest(satel.CmdSetClock, append(code[:len(code):len(code)], "20261301000000"...))
	require.ErrorIs(t, err, satel.ErrValue)
	_, err = satel.ParseControlRequest(satel.CmdClock, nil)
	require.ErrorIs(t, err, satel.ErrValue)
}
