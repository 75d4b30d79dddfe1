package client_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

func TestDialRecognisesATakenModule(t *testing.T) {
	t.Parallel()
	fillers := map[string][8]byte{
		"seen once":  {0xD8, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5},
		"seen twice": {0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5},
		"zeros":      {},
		"sync bytes": {0x01, 0x02, 0xFE, 0xFE, 0x0D, 0x01, 0x02, 0x03},
	}
	for name, filler := range fillers {
		for _, cut := range []int{satel.BusySize, 3, 7} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				text := satel.AppendBusy(nil, filler)
				address, _ := serve(t, func(p *peer) {
					p.write(text[:cut])
					p.write(text[cut:])
				})
				_, err := client.Dial(t.Context(), client.Config{Address: address})
				require.ErrorIs(t, err, client.ErrBusy)
				require.True(t, client.IsLost(err))
			})
		}
	}
}

func TestBusyTextThatComesLateEndsTheFirstRequest(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdClock)
		p.write(satel.AppendBusy(nil, [8]byte{}))
	})
	c := dial(t, address, nil)
	_, _, err := c.Clock(soon(t))
	require.ErrorIs(t, err, client.ErrBusy)
	_, _, err = c.Clock(soon(t))
	require.ErrorIs(t, err, client.ErrBusy)
	require.ErrorIs(t, c.Err(), client.ErrBusy)
}

func TestAZoneMayBeCalledBusy(t *testing.T) {
	t.Parallel()
	data, err := satel.AppendObjectName(nil, satel.ObjectName{Type: satel.NameZone, Number: 1, Text: "Busy!"})
	require.NoError(t, err)
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdObjectName, 1, 1)
		frame := satel.AppendFrame(nil, satel.CmdObjectName, data)
		p.write(frame[:12])
		p.write(frame[12:])
		p.want(satel.CmdClock)
		p.answer(satel.CmdClock, clockBytes...)
	})
	c := dial(t, address, nil)
	name, ok, err := c.Name(soon(t), satel.NameZone, 1)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "Busy!", name.Text)
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
}

func TestDialTellsWhyItCannot(t *testing.T) {
	t.Parallel()
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		_, err = client.Dial(t.Context(), client.Config{Address: listener.Addr().String()})
		require.ErrorContains(t, err, "connect to module")
	})
	t.Run("closed at once", func(t *testing.T) {
		t.Parallel()
		address, _ := serve(t, func(*peer) {})
		_, err := client.Dial(t.Context(), client.Config{Address: address})
		require.ErrorIs(t, err, client.ErrClosed)
		require.ErrorIs(t, err, client.ErrNoAnswer)
	})
	t.Run("context ends", func(t *testing.T) {
		t.Parallel()
		address, ended := serve(t, func(p *peer) { p.untilGone(func(satel.Frame) {}) })
		ctx, cancel := context.WithCancel(t.Context())
		dialer := dialerFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			defer cancel()
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		})
		_, err := client.Dial(ctx, client.Config{Address: address, Dialer: dialer})
		require.ErrorIs(t, err, context.Canceled)
		ended()
	})
}

type dialerFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (f dialerFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}
