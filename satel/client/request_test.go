package client_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

func TestAnswersComeInAnyPieces(t *testing.T) {
	t.Parallel()
	news := make(chan satel.Frame, 10)
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		frame := satel.AppendFrame(nil, satel.CmdArmed, armedOne)
		for i := range frame {
			p.write(frame[i : i+1])
		}
		p.want(satel.CmdArmed)
		several := satel.AppendFrame(nil, satel.CmdOutputs, make([]byte, 32))
		several = append(several, 0x00, 0xFE, 0x17)                                     // noise
		several = append(several, 0xFE, 0xFE, 0x0A, 1, 2, 3, 4, 0x00, 0x00, 0xFE, 0x0D) // wrong crc
		several = append(several, 0xFE, 0xFE, 0x0A, 0x01)                               // cut short
		several = satel.AppendFrame(several, satel.CmdArmed, armedTwo)
		several = satel.AppendFrame(several, satel.CmdEventRecord, entry(satel.Index{3, 0x58, 0x96}, satel.Index{3, 0x50, 0x96}))
		p.write(several)
		p.want(satel.CmdClock)
		p.answer(satel.CmdClock, clockBytes...)
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
	b, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	require.Equal(t, satel.Bits(armedOne), b)
	b, err = c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	require.Equal(t, satel.Bits(armedTwo), b)
	require.Equal(t, satel.CmdOutputs, (<-news).Cmd)
	require.Equal(t, satel.CmdEventRecord, (<-news).Cmd)
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
	s := c.Stats()
	require.EqualValues(t, 3, s.Answers)
	require.EqualValues(t, 2, s.News)
	require.EqualValues(t, 1, s.Decoder.BadCRC)
	require.EqualValues(t, 1, s.Decoder.Cut)
}

func TestOneRequestIsInFlightAndEachGetsItsOwnAnswer(t *testing.T) {
	t.Parallel()
	const askers, each = 8, 20
	address, _ := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) {
			if _, more := p.decoder.Next(); more {
				p.t.Error("a second request came before the answer")
			}
			data, err := satel.AppendObjectName(nil, satel.ObjectName{
				Type: satel.ObjectType(f.Data[0]), Number: int(f.Data[1]), Function: f.Data[1] ^ 0x55,
			})
			if err != nil {
				p.t.Error(err)
			}
			p.answer(satel.CmdObjectName, data...)
		})
	})
	c := dial(t, address, nil)
	ctx := soon(t)
	var wait sync.WaitGroup
	for asker := range askers {
		wait.Go(func() {
			for i := range each {
				number := 1 + asker*each + i
				name, ok, err := c.Name(ctx, satel.NameZone, number)
				if err != nil || !ok || name.Number != number || name.Function != byte(number)^0x55 {
					t.Errorf("zone %d: %+v, %v, %v", number, name, ok, err)
				}
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, askers*each, c.Stats().Answers)
}

func TestLateAnswerIsNotTakenForTheNextOneOfItsKind(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.want(satel.CmdClock) // the probe
		p.answer(satel.CmdArmed, armedOne...)
		p.answer(satel.CmdClock, clockBytes...)
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedTwo...)
	})
	c := dial(t, address, short)
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.ErrorIs(t, err, client.ErrTimeout)
	require.ErrorIs(t, err, client.ErrNoAnswer)
	require.False(t, client.IsLost(err))
	b, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	require.Equal(t, satel.Bits(armedTwo), b)
	require.EqualValues(t, 1, c.Stats().Late)
}

