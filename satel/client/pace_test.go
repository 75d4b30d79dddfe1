package client_test

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

// strict answers requests but drops, as modules do, those that come too soon after its last answer.
func strict(gap time.Duration, dropped *atomic.Int64) func(p *peer) {
	return func(p *peer) {
		var last time.Time
		p.untilGone(func(f satel.Frame) {
			if time.Since(last) < gap {
				dropped.Add(1)
				return
			}
			switch f.Cmd {
			case satel.CmdClock:
				p.answer(f.Cmd, clockBytes...)
			default:
				p.answer(f.Cmd, armedOne...)
			}
			last = time.Now()
		})
	}
}

func TestGapIsKeptAndShrinks(t *testing.T) {
	t.Parallel()
	const minimum = 10 * time.Millisecond
	var dropped atomic.Int64
	address, _ := serve(t, func(p *peer) {
		var last time.Time
		p.untilGone(func(f satel.Frame) {
			if time.Since(last) < minimum {
				dropped.Add(1)
			}
			last = time.Now() // before the answer is written, so that its way is not counted against the client
			p.answer(f.Cmd, armedOne...)
		})
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.MinGap, cfg.StartGap = minimum, 50*time.Millisecond })
	require.Equal(t, 50*time.Millisecond, c.Stats().Gap)
	for range 40 {
		before := c.Stats().Gap
		a, err := c.Request(soon(t), satel.CmdArmed, nil)
		require.NoError(t, err)
		require.False(t, a.ReceivedAt.Before(a.SentAt))
		require.LessOrEqual(t, c.Stats().Gap, before)
	}
	require.Equal(t, minimum, c.Stats().Gap)
	require.Zero(t, dropped.Load())
}

func TestGapRunsFromTheAnswerWhileTheCallerWorks(t *testing.T) {
	t.Parallel()
	const gap = 40 * time.Millisecond
	address, _ := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) { p.answer(f.Cmd, armedOne...) })
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.MinGap, cfg.StartGap = gap, gap })
	var received time.Time
	for range 10 {
		a, err := c.Request(soon(t), satel.CmdArmed, nil)
		require.NoError(t, err)
		if !received.IsZero() {
			require.GreaterOrEqual(t, a.SentAt.Sub(received), gap)
		}
		received = a.ReceivedAt
	}
}

func TestGapGrowsBackWhereAModuleNeedsMore(t *testing.T) {
	t.Parallel()
	const needed = 30 * time.Millisecond
	var dropped atomic.Int64
	address, _ := serve(t, strict(needed, &dropped))
	c := dial(t, address, func(cfg *client.Config) {
		cfg.MinGap, cfg.StartGap, cfg.Timeout = 5*time.Millisecond, 60*time.Millisecond, shortTimeout
	})
	failed := 0
	for range 60 {
		if _, err := c.Request(soon(t), satel.CmdArmed, nil); err != nil {
			require.ErrorIs(t, err, client.ErrTimeout)
			require.False(t, client.IsLost(err))
			failed++
		}
	}
	require.NotZero(t, failed, "the gap never went below what the module needs")
	require.Less(t, failed, 8, "the gap does not remember what was too short")
	require.Greater(t, c.Stats().Gap, needed-needed/4)
	require.Greater(t, c.Stats().Floor, needed-needed/4, "the next connection begins with what was learned")
}

func TestAModuleThatIsGoneTeachesNothing(t *testing.T) {
	t.Parallel()
	const least = 5 * time.Millisecond
	address, _ := serve(t, func(p *peer) {
		asked := 0
		p.untilGone(func(f satel.Frame) {
			if asked++; asked == 1 {
				p.answer(f.Cmd, armedOne...)
			}
		})
	})
	c := dial(t, address, func(cfg *client.Config) {
		cfg.MinGap, cfg.StartGap, cfg.Timeout = least, 60*time.Millisecond, shortTimeout
	})
	_, err := c.Request(soon(t), satel.CmdArmed, nil)
	require.NoError(t, err)
	for !client.IsLost(err) {
		_, err = c.Request(soon(t), satel.CmdArmed, nil)
		require.ErrorIs(t, err, client.ErrTimeout)
	}
	require.Equal(t, least, c.Stats().Floor, "it was not asked too fast")
}

// BenchmarkRequest measures a request to a module that answers at once, so that a turn is the gap and what this side adds.
func BenchmarkRequest(b *testing.B) {
	const gap = 10 * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		answer := satel.AppendFrame(nil, satel.CmdArmed, armedOne)
		buf := make([]byte, 64)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}()
	c, err := client.Dial(b.Context(), client.Config{Address: listener.Addr().String(), MinGap: gap, StartGap: gap})
	require.NoError(b, err)
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Request(b.Context(), satel.CmdArmed, nil); err != nil {
			b.Fatal(err)
		}
	}
}
