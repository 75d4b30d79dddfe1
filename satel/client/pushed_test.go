package client_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

func TestPushedRecordIsNotTakenForTheNewest(t *testing.T) {
	t.Parallel()
	news := make(chan satel.Frame, 1)
	address, _ := serve(t, func(p *peer) {
		p.wantNewest()
		p.answer(satel.CmdEventRecord, entry(satel.Index{3, 0x58, 0x96}, satel.Index{3, 0x50, 0x96})...)
		p.answer(satel.CmdEventRecord, entry(satel.Index{7, 7, 7}, satel.NewestIndex)...)
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
	e, _, err := c.Newest(soon(t))
	require.NoError(t, err)
	require.Equal(t, satel.LogEntry{Record: e.Record, Index: satel.Index{7, 7, 7}, Called: satel.NewestIndex}, e)
	require.Equal(t, entry(satel.Index{3, 0x58, 0x96}, satel.Index{3, 0x50, 0x96}), (<-news).Data)
}

// What is pushed while an answer is lost is no answer of a module that was seen to repeat the index asked with.
func TestPushedRecordDoesNotReplaceALostNewest(t *testing.T) {
	t.Parallel()
	first, second := satel.Index{1, 0, 0}, satel.Index{2, 0, 0}
	address, _ := serve(t, func(p *peer) {
		p.wantNewest()
		p.answer(satel.CmdEventRecord, entry(first, satel.NewestIndex)...)
		p.wantNewest() // its answer is lost
		p.answer(satel.CmdEventRecord, entry(second, first)...)
		p.tellTime()
		p.wantNewest()
		p.answer(satel.CmdEventRecord, entry(second, satel.NewestIndex)...)
		_ = p.waitGone()
	})
	c := dial(t, address, short)
	_, _, err := c.Newest(soon(t))
	require.NoError(t, err)
	_, _, err = c.Newest(soon(t))
	require.ErrorIs(t, err, client.ErrTimeout)
	e, _, err := c.Newest(soon(t))
	require.NoError(t, err)
	require.Equal(t, satel.LogEntry{Record: e.Record, Index: second, Called: satel.NewestIndex}, e)
}

// A pushed record may be taken for the newest. The answer that is still due is older, and no answer to the next request
// for the newest: of a module that repeats another index than the one asked with, and of one that pushes under that.
func TestNewestNeverGoesBack(t *testing.T) {
	t.Parallel()
	first, second, third := satel.Index{1, 0, 0}, satel.Index{2, 0, 0}, satel.Index{3, 0, 0}
	want := satel.Subscription{Changed: satel.Commands(satel.CmdZonesAlarm)}
	for name, module := range map[string]struct {
		begins      func(p *peer)
		isMet       func(t *testing.T, c *client.Conn)
		pushed, due []byte
	}{
		"repeats another index": {
			func(p *peer) {
				p.wantNewest()
				p.answer(satel.CmdEventRecord, entry(first, first)...) // taken for the answer when its time is up
				p.tellTime()
			},
			func(t *testing.T, c *client.Conn) {
				t.Helper()
				e, _, err := c.Newest(soon(t))
				require.NoError(t, err)
				require.Equal(t, first, e.Index)
			},
			entry(third, second), entry(second, second),
		},
		"pushes under the index asked with": {
			func(p *peer) {
				p.want(satel.CmdNewData, satel.AppendSubscription(nil, want, satel.NewDataShort)...)
				p.answer(satel.CmdResult, byte(satel.ResultAccepted))
			},
			func(t *testing.T, c *client.Conn) {
				t.Helper()
				_, err := c.Subscribe(soon(t), want, satel.NewDataShort)
				require.NoError(t, err)
			},
			entry(third, satel.NewestIndex), entry(second, satel.NewestIndex),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := serve(t, func(p *peer) {
				module.begins(p)
				p.wantNewest()
				p.answer(satel.CmdEventRecord, module.pushed...)
				p.tellTime(module.due)
				p.wantNewest()
				p.answer(satel.CmdEventRecord, module.pushed...)
				_ = p.waitGone()
			})
			c := dial(t, address, short)
			module.isMet(t, c)
			for range 2 {
				e, _, err := c.Newest(soon(t))
				require.NoError(t, err)
				require.Equal(t, third, e.Index)
			}
		})
	}
}

// A list that came unasked does not show that the module has answered what it owed before.
func TestPushedListDoesNotSettleALateNewest(t *testing.T) {
	t.Parallel()
	first, second := satel.Index{1, 0, 0}, satel.Index{2, 0, 0}
	address, _ := serve(t, func(p *peer) {
		p.wantNewest()                        // its answer takes too long
		p.want(satel.CmdArmed)                // not heard
		p.answer(satel.CmdArmed, armedOne...) // pushed
		p.tellTime(entry(first, satel.NewestIndex))
		p.wantNewest()
		p.answer(satel.CmdEventRecord, entry(second, satel.NewestIndex)...)
		_ = p.waitGone()
	})
	c := dial(t, address, short)
	_, _, err := c.Newest(soon(t))
	require.ErrorIs(t, err, client.ErrTimeout)
	_, err = c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	e, _, err := c.Newest(soon(t))
	require.NoError(t, err)
	require.Equal(t, second, e.Index)
}

func TestListThatComesAfterItsTimeOutIsNews(t *testing.T) {
	t.Parallel()
	news := make(chan satel.Frame, 2)
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.want(satel.CmdOutputs)
		p.answer(satel.CmdArmed, armedOne...) // late, or pushed since: nobody can tell
		p.answer(satel.CmdOutputs, make([]byte, 16)...)
		p.answer(satel.CmdArmed, armedTwo...)
		_ = p.waitGone()
	})
	c := dial(t, address, func(cfg *client.Config) {
		short(cfg)
		cfg.OnNews = func(f satel.Frame) { news <- f }
	})
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.ErrorIs(t, err, client.ErrTimeout)
	_, err = c.List(soon(t), satel.CmdOutputs, false)
	require.NoError(t, err)
	require.Equal(t, satel.Frame{Cmd: satel.CmdArmed, Data: armedOne}, <-news)
	require.Equal(t, satel.Frame{Cmd: satel.CmdArmed, Data: armedTwo}, <-news)
	require.EqualValues(t, 1, c.Stats().Late)
}