func TestLateResultIsNotTakenForTheNextCommands(t *testing.T) {
	t.Parallel()
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	require.NoError(t, err)
	request := append(append([]byte{}, code...), armedOne...)
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArm0, request...)
		p.want(satel.CmdClock) // the probe
		p.answer(satel.CmdResult, byte(satel.ResultOK))
		p.answer(satel.CmdClock, clockBytes...)
		p.want(satel.CmdDisarm, request...)
		p.answer(satel.CmdResult, byte(satel.ResultNoAccess))
		p.want(satel.CmdClearAlarm, request...)
		p.answer(satel.CmdResult, byte(satel.ResultAccepted))
	})
	c := dial(t, address, short)
	_, err = c.Arm(soon(t), satel.CmdArm0, code, armedOne, nil)
	require.ErrorIs(t, err, client.ErrTimeout)
	require.NotContains(t, err.Error(), "1234")
	r, err := c.Disarm(soon(t), code, armedOne, nil)
	require.NoError(t, err)
	require.Equal(t, satel.ResultNoAccess, r)
	r, err = c.ClearAlarm(soon(t), code, armedOne, nil)
	require.NoError(t, err)
	require.Equal(t, satel.ResultAccepted, r)
}

func TestLateRecordIsKnownByTheIndexItAnswers(t *testing.T) {
	t.Parallel()
	first, second := satel.Index{1, 2, 3}, satel.Index{1, 1, 3}
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdEventRecord, first[:]...)
		p.want(satel.CmdEventRecord, second[:]...)
		p.answer(satel.CmdEventRecord, entry(satel.Index{9, 9, 9}, first)...)
		p.answer(satel.CmdEventRecord, entry(satel.Index{8, 8, 8}, second)...)
	})
	c := dial(t, address, short)
	_, _, err := c.Older(soon(t), first)
	require.ErrorIs(t, err, client.ErrTimeout)
	e, at, err := c.Older(soon(t), second)
	require.NoError(t, err)
	require.Equal(t, satel.Index{8, 8, 8}, e.Index)
	require.WithinDuration(t, time.Now(), at, patience)
	require.EqualValues(t, 1, c.Stats().Late)
}

func TestModuleThatDoesNotRepeatTheIndexOfTheNewest(t *testing.T) {
	t.Parallel()
	own := satel.Index{7, 7, 7}
	address, _ := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) {
			if f.Cmd == satel.CmdClock {
				p.answer(satel.CmdClock, clockBytes...)
				return
			}
			p.answer(satel.CmdEventRecord, entry(own, own)...)
		})
	})
	c := dial(t, address, short)
	for range 3 {
		e, _, err := c.Newest(soon(t))
		require.NoError(t, err)
		require.Equal(t, own, e.Index)
	}
	require.Zero(t, c.Stats().Timeouts)
	require.EqualValues(t, 5, c.Stats().Answers, "three records, and a clock before each but the first")
}

func TestTwoTimeOutsInARowEndTheConnection(t *testing.T) {
	t.Parallel()
	address, ended := serve(t, func(p *peer) {
		p.want(satel.CmdClock)
		p.answer(satel.CmdClock, clockBytes...)
		p.want(satel.CmdArmed)
		p.want(satel.CmdOutputs)
		if err := p.waitGone(); !gone(err) {
			p.t.Errorf("client has not hung up: %v", err)
		}
	})
	c := dial(t, address, short)
	_, _, err := c.Clock(soon(t))
	require.NoError(t, err)
	_, err = c.List(soon(t), satel.CmdArmed, false)
	require.ErrorIs(t, err, client.ErrTimeout)
	require.NotErrorIs(t, err, client.ErrReconnect)
	require.NotErrorIs(t, err, client.ErrNoAnswer)
	_, err = c.List(soon(t), satel.CmdOutputs, false)
	require.ErrorIs(t, err, client.ErrTimeout)
	require.ErrorIs(t, err, client.ErrReconnect)
	require.True(t, client.IsLost(err))
	ended()
	_, _, err = c.Clock(soon(t))
	require.ErrorIs(t, err, client.ErrReconnect)
}

