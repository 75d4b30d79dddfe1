package client_test

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

const integrationKey = "klucz"

func newCipher(t require.TestingT, key string) *satel.Cipher {
	c, err := satel.NewCipher(key)
	require.NoError(t, err)
	return c
}

// vault is the module's end of an encrypted connection.
type vault struct {
	*peer
	cipher  *satel.Cipher
	own     byte // changes with each message
	client  byte // the client's number in its last message
	counter uint16
	heard   int // messages of the client
}

// lock serves as a module that encrypts with a key.
func lock(t *testing.T, key string, script func(v *vault)) string {
	t.Helper()
	c := newCipher(t, key)
	address, _ := serve(t, func(p *peer) { script(&vault{peer: p, cipher: c, own: 100}) })
	return address
}

// message returns the client's next message and checks the numbers in it.
func (v *vault) message() (satel.Frame, error) {
	if err := v.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return satel.Frame{}, err
	}
	var size [1]byte
	if _, err := io.ReadFull(v.conn, size[:]); err != nil {
		return satel.Frame{}, err
	}
	body := make([]byte, size[0])
	if _, err := io.ReadFull(v.conn, body); err != nil {
		return satel.Frame{}, err
	}
	m, err := v.cipher.ParseMessage(body)
	if err != nil {
		return satel.Frame{}, err
	}
	mirrored := byte(0)
	if v.counter > 0 {
		mirrored = v.own
	}
	if int(m.Counter) != v.heard || m.Receiver != mirrored || m.Sender == 0 {
		v.t.Errorf("message %d has counter %d, sender %d and receiver %d, want receiver %d",
			v.heard, m.Counter, m.Sender, m.Receiver, mirrored)
	}
	v.heard++
	v.client = m.Sender
	v.decoder.Write(m.Frame)
	f, ok := v.decoder.Next()
	if !ok {
		return satel.Frame{}, errors.New("message without a whole frame")
	}
	return f, nil
}

func (v *vault) expect(cmd satel.Command) {
	f, err := v.message()
	if err != nil || f.Cmd != cmd {
		v.t.Errorf("module waits for %s: %s, %v", cmd, f.Cmd, err)
	}
}

// seal returns a frame as a message that answers the client.
func (v *vault) seal(cmd satel.Command, data ...byte) []byte {
	v.own++
	v.counter++
	return v.cipher.AppendMessage(nil, satel.Message{
		Random: [2]byte{1, byte(v.counter)}, Counter: v.counter, Sender: v.own, Receiver: v.client,
		Frame: satel.AppendFrame(nil, cmd, data),
	})
}

func encrypted(key string) func(*client.Config) {
	c, err := satel.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return func(cfg *client.Config) { cfg.Cipher = c }
}

func TestEncryptedAnswersComeInAnyPieces(t *testing.T) {
	t.Parallel()
	address := lock(t, integrationKey, func(v *vault) {
		for range 300 { // more than ids and the low half of the counter have values
			v.expect(satel.CmdArmed)
			v.write(v.seal(satel.CmdArmed, armedTwo...))
		}
		v.expect(satel.CmdArmed)
		for _, b := range v.seal(satel.CmdArmed, armedOne...) {
			v.write([]byte{b})
		}
		v.expect(satel.CmdTroubles8)
		several := v.seal(satel.CmdOutputs, make([]byte, 32)...)
		several = append(several, v.seal(satel.CmdTroubles8, make([]byte, 64)...)...)
		several = append(several, v.seal(satel.CmdZonesViolated, make([]byte, 32)...)...)
		v.write(several[:50])
		v.write(several[50:])
		v.expect(satel.CmdClock)
		v.write(v.seal(satel.CmdClock, clockBytes...))
	})
	news := make(chan satel.Frame, 2)
	c := dial(t, address, func(cfg *client.Config) {
		encrypted(integrationKey)(cfg)
		cfg.OnNews = func(f satel.Frame) { news <- f }
	})
	for range 300 {
		b, err := c.List(soon(t), satel.CmdArmed, false)
		require.NoError(t, err)
		require.Equal(t, satel.Bits(armedTwo), b)
	}
	b, err := c.List(soon(t), satel.CmdArmed, false)
	require.NoError(t, err)
	require.Equal(t, satel.Bits(armedOne), b)
	_, err = c.Troubles(soon(t), satel.CmdTroubles8)
	require.NoError(t, err)
	require.Equal(t, satel.CmdOutputs, (<-news).Cmd)
	require.Equal(t, satel.CmdZonesViolated, (<-news).Cmd)
	_, _, err = c.Clock(soon(t))
	require.NoError(t, err)
}

func TestModuleThatSpeaksBeforeItIsAskedIsTaken(t *testing.T) {
	t.Parallel()
	c := newCipher(t, integrationKey)
	busy := satel.AppendBusy(nil, [8]byte{0xD8, 0xA5})
	inFrameOf := func(text []byte) []byte {
		return c.AppendMessage(nil, satel.Message{Sender: 7, Frame: text})
	}
	for name, text := range map[string][]byte{
		"plain": busy, "under the key": inFrameOf(busy), "under the key, short": inFrameOf(busy[:8]),
		"opaque":   {0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		"one byte": {0x00}, "a frame": satel.AppendFrame(nil, satel.CmdClock, clockBytes),
	} {
		for _, hold := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				address, _ := serve(t, func(p *peer) {
					p.write(text)
					if hold {
						_ = p.waitGone()
					}
				})
				cfg := client.Config{Address: address}
				encrypted(integrationKey)(&cfg)
				_, err := client.Dial(t.Context(), cfg)
				require.ErrorIs(t, err, client.ErrBusy)
				require.NotErrorIs(t, err, client.ErrKey)
			})
		}
	}
}

