package push

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A client of the library reads what was composed without it, at every form of length.
func TestFramesAreThoseOfTheProtocol(t *testing.T) {
	lengths := []int{0, 1, 125, 126, 0xFFFF, 0x10000, 200_000}
	var frames []byte
	for _, n := range lengths {
		frames = appendFrame(frames, frameText, bytes.Repeat([]byte("x"), n))
		frames = appendFrame(frames, framePing, nil)
	}
	answered := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		capture, pongs := &hijacked{ResponseWriter: w}, 0
		defer func() { answered <- pongs }()
		ws, err := websocket.Accept(capture, r, &websocket.AcceptOptions{OnPongReceived: func(context.Context, []byte) { pongs++ }})
		if err != nil {
			return
		}
		if _, err := capture.conn.Write(frames); err != nil {
			return
		}
		_, _, _ = ws.Read(context.Background()) // until the client closes
	}))
	defer server.Close()

	ws, _, err := websocket.Dial(t.Context(), server.URL, nil)
	require.NoError(t, err)
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(-1)
	for _, n := range lengths {
		kind, data, err := ws.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, websocket.MessageText, kind)
		require.Equal(t, strings.Repeat("x", n), string(data))
	}
	require.NoError(t, ws.Close(websocket.StatusNormalClosure, ""))
	require.GreaterOrEqual(t, <-answered, len(lengths)-1, "the pings between them were answered")
}

func TestBuffersThatOneMessageHasMadeLargeAreNotKept(t *testing.T) {
	large := &buffer{b: make([]byte, 100, 1<<20)}
	large.giveBack()
	require.Len(t, large.b, 100, "left to the collector as it is")
	small := &buffer{b: make([]byte, 100)}
	small.giveBack()
	require.Empty(t, small.b)
}