func TestPushedRecordsWhileOlderOnesAreReadAreNews(t *testing.T) {
	t.Parallel()
	news := make(chan satel.Frame, 10)
	pushed := entry(satel.Index{9, 9, 9}, satel.Index{9, 1, 9})
	address, _ := serve(t, func(p *peer) {
		p.wantNewest()
		p.answer(satel.CmdEventRecord, entry(satel.Index{2, 2, 2}, satel.NewestIndex)...)
		for i := range byte(5) {
			at := satel.Index{1, i, 0}
			p.want(satel.CmdEventRecord, at[:]...)
			p.answer(satel.CmdEventRecord, pushed...)
			p.answer(satel.CmdEventRecord, entry(satel.Index{1, i + 1, 0}, at)...)
		}
		_ = p.waitGone()
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
	_, _, err := c.Newest(soon(t))
	require.NoError(t, err)
	for i := range byte(5) {
		e, _, err := c.Older(soon(t), satel.Index{1, i, 0})
		require.NoError(t, err)
		require.Equal(t, satel.Index{1, i + 1, 0}, e.Index)
		require.Equal(t, pushed, (<-news).Data)
	}
}

// A record that comes while the one behind the newest is asked for is pushed under the very index that is asked with.
func TestRecordPushedWhileTheOneBehindTheNewestIsRead(t *testing.T) {
	t.Parallel()
	newest, older, next := satel.Index{5, 0, 0}, satel.Index{4, 0, 0}, satel.Index{6, 0, 0}
	want := satel.Subscription{Changed: satel.Commands(satel.CmdZonesAlarm)}
	for name, first := range map[string][]satel.Index{
		"the answer follows": {next, older}, "the answer came before": {older, next}, "nothing is pushed": {older},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			news := make(chan satel.Frame, 10)
			address, _ := serve(t, func(p *peer) {
				p.want(satel.CmdNewData, satel.AppendSubscription(nil, want, satel.NewDataShort)...)
				p.answer(satel.CmdResult, byte(satel.ResultAccepted))
				p.wantNewest()
				p.answer(satel.CmdEventRecord, entry(newest, satel.NewestIndex)...)
				p.want(satel.CmdEventRecord, newest[:]...)
				p.answer(satel.CmdEventRecord, entry(first[0], newest)...)
				if len(first) > 1 { // where it still owes the answer, it does not hear the request that comes now
					p.want(satel.CmdEventRecord, newest[:]...)
					p.answer(satel.CmdEventRecord, entry(first[1], newest)...)
				}
				p.untilGone(func(satel.Frame) { p.answer(satel.CmdEventRecord, entry(older, newest)...) })
			})
			c := dial(t, address, func(cfg *client.Config) { cfg.OnNews = func(f satel.Frame) { news <- f } })
			_, err := c.Subscribe(soon(t), want, satel.NewDataShort)
			require.NoError(t, err)
			_, _, err = c.Newest(soon(t))
			require.NoError(t, err)
			e, _, err := c.Older(soon(t), newest)
			require.NoError(t, err)
			require.Equal(t, older, e.Index)
			if len(first) > 1 {
				require.Eventually(t, func() bool {
					select {
					case f := <-news:
						return bytes.Equal(f.Data, entry(next, newest))
					default:
						return false
					}
				}, patience, time.Millisecond, "what was pushed is news all the same")
			}
			c.Close()
		})
	}
}

