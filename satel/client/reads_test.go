package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

func TestReads(t *testing.T) {
	t.Parallel()
	text := satel.EventText{Code: 130, Restore: true, Long: true, LongKind: satel.KindDevice, ShortKind: 3, Text: "Koniec"}
	module := satel.ModuleVersion{Firmware: satel.Firmware{Version: "2.08", Date: "2023-05-17"}, Wide: true}
	panel := satel.PanelVersion{Type: 72, Firmware: satel.Firmware{Version: "1.24", Date: "2025-03-12"}}
	outputs := satel.NewBits(32, 3, 200)
	built := func(data []byte, err error) []byte {
		require.NoError(t, err)
		return data
	}
	answers := map[satel.Command][]byte{
		satel.CmdModuleVersion: built(satel.AppendModuleVersion(nil, module)),
		satel.CmdPanelVersion:  built(satel.AppendPanelVersion(nil, panel)),
		satel.CmdZoneTemperature: built(satel.AppendTemperature(nil, satel.Temperature{
			Zone: 256, Celsius: 4.5, Measured: true,
		})),
		satel.CmdTroubles1: built(satel.AppendTroubles(nil, satel.CmdTroubles1, satel.Troubles{
			Active: []satel.Trouble{{Group: "system", Item: "ac"}},
		})),
		satel.CmdEventText: built(satel.AppendEventText(nil, text)),
		satel.CmdOutputs:   outputs,
		satel.CmdDoorsOpen: {0x10, 0, 0, 0, 0, 0, 0, 0},
		satel.CmdNewData:   satel.AppendNewData(nil, satel.Commands(satel.CmdZonesAlarm), satel.NewDataMiddle),
		satel.CmdClock:     clockBytes,
	}
	requests := make(chan satel.Frame, 20)
	address, _ := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) {
			requests <- f
			if f.Cmd == satel.CmdObjectName {
				p.answer(satel.CmdResult, byte(satel.ResultOther))
				return
			}
			p.answer(f.Cmd, answers[f.Cmd]...)
		})
	})
	c := dial(t, address, nil)
	ctx := soon(t)
	sent := func(data ...byte) {
		t.Helper()
		require.Equal(t, append([]byte{}, data...), (<-requests).Data)
	}

	gotModule, err := c.ModuleVersion(ctx)
	require.NoError(t, err)
	require.Equal(t, module, gotModule)
	sent()
	gotPanel, err := c.PanelVersion(ctx)
	require.NoError(t, err)
	require.Equal(t, panel, gotPanel)
	sent()
	temperature, err := c.Temperature(ctx, 256)
	require.NoError(t, err)
	require.Equal(t, 4.5, temperature.Celsius)
	sent(0)
	troubles, err := c.Troubles(ctx, satel.CmdTroubles1)
	require.NoError(t, err)
	require.Equal(t, []string{"system.ac"}, troubles.Names())
	sent()
	gotText, err := c.EventText(ctx, 130, true, true)
	require.NoError(t, err)
	require.Equal(t, text, gotText)
	sent(0x84, 0x82)
	list, err := c.List(ctx, satel.CmdOutputs, true)
	require.NoError(t, err)
	require.Equal(t, outputs, list)
	sent(0)
	list, err = c.List(ctx, satel.CmdDoorsOpen, true)
	require.NoError(t, err)
	require.Equal(t, []int{4}, list.Addresses())
	sent()
	news, err := c.NewData(ctx, satel.NewDataMiddle)
	require.NoError(t, err)
	require.Equal(t, []satel.Command{satel.CmdZonesAlarm}, news.List())
	sent(0)
	clock, _, err := c.Clock(ctx)
	require.NoError(t, err)
	require.Equal(t, 2026, clock.Year)
	sent()
	_, ok, err := c.Name(ctx, satel.NameZone, 256)
	require.NoError(t, err)
	require.False(t, ok)
	sent(1, 0)
}

func TestSubscriptionIsAnsweredByAResultAndItsListsAreNews(t *testing.T) {
	t.Parallel()
	want := satel.Subscription{Changed: satel.Commands(satel.CmdOutputs)}
	pushed := make([]byte, 32)
	news := make(chan satel.Frame, 1)
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdNewData, satel.AppendSubscription(nil, want, satel.NewDataMiddle)...)
		p.answer(satel.CmdResult, byte(satel.ResultAccepted))
		p.answer(satel.CmdOutputs, pushed...)
		_ = p.waitGone()
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
	r, err := c.Subscribe(soon(t), want, satel.NewDataMiddle)
	require.NoError(t, err)
	require.Equal(t, satel.ResultAccepted, r)
	require.Equal(t, satel.Frame{Cmd: satel.CmdOutputs, Data: pushed}, <-news)
}

func TestListOfAWrongLengthIsRefused(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, 1, 2, 3)
	})
	c := dial(t, address, nil)
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.ErrorIs(t, err, satel.ErrLength)
}