func TestSilenceThatIsAllowedDoesNotEndTheConnection(t *testing.T) {
	t.Parallel()
	var probes int
	address, ended := serve(t, func(p *peer) {
		p.untilGone(func(f satel.Frame) {
			if f.Cmd == satel.CmdClock {
				probes++
				p.answer(satel.CmdClock, clockBytes...)
			}
		})
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.Timeout = 150 * time.Millisecond })
	for range 2 {
		_, err := c.Temperature(soon(t), 1)
		require.ErrorIs(t, err, client.ErrTimeout)
	}
	_, err := c.ModuleVersion(soon(t))
	require.ErrorIs(t, err, client.ErrTimeout)
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
	c.Close()
	ended()
	require.Equal(t, 3, probes, "a probe between silent requests, and the last request itself")
}

func TestAnswerThatComesAfterItsCallerHasGone(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		close(asked)
		<-release
		p.answer(satel.CmdArmed, armedOne...)
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedTwo...)
	})
	c := dial(t, address, nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.List(ctx, satel.CmdArmed, false)
		failed <- err
	}()
	<-asked
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	answered := make(chan satel.Bits, 1)
	go func() {
		b, err := c.List(context.WithoutCancel(ctx), satel.CmdArmed, false)
		if err != nil {
			t.Error(err)
		}
		answered <- b
	}()
	close(release)
	require.Equal(t, satel.Bits(armedTwo), <-answered)
}

func TestModuleHangsUp(t *testing.T) {
	t.Parallel()
	t.Run("while a request waits", func(t *testing.T) {
		t.Parallel()
		address, _ := serve(t, func(p *peer) {
			p.want(satel.CmdClock)
			p.answer(satel.CmdClock, clockBytes...)
			p.want(satel.CmdArmed)
		})
		c := dial(t, address, nil)
		_, _, err := c.Clock(soon(t))
		require.NoError(t, err)
		_, err = c.List(soon(t), satel.CmdArmed, false)
		require.ErrorIs(t, err, client.ErrClosed)
		require.ErrorIs(t, err, io.EOF)
		require.NotErrorIs(t, err, client.ErrNoAnswer)
	})
	t.Run("on an idle connection", func(t *testing.T) {
		t.Parallel()
		hangUp := make(chan struct{})
		address, _ := serve(t, func(*peer) { <-hangUp })
		c := dial(t, address, nil)
		close(hangUp)
		select {
		case <-c.Done():
		case <-time.After(patience):
			require.FailNow(t, "closing was not noticed")
		}
		require.ErrorIs(t, c.Err(), client.ErrClosed)
	})
}

func TestCloseEndsWaitingRequests(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	address, ended := serve(t, func(p *peer) {
		p.want(satel.CmdClock)
		close(asked)
		if err := p.waitGone(); !errors.Is(err, io.EOF) {
			p.t.Errorf("client left with %v, want an orderly end", err)
		}
	})
	c := dial(t, address, nil)
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, _, err := c.Clock(context.Background())
			failed <- err
		}()
	}
	<-asked
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(c.Close)
	}
	wait.Wait()
	require.ErrorIs(t, <-failed, client.ErrClosed)
	require.ErrorIs(t, <-failed, client.ErrClosed)
	ended()
}

func TestSlowHookLosesNewsButNoAnswers(t *testing.T) {
	t.Parallel()
	const pushed = 200
	release := make(chan struct{})
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdClock)
		for range pushed {
			p.answer(satel.CmdOutputs, make([]byte, 32)...)
		}
		p.answer(satel.CmdClock, clockBytes...)
	})
	var seen int
	c := dial(t, address, func(cfg *client.Config) {
		cfg.OnNews = func(satel.Frame) {
			<-release
			seen++
		}
	})
	_, _, err := c.Clock(soon(t))
	require.NoError(t, err)
	s := c.Stats()
	require.EqualValues(t, pushed, s.News)
	require.NotZero(t, s.NewsDropped)
	require.Less(t, s.NewsDropped, uint64(pushed))
	close(release)
	c.Close()
	require.LessOrEqual(t, seen, pushed-int(s.NewsDropped))
}

