package client_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

func TestControls(t *testing.T) {
	t.Parallel()
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	require.NoError(t, err)
	requests := make(chan satel.Frame, 1)
	address, _ := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) {
			requests <- f
			p.answer(satel.CmdResult, byte(satel.ResultAccepted))
		})
	})
	c := dial(t, address, nil)
	ctx := soon(t)
	zones, doors := satel.NewBits(16, 3), satel.Bits{0x10, 0, 0, 0, 0, 0, 0, 0}
	local := time.Date(2026, 11, 28, 19, 42, 23, 0, time.FixedZone("", 3600))
	for name, x := range map[string]struct {
		do   func() (satel.Result, error)
		want satel.ControlRequest
	}{
		"isolate": {
			func() (satel.Result, error) { return c.Bypass(ctx, satel.CmdIsolate, code, zones, nil) },
			satel.ControlRequest{Cmd: satel.CmdIsolate, Numbers: zones},
		},
		"outputs": {
			func() (satel.Result, error) { return c.SwitchOutputs(ctx, satel.CmdOutputsSwitch, code, zones, nil) },
			satel.ControlRequest{Cmd: satel.CmdOutputsSwitch, Numbers: zones},
		},
		"door": {
			func() (satel.Result, error) { return c.OpenDoor(ctx, code, zones, doors, nil) },
			satel.ControlRequest{Cmd: satel.CmdOpenDoor, Numbers: zones, Expanders: doors},
		},
		"troubles": {
			func() (satel.Result, error) { return c.ClearTroubles(ctx, code, nil) },
			satel.ControlRequest{Cmd: satel.CmdClearTroubles},
		},
		"clock": {
			func() (satel.Result, error) { return c.SetClock(ctx, code, local, nil) },
			satel.ControlRequest{Cmd: satel.CmdSetClock, Clock: time.Date(2026, 11, 28, 19, 42, 23, 0, time.UTC)},
		},
		"refusing to bypass": {
			func() (satel.Result, error) {
				return c.Order(ctx, satel.ControlRequest{
					Cmd: satel.CmdArm1, Code: code, Partitions: armedOne, RefuseBypass: true,
				}, nil)
			},
			satel.ControlRequest{Cmd: satel.CmdArm1, Partitions: armedOne, RefuseBypass: true},
		},
	} {
		result, err := x.do()
		require.NoError(t, err, name)
		require.Equal(t, satel.ResultAccepted, result, name)
		f := <-requests
		got, err := satel.ParseControlRequest(f.Cmd, f.Data)
		require.NoError(t, err, name)
		x.want.Code = code
		require.Equal(t, x.want, got, name)
	}
	for name, do := range map[string]func() (satel.Result, error){
		"arm":      func() (satel.Result, error) { return c.Arm(ctx, satel.CmdDisarm, code, armedOne, nil) },
		"bypass":   func() (satel.Result, error) { return c.Bypass(ctx, satel.CmdOutputsOn, code, zones, nil) },
		"outputs":  func() (satel.Result, error) { return c.SwitchOutputs(ctx, satel.CmdBypass, code, zones, nil) },
		"no zones": func() (satel.Result, error) { return c.Bypass(ctx, satel.CmdBypass, code, nil, nil) },
		"no code":  func() (satel.Result, error) { return c.Disarm(ctx, nil, armedOne, nil) },
	} {
		_, err := do()
		require.ErrorIs(t, err, client.ErrRequest, name)
	}
}

// A module may accept arming and tell the result later: it must not be taken for the answer to what was asked meanwhile.
func TestSecondResultOfArmingIsNoAnswerToWhatCameAfter(t *testing.T) {
	t.Parallel()
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	require.NoError(t, err)
	news := make(chan satel.Frame, 1)
	accepted, failed := byte(satel.ResultAccepted), byte(satel.ResultCannotArm)
	second := func(during func(p *peer)) func(p *peer) {
		return func(p *peer) {
			if _, err := p.read(); err != nil {
				p.t.Error(err)
			}
			p.answer(satel.CmdResult, accepted)
			during(p)
		}
	}
	got := func(address string) *client.Conn {
		c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
		r, err := c.Arm(soon(t), satel.CmdArm0, code, armedOne, nil)
		require.NoError(t, err)
		require.Equal(t, satel.ResultAccepted, r)
		return c
	}
	want := satel.Frame{Cmd: satel.CmdResult, Data: []byte{failed}}

	address, _ := serve(t, second(func(p *peer) {
		p.answer(satel.CmdResult, failed)
		_ = p.waitGone()
	}))
	got(address)
	require.Equal(t, want, <-news, "nothing asked meanwhile")

	address, _ = serve(t, second(func(p *peer) {
		_, _ = p.read()
		p.answer(satel.CmdResult, failed)
		p.answer(satel.CmdResult, accepted)
		_ = p.waitGone()
	}))
	r, err := got(address).Disarm(soon(t), code, armedOne, nil)
	require.NoError(t, err)
	require.Equal(t, satel.ResultAccepted, r)
	require.Equal(t, want, <-news, "while another control waits")

	address, _ = serve(t, second(func(p *peer) {
		_, _ = p.read()
		p.answer(satel.CmdResult, failed)
		p.answer(satel.CmdResult, accepted)
		_ = p.waitGone()
	}))
	r, err = got(address).Arm(soon(t), satel.CmdForceArm0, code, armedOne, nil)
	require.NoError(t, err)
	require.Equal(t, satel.ResultAccepted, r)
	require.Equal(t, want, <-news, "while another arming waits")

	address, _ = serve(t, second(func(p *peer) {
		_, _ = p.read()
		p.answer(satel.CmdResult, byte(satel.ResultNoAccess))
		_ = p.waitGone()
	}))
	r, err = got(address).Disarm(soon(t), code, armedOne, nil)
	require.NoError(t, err)
	require.Equal(t, satel.ResultNoAccess, r, "an error that a control itself may have")
}