func TestTextOfATakenModuleThatComesAfterTheFirstEncryptedRequest(t *testing.T) {
	t.Parallel()
	c := newCipher(t, integrationKey)
	busy := satel.AppendBusy(nil, [8]byte{})
	for name, text := range map[string][]byte{
		"plain": busy, "under the key": c.AppendMessage(nil, satel.Message{Sender: 7, Frame: busy}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := lock(t, integrationKey, func(v *vault) {
				v.expect(satel.CmdClock)
				v.write(text)
			})
			conn := dial(t, address, encrypted(integrationKey))
			_, _, err := conn.Clock(soon(t))
			require.ErrorIs(t, err, client.ErrBusy)
		})
	}
}

func TestWhatNoKeyOpensEndsTheConnection(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(v *vault){
		"another key": func(v *vault) {
			v.cipher = newCipher(t, "other")
			v.client = 1
			v.write(v.seal(satel.CmdClock, clockBytes...))
		},
		"hangs up":          func(*vault) {},
		"length below 16":   func(v *vault) { v.write([]byte{15, 1, 2, 3}) },
		"length of nothing": func(v *vault) { v.write([]byte{0}) },
		"half a message": func(v *vault) {
			whole := v.seal(satel.CmdClock, clockBytes...)
			v.write(whole[:len(whole)-1])
		},
		"not encrypted": func(v *vault) { v.write(satel.AppendFrame(nil, satel.CmdClock, clockBytes)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := lock(t, integrationKey, func(v *vault) {
				v.expect(satel.CmdClock)
				script(v)
			})
			conn := dial(t, address, encrypted(integrationKey))
			_, _, err := conn.Clock(soon(t))
			require.ErrorIs(t, err, client.ErrKey)
			require.ErrorIs(t, err, client.ErrNoAnswer)
			require.ErrorIs(t, err, client.ErrClosed)
			require.True(t, client.IsLost(err))
		})
	}
}

func TestSilenceUnderAWrongKeyIsATimeOutThatSaysSo(t *testing.T) {
	t.Parallel()
	address := lock(t, "other", func(v *vault) {
		_, _ = io.Copy(io.Discard, v.conn)
	})
	conn := dial(t, address, func(cfg *client.Config) {
		encrypted(integrationKey)(cfg)
		short(cfg)
	})
	_, _, err := conn.Clock(soon(t))
	require.ErrorIs(t, err, client.ErrKey)
	require.ErrorIs(t, err, client.ErrNoAnswer)
	require.ErrorIs(t, err, client.ErrTimeout)
	require.NotContains(t, err.Error(), integrationKey)
}

func TestAnswerToAnotherClientEndsTheConnectionWithoutBlamingTheKey(t *testing.T) {
	t.Parallel()
	address := lock(t, integrationKey, func(v *vault) {
		v.expect(satel.CmdClock)
		v.write(v.seal(satel.CmdClock, clockBytes...))
		v.expect(satel.CmdArmed)
		v.client++
		v.write(v.seal(satel.CmdArmed, armedOne...))
		_ = v.waitGone()
	})
	conn := dial(t, address, encrypted(integrationKey))
	_, _, err := conn.Clock(soon(t))
	require.NoError(t, err)
	_, err = conn.List(soon(t), satel.CmdArmed, false)
	require.ErrorIs(t, err, client.ErrClosed)
	require.NotErrorIs(t, err, client.ErrKey)
	require.ErrorContains(t, err, "another client")
}

func TestModuleThatHangsUpBeforeTheFirstRequestIsNoMatterOfTheKey(t *testing.T) {
	t.Parallel()
	address := lock(t, integrationKey, func(*vault) {})
	cfg := client.Config{Address: address}
	encrypted(integrationKey)(&cfg)
	_, err := client.Dial(t.Context(), cfg)
	require.ErrorIs(t, err, client.ErrNoAnswer)
	require.NotErrorIs(t, err, client.ErrKey)
}

func TestFrameTooLongForAMessageIsRefusedAndHarmsNothing(t *testing.T) {
	t.Parallel()
	address := lock(t, integrationKey, func(v *vault) {
		v.expect(satel.CmdClock)
		v.write(v.seal(satel.CmdClock, clockBytes...))
	})
	conn := dial(t, address, encrypted(integrationKey))
	_, err := conn.Request(soon(t), satel.CmdSelf, make([]byte, satel.MaxData))
	require.ErrorIs(t, err, client.ErrRequest)
	_, _, err = conn.Clock(soon(t))
	require.NoError(t, err)
}

func TestManyConnectionsShareOneCipher(t *testing.T) {
	t.Parallel()
	cipher := newCipher(t, integrationKey)
	ctx := soon(t)
	var wait sync.WaitGroup
	for range 8 {
		address := lock(t, integrationKey, func(v *vault) {
			for range 50 {
				v.expect(satel.CmdArmed)
				v.write(v.seal(satel.CmdArmed, armedOne...))
			}
		})
		conn := dial(t, address, func(cfg *client.Config) { cfg.Cipher = cipher })
		wait.Go(func() {
			for range 50 {
				b, err := conn.List(ctx, satel.CmdArmed, false)
				if err != nil || !b.Has(1) {
					t.Errorf("armed: %v, %v", b, err)
				}
			}
		})
	}
	wait.Wait()
}
