package satel_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

// encryptionVector is one vector of the section for the encrypted mode: a key, one message, or several in their order.
type encryptionVector struct {
	Name, Kind, Key string
	AESKey          hexBytes `json:"aes_key"`
	messageVector
	Steps []struct {
		Dir    string
		Accept bool
		messageVector
	}
}

// messageVector is a message with its wire form; Plain is its form before encryption, where a vector has that.
type messageVector struct {
	Random             hexBytes
	Counter            uint16
	Sender             byte `json:"id_s"`
	Receiver           byte `json:"id_r"`
	Frame, Plain, Wire hexBytes
}

func (v messageVector) message() satel.Message {
	return satel.Message{
		Random: [2]byte(v.Random), Counter: v.Counter, Sender: v.Sender, Receiver: v.Receiver, Frame: v.Frame,
	}
}

// plain returns what is encrypted of a message.
func plain(m satel.Message) []byte {
	out := append([]byte{}, m.Random[:]...)
	out = binary.BigEndian.AppendUint16(out, m.Counter)
	out = append(append(out, m.Sender, m.Receiver), m.Frame...)
	return append(out, make([]byte, max(0, aes.BlockSize-len(out)))...)
}

// encrypted is the cipher once more, by the modes of the standard library.
func encrypted(t require.TestingT, key, plain []byte) []byte {
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	chain := make([]byte, aes.BlockSize)
	block.Encrypt(chain, chain)
	whole := len(plain) / aes.BlockSize * aes.BlockSize
	out := bytes.Clone(plain)
	cipher.NewCBCEncrypter(block, chain).CryptBlocks(out[:whole], out[:whole])
	block.Encrypt(chain, out[whole-aes.BlockSize:whole])
	subtle.XORBytes(out[whole:], out[whole:], chain)
	return append([]byte{byte(len(out))}, out...)
}

func newCipher(t require.TestingT, key string) *satel.Cipher {
	c, err := satel.NewCipher(key)
	require.NoError(t, err)
	return c
}

func testEncryptionVectors(t *testing.T, v vectorFile) {
	for _, x := range v.Encryption {
		c := newCipher(t, x.Key)
		switch x.Kind {
		case "key":
			m := satel.Message{Counter: 1, Sender: 2, Frame: satel.AppendFrame(nil, satel.CmdTroubles1, make([]byte, 47))}
			require.Equal(t, encrypted(t, x.AESKey, plain(m)), c.AppendMessage(nil, m), x.Name)
		case "pdu":
			require.Equal(t, []byte(x.Plain), plain(x.message()), x.Name)
			require.Equal(t, []byte(x.Wire), c.AppendMessage(nil, x.message()), x.Name)
			m, err := c.ParseMessage(bytes.Clone(x.Wire[1:]))
			require.NoError(t, err, x.Name)
			require.Equal(t, x.message(), bytesOnly(m), x.Name)
		case "exchange":
			sent := map[string]byte{}
			for i, s := range x.Steps {
				what := fmt.Sprintf("%s, step %d", x.Name, i)
				m, err := c.ParseMessage(bytes.Clone(s.Wire[1:]))
				accept := err == nil
				if s.Dir == "panel" {
					accept = accept && m.Receiver == sent["client"]
				}
				require.Equal(t, s.Accept, accept, what)
				if err == nil {
					require.Equal(t, s.message(), bytesOnly(m), what)
					require.Equal(t, []byte(s.Wire), c.AppendMessage(nil, s.message()), what)
				}
				sent[s.Dir] = s.Sender
			}
		default:
			require.Fail(t, "vector of a kind that the test does not know", x.Name)
		}
	}
}

// bytesOnly returns the message with a frame of the type that vectors have.
func bytesOnly(m satel.Message) satel.Message {
	m.Frame = append(hexBytes{}, m.Frame...)
	return m
}

func anyKey(t *rapid.T) string {
	return string(rapid.SliceOfN(rapid.ByteRange(' ', '~'), 0, 20).Draw(t, "key"))
}

func anyMessage(t *rapid.T) satel.Message {
	f := anyFrame(t)
	frame := satel.AppendFrame(nil, f.Cmd, f.Data)
	for len(frame) > satel.MaxMessageFrame {
		f.Data = f.Data[:len(f.Data)/2]
		frame = satel.AppendFrame(nil, f.Cmd, f.Data)
	}
	return satel.Message{
		Random:  [2]byte{rapid.Byte().Draw(t, "random"), rapid.Byte().Draw(t, "random")},
		Counter: rapid.Uint16().Draw(t, "counter"), Sender: rapid.Byte().Draw(t, "sender"),
		Receiver: rapid.Byte().Draw(t, "receiver"), Frame: frame,
	}
}

