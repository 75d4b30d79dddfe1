package client

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// stream is a connection that has received all it will ever receive.
type stream struct {
	io.Reader
	io.Writer
}

// opened returns the frames that a connection which has asked reads, and why it ended.
func opened(t *testing.T, c *satel.Cipher, own byte, in io.Reader) ([][]byte, error) {
	t.Helper()
	s := newSealed(stream{in, io.Discard}, c)
	s.own = own
	_, err := s.Write(satel.AppendFrame(nil, satel.CmdClock, nil))
	require.NoError(t, err)
	frames := [][]byte{}
	buf := make([]byte, satel.MaxMessageFrame)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return frames, err
		}
		frames = append(frames, bytes.Clone(buf[:n]))
	}
}

func FuzzEncryptedStream(f *testing.F) {
	c, err := satel.NewCipher("klucz")
	require.NoError(f, err)
	const own = 7
	message := func(m satel.Message) []byte {
		m.Receiver = own
		return c.AppendMessage(nil, m)
	}
	one := message(satel.Message{Sender: 1, Frame: satel.AppendFrame(nil, satel.CmdTroubles8, make([]byte, 64))})
	f.Add(one)
	f.Add(append(bytes.Clone(one), one[:20]...))
	f.Add(append(bytes.Clone(one), message(satel.Message{Sender: 2, Frame: satel.AppendFrame(nil, satel.CmdClock, nil)})...))
	f.Add(satel.AppendBusy(nil, [8]byte{}))
	f.Add(message(satel.Message{Frame: satel.AppendBusy(nil, [8]byte{})}))
	f.Add([]byte{15})
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, why := opened(t, c, own, bytes.NewReader(in))
		pieces, whyPieces := opened(t, c, own, iotest.OneByteReader(bytes.NewReader(in)))
		require.Equal(t, whole, pieces)
		require.Equal(t, why.Error(), whyPieces.Error())
		size := 0
		for _, frame := range whole {
			require.True(t, bytes.HasPrefix(frame, []byte{0xFE, 0xFE}))
			size += 1 + satel.MinMessage
		}
		require.LessOrEqual(t, size, len(in))
	})
}