// The module does not listen for a while after its answer, also when that came after a list of the same kind that was
// pushed and taken for it.
func TestGapIsLeftAfterAnAnswerThatCameUnexpected(t *testing.T) {
	t.Parallel()
	const gap = 300 * time.Millisecond
	var answered, asked time.Time
	address, ended := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedOne...) // pushed
		<-time.After(gap / 2)
		answered = time.Now()
		p.answer(satel.CmdArmed, armedOne...)
		p.want(satel.CmdClock)
		asked = time.Now()
		p.answer(satel.CmdClock, clockBytes...)
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.StartGap, cfg.MinGap = gap, gap })
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
	ended()
	require.GreaterOrEqual(t, asked.Sub(answered), gap)
}

// A list that is pushed while it is read is taken for the answer; the next request then comes while the module still owes
// that, and is lost. It is asked again as soon as nothing but what was owed has come.
func TestReadThatCameTooSoonIsAskedAgain(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedOne...) // pushed
		p.want(satel.CmdClock)                // lost
		p.answer(satel.CmdArmed, armedOne...)
		p.want(satel.CmdClock)
		p.answer(satel.CmdClock, clockBytes...)
		_ = p.waitGone()
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.Timeout = patience })
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	began := time.Now()
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
	require.Less(t, time.Since(began), patience/2)
	require.Zero(t, c.Stats().Timeouts)
}

// A module that pushes a list on and on and leaves another request without an answer is not asked on and on.
func TestReadThatIsNotHeardTwiceEndsWithItsTimeOut(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	requests := 0
	address, ended := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedOne...)
		p.untilGone(func(satel.Frame) {
			requests++
			p.answer(satel.CmdArmed, armedTwo...)
		})
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.Timeout = timeout })
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	_, err = c.Temperature(soon(t), 1)
	require.ErrorIs(t, err, client.ErrTimeout)
	c.Close()
	ended()
	require.Equal(t, 2, requests)
}

func TestControlThatCameTooSoonIsNotGivenAgain(t *testing.T) {
	t.Parallel()
	controls := 0
	address, ended := serve(t, func(p *peer) {
		p.want(satel.CmdArmed)
		p.answer(satel.CmdArmed, armedOne...)
		p.untilGone(func(satel.Frame) {
			controls++
			p.answer(satel.CmdArmed, armedOne...)
		})
	})
	c := dial(t, address, func(cfg *client.Config) { cfg.Timeout = 2 * time.Second })
	_, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	require.NoError(t, err)
	_, err = c.Disarm(soon(t), code, armedOne, nil)
	require.ErrorIs(t, err, client.ErrTimeout)
	c.Close()
	ended()
	require.Equal(t, 1, controls)
}