// guard answers as it is told and notes that it was asked.
type guard struct {
	before, after error
	asked         []string
}

func (g *guard) BeforeWrite() error {
	g.asked = append(g.asked, "before")
	return g.before
}

func (g *guard) AfterWrite() error {
	g.asked = append(g.asked, "after")
	return g.after
}

func TestGuard(t *testing.T) {
	t.Parallel()
	errLate := errors.New("deadline has passed")
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	require.NoError(t, err)
	t.Run("refuses before the write", func(t *testing.T) {
		t.Parallel()
		address, ended := serve(t, func(p *peer) {
			p.want(satel.CmdClock)
			p.answer(satel.CmdClock, clockBytes...)
		})
		c := dial(t, address, nil)
		sent := c.LastSend()
		g := &guard{before: errLate}
		_, err := c.Disarm(soon(t), code, armedOne, g)
		require.ErrorIs(t, err, errLate)
		require.Equal(t, []string{"before"}, g.asked)
		require.Equal(t, sent, c.LastSend())
		_, _, err = c.Clock(soon(t))
		require.NoError(t, err)
		require.True(t, c.LastSend().After(sent))
		ended()
	})
	t.Run("refuses after the write", func(t *testing.T) {
		t.Parallel()
		address, ended := serve(t, func(p *peer) {
			_, err := p.read()
			for err == nil {
				_, err = p.read()
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				p.t.Errorf("module saw %v, want a reset", err)
			}
		})
		c := dial(t, address, nil)
		g := &guard{after: errLate}
		_, err := c.Disarm(soon(t), code, armedOne, g)
		require.ErrorIs(t, err, errLate)
		require.Equal(t, []string{"before", "after"}, g.asked)
		ended()
		_, _, err = c.Clock(soon(t))
		require.ErrorIs(t, err, client.ErrClosed)
	})
	t.Run("allows", func(t *testing.T) {
		t.Parallel()
		address, _ := serve(t, func(p *peer) {
			p.untilGone(func(satel.Frame) { p.answer(satel.CmdResult, byte(satel.ResultAccepted)) })
		})
		c := dial(t, address, nil)
		g := &guard{}
		r, err := c.Disarm(soon(t), code, armedOne, g)
		require.NoError(t, err)
		require.Equal(t, satel.ResultAccepted, r)
		require.Equal(t, []string{"before", "after"}, g.asked)
	})
}

func TestRequestsThatTheProtocolCannotCarry(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(p *peer) {
		if err := p.waitGone(); isTimeout(err) {
			p.t.Error("client has not hung up")
		}
	})
	c := dial(t, address, nil)
	ctx := soon(t)
	for name, ask := range map[string]func() error{
		"too long": func() error {
			_, err := c.Request(ctx, satel.CmdClock, make([]byte, satel.MaxData+1))
			return err
		},
		"no command":       func() error { _, err := c.Request(ctx, satel.CmdInvalid, nil); return err },
		"no list":          func() error { _, err := c.List(ctx, satel.CmdClock, false); return err },
		"no trouble":       func() error { _, err := c.Troubles(ctx, satel.CmdClock); return err },
		"no arming":        func() error { _, err := c.Arm(ctx, satel.CmdDisarm, make([]byte, 8), armedOne, nil); return err },
		"short code":       func() error { _, err := c.Disarm(ctx, make([]byte, 4), armedOne, nil); return err },
		"short partitions": func() error { _, err := c.Disarm(ctx, make([]byte, 8), nil, nil); return err },
		"new data form":    func() error { _, err := c.NewData(ctx, 8); return err },
		"subscription form": func() error {
			_, err := c.Subscribe(ctx, satel.Subscription{}, 4)
			return err
		},
	} {
		require.ErrorIs(t, ask(), client.ErrRequest, name)
	}
}