func TestMessagesSurviveEncryption(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, m := newCipher(t, anyKey(t)), anyMessage(t)
		before := []byte("what stands before")
		wire := c.AppendMessage(bytes.Clone(before), m)
		require.Equal(t, before, wire[:len(before)])
		wire = wire[len(before):]
		require.Len(t, wire, 1+int(wire[0]))
		require.Equal(t, max(16, 6+len(m.Frame)), int(wire[0]))
		got, err := c.ParseMessage(wire[1:])
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

func TestMessagesAreOfNoUseUnderAnotherKey(t *testing.T) {
	t.Parallel()
	wrong := 0
	rapid.Check(t, func(t *rapid.T) {
		key, other := anyKey(t), anyKey(t)
		significant := func(s string) string { return strings.TrimRight(s[:min(len(s), satel.KeySize)], " ") }
		if significant(key) == significant(other) {
			return
		}
		m := anyMessage(t)
		wire := newCipher(t, key).AppendMessage(nil, m)
		got, err := newCipher(t, other).ParseMessage(wire[1:])
		if err == nil {
			// One of 65,536 looks like a frame by chance; the frame's own check value finds it.
			require.NotEqual(t, m, got)
			wrong++
			return
		}
		require.ErrorIs(t, err, satel.ErrMessage)
	})
	require.LessOrEqual(t, wrong, 2)
}

func TestKeysThatNoModuleHasAreRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"zażółć", "tab\t", "nul\x00", "\x7f"} {
		_, err := satel.NewCipher(key)
		require.ErrorIs(t, err, satel.ErrKey)
		require.NotContains(t, err.Error(), key)
	}
}

func TestLengthsThatNoMessageHasAreRefused(t *testing.T) {
	t.Parallel()
	c := newCipher(t, "")
	for _, n := range []int{0, 1, satel.MinMessage - 1, satel.MaxMessage + 1} {
		_, err := c.ParseMessage(make([]byte, n))
		require.ErrorIs(t, err, satel.ErrLength)
	}
	require.Panics(t, func() { c.AppendMessage(nil, satel.Message{Frame: make([]byte, satel.MaxMessageFrame+1)}) })
}

func TestEncryptionDoesNotAllocate(t *testing.T) {
	c := newCipher(t, "klucz")
	m := satel.Message{Frame: satel.AppendFrame(nil, satel.CmdZonesViolated, make([]byte, 32))}
	buf := make([]byte, 0, 2*satel.MaxMessage)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		buf = c.AppendMessage(buf[:0], m)
		if _, err := c.ParseMessage(buf[1:]); err != nil {
			panic(err)
		}
	}))
}

func FuzzParseMessage(f *testing.F) {
	keys := []string{"", "klucz", "123456789012"}
	for i, key := range keys {
		for _, data := range [][]byte{nil, {1, 2, 3, 4}, bytes.Repeat([]byte{0xFE}, 32)} {
			wire := newCipher(f, key).AppendMessage(nil, satel.Message{
				Counter: 7, Sender: 8, Receiver: 9, Frame: satel.AppendFrame(nil, satel.CmdFirstCode, data),
			})
			f.Add(uint8(i), wire[1:])
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		c := newCipher(t, keys[int(which)%len(keys)])
		m, err := c.ParseMessage(bytes.Clone(body))
		if err != nil {
			return
		}
		require.True(t, bytes.HasPrefix(m.Frame, []byte{0xFE, 0xFE}) && bytes.HasSuffix(m.Frame, []byte{0xFE, 0x0D}))
		again := c.AppendMessage(nil, m)
		got, err := c.ParseMessage(again[1:])
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

func BenchmarkAppendMessage(b *testing.B) {
	c := newCipher(b, "klucz")
	m := satel.Message{Frame: satel.AppendFrame(nil, satel.CmdZonesViolated, make([]byte, 32))}
	buf := make([]byte, 0, 2*satel.MaxMessage)
	b.ReportAllocs()
	b.SetBytes(int64(len(m.Frame)))
	for b.Loop() {
		buf = c.AppendMessage(buf[:0], m)
	}
}

func BenchmarkParseMessage(b *testing.B) {
	c := newCipher(b, "klucz")
	wire := c.AppendMessage(nil, satel.Message{Frame: satel.AppendFrame(nil, satel.CmdZonesViolated, make([]byte, 32))})
	body := make([]byte, len(wire)-1)
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		copy(body, wire[1:])
		if _, err := c.ParseMessage(body); err != nil {
			b.Fatal(err)
		}
	}
}
