package sim

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

// serve runs a server with the given panels until the test ends.
func serve(t *testing.T, panels ...*Panel) *Server {
	t.Helper()
	s, err := NewServer(ServerConfig{Panels: panels, Control: "127.0.0.1:0"})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	return s
}

// quick is a panel whose module answers at once and always listens.
func quick(t *testing.T, change ...func(*Config)) *bench {
	return setup(t, append([]func(*Config){func(c *Config) { c.AnswerDelay, c.MinGap = -1, -1 }}, change...)...)
}

// wire is the client's end of a connection.
type wire struct {
	net.Conn
	t       *testing.T
	decoder satel.Decoder
}

func dial(t *testing.T, s *Server, panel int) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", s.PanelAddr(panel))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return &wire{Conn: conn, t: t}
}

func (w *wire) send(cmd satel.Command, data ...byte) {
	w.t.Helper()
	_, err := w.Write(satel.AppendFrame(nil, cmd, data))
	require.NoError(w.t, err)
}

// next returns the next frame, or the error that ended the connection.
func (w *wire) next() (satel.Frame, error) {
	buf := make([]byte, 256)
	for {
		if frame, ok := w.decoder.Next(); ok {
			return satel.Frame{Cmd: frame.Cmd, Data: append([]byte(nil), frame.Data...)}, nil
		}
		n, err := w.Read(buf)
		w.decoder.Write(buf[:n])
		if err != nil && n == 0 {
			return satel.Frame{}, err
		}
	}
}

// ask sends a request and returns its answer, which must come.
func (w *wire) ask(cmd satel.Command, data ...byte) satel.Frame {
	w.t.Helper()
	w.send(cmd, data...)
	frame, err := w.next()
	require.NoError(w.t, err)
	return frame
}

// gone waits for the end of the connection.
func (w *wire) gone() {
	w.t.Helper()
	_, err := w.next()
	require.Error(w.t, err)
	require.NotErrorIs(w.t, err, os.ErrDeadlineExceeded, "the connection is still there")
}

func eventually(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, patience, time.Millisecond)
}

// last is the newest connection, an empty one before the first.
func (b *bench) last() Connection {
	seen := b.Connections()
	if len(seen) == 0 {
		return Connection{}
	}
	return seen[len(seen)-1]
}

func TestPanelsAnswerOnTheirOwnPorts(t *testing.T) {
	one, two := quick(t), quick(t, func(c *Config) { c.Model = "INTEGRA 64" })
	s := serve(t, one.Panel, two.Panel)
	require.NotEqual(t, s.PanelAddr(1), s.PanelAddr(2))
	first, second := dial(t, s, 1), dial(t, s, 2)
	one.do(one.Violate(4))
	require.Equal(t, []int{4}, satel.Bits(first.ask(satel.CmdZonesViolated).Data).Numbers())
	require.Empty(t, satel.Bits(second.ask(satel.CmdZonesViolated).Data).Numbers())
	require.Equal(t, byte(2), second.ask(satel.CmdPanelVersion).Data[0])
	require.Empty(t, s.PanelAddr(3))
	require.Nil(t, s.Panel(3))
}

func TestAnswerLeavesAtItsTime(t *testing.T) {
	const delay = 30 * time.Millisecond
	b := quick(t, func(c *Config) { c.AnswerDelay = delay })
	w := dial(t, serve(t, b.Panel), 1)
	for range 5 {
		sent := time.Now()
		w.ask(satel.CmdClock)
		require.GreaterOrEqual(t, time.Since(sent), delay)
	}
}

func TestSecondClientReadsBusy(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	first := dial(t, s, 1)
	first.ask(satel.CmdClock)
	second := dial(t, s, 1)
	text, err := io.ReadAll(second)
	require.NoError(t, err)
	require.Len(t, text, satel.BusySize)
	require.True(t, satel.IsBusy(text))
	require.Equal(t, satel.CmdClock, first.ask(satel.CmdClock).Cmd, "the first is not disturbed")
	require.True(t, b.last().Busy)

	require.NoError(t, first.Close())
	eventually(t, func() bool { return !b.State().Connected })
	require.Equal(t, satel.CmdClock, dial(t, s, 1).ask(satel.CmdClock).Cmd)
}

func TestRequestBeforeTheAnswerIsLost(t *testing.T) {
	b := quick(t, func(c *Config) { c.AnswerDelay = 50 * time.Millisecond })
	w := dial(t, serve(t, b.Panel), 1)
	both := satel.AppendFrame(satel.AppendFrame(nil, satel.CmdClock, nil), satel.CmdPanelVersion, nil)
	_, err := w.Write(both)
	require.NoError(t, err)
	frame, err := w.next()
	require.NoError(t, err)
	require.Equal(t, satel.CmdClock, frame.Cmd)
	require.Equal(t, satel.CmdArmed, w.ask(satel.CmdArmed).Cmd, "the lost one is not made up for")
	require.Equal(t, 1, b.last().Lost)
	require.Equal(t, []Fate{FateAnswered, FateLost, FateAnswered}, fates(b.last()))
}

func fates(c Connection) []Fate {
	var out []Fate
	for _, r := range c.Recent {
		out = append(out, r.Fate)
	}
	return out
}

func TestRequestTooSoonAfterTheAnswerIsLost(t *testing.T) {
	b := quick(t, func(c *Config) { c.MinGap = time.Hour })
	w := dial(t, serve(t, b.Panel), 1)
	w.ask(satel.CmdClock)
	w.send(satel.CmdClock)
	eventually(t, func() bool { return b.last().Lost == 1 })
	require.Equal(t, 1, b.last().Answers)
}

func TestSilentClientIsHungUpOn(t *testing.T) {
	b := quick(t, func(c *Config) { c.IdleLimit = 50 * time.Millisecond })
	w := dial(t, serve(t, b.Panel), 1)
	w.gone()
	eventually(t, func() bool { return b.last().Ended == "silent for too long" })
}

func TestGarbageIsSkipped(t *testing.T) {
	b := quick(t)
	w := dial(t, serve(t, b.Panel), 1)
	good := satel.AppendFrame(nil, satel.CmdClock, nil)
	bad := append([]byte(nil), good...)
	bad[3] ^= 0xFF
	for _, garbage := range [][]byte{
		{0, 1, 2, 0xFE, 3},
		bad,
		{0xFE, 0xFE},
		{0xFE, 0xFE, 0xFE, 0x0D},
		make([]byte, 5000),
		satel.AppendFrame(nil, 0x5A, []byte{1, 2, 3}), satel.AppendFrame(nil, satel.CmdArm0, []byte{1}),
	} {
		_, err := w.Write(garbage)
		require.NoError(t, err)
		require.Equal(t, satel.CmdClock, w.ask(satel.CmdClock).Cmd)
	}
	require.Positive(t, b.last().Damaged)
	require.Equal(t, 7, b.last().Requests[satel.CmdClock])
}

func TestDroppedLink(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	b.SetLink(LinkDropped, 0)
	w.gone()
	if conn, err := net.Dial("tcp", s.PanelAddr(1)); err == nil { // it may be reset before it is there
		_, err = io.ReadAll(conn)
		require.Error(t, err)
		require.NoError(t, conn.Close())
	}
	eventually(t, func() bool { return b.last().Ended == "the link is dropped" })
	b.SetLink(LinkNormal, 0)
	require.Equal(t, satel.CmdClock, dial(t, s, 1).ask(satel.CmdClock).Cmd)

	b.SetLink(LinkDropped, time.Millisecond)
	eventually(t, func() bool { return b.Link() == LinkNormal })
}

func TestHangUpIsForOnce(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	b.HangUp()
	w.gone()
	require.Equal(t, satel.CmdClock, dial(t, s, 1).ask(satel.CmdClock).Cmd)
}

func TestHungLink(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	b.SetLink(LinkHung, 0)
	code, err := satel.EncodeUserCode(DefaultCode, "", satel.UserCodeSize)
	require.NoError(t, err)
	w.send(satel.CmdArm0, append(code, 1, 0, 0, 0)...)
	eventually(t, func() bool { return b.last().Requests[satel.CmdArm0] == 1 })
	require.Empty(t, b.Commands(), "a module that hangs does nothing")
	text, err := io.ReadAll(dial(t, s, 1))
	require.NoError(t, err)
	require.True(t, satel.IsBusy(text), "and the connection is kept")
	b.SetLink(LinkNormal, 0)
	require.Equal(t, satel.CmdClock, w.ask(satel.CmdClock).Cmd)
	require.Equal(t, make([]byte, 8), b.Connections()[0].Recent[1].Data[:8], "no code is kept")
}

func TestRoutesAreReachedBesideTheControlAPI(t *testing.T) {
	b := quick(t)
	s, err := NewServer(ServerConfig{Panels: []*Panel{b.Panel}, Routes: map[string]http.Handler{
		"POST /panels/{n}/more": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("n")) }),
	}})
	require.NoError(t, err)
	for path, want := range map[string]int{"/panels/7/more": http.StatusOK, "/panels/1/restart": http.StatusOK, "/panels/1/less": http.StatusNotFound} {
		w := httptest.NewRecorder()
		s.ControlHandler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, http.NoBody))
		require.Equal(t, want, w.Code, path)
	}
}

func TestGarbledLink(t *testing.T) {
	b := quick(t)
	w := dial(t, serve(t, b.Panel), 1)
	b.SetLink(LinkGarbled, 0)
	for range 30 {
		answers := b.last().Answers
		w.send(satel.CmdArmed)
		eventually(t, func() bool { return b.last().Answers > answers })
	}
	b.SetLink(LinkNormal, 0)
	require.Equal(t, satel.CmdClock, w.ask(satel.CmdClock).Cmd, "the first whole frame after 30 damaged ones")
}

func TestRestartDropsTheClient(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	require.Equal(t, []string{"305 panel0"}, texts(b.Model(), b.Restart()))
	w.gone()
	require.Equal(t, satel.CmdClock, dial(t, s, 1).ask(satel.CmdClock).Cmd)
}

func TestWalkOverTheNetwork(t *testing.T) {
	b := quick(t, capacity(12))
	for n := range 30 {
		b.Record(numbered(t, n))
	}
	w := dial(t, serve(t, b.Panel), 1)
	ask := satel.NewestIndex
	for n := 29; ; n-- {
		entry, err := satel.ParseLogEntry(w.ask(satel.CmdEventRecord, ask[:]...).Data)
		require.NoError(t, err)
		require.Equal(t, ask, entry.Called)
		if !entry.Record.Present() {
			require.Equal(t, 17, n, "the twelve newest are there")
			break
		}
		require.Equal(t, numbered(t, n).Masked(), entry.Record.Masked())
		ask = entry.Index
	}
}

func TestServerStartsAndStops(t *testing.T) {
	b := quick(t)
	s, err := NewServer(ServerConfig{Panels: []*Panel{b.Panel}, Control: "127.0.0.1:0"})
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()), "before the start")
	for range 3 {
		require.NoError(t, s.Start(t.Context()))
		require.ErrorIs(t, s.Start(t.Context()), ErrRunning)
		w := dial(t, s, 1)
		w.ask(satel.CmdClock)
		require.NoError(t, s.Stop(t.Context()))
		require.NoError(t, s.Stop(t.Context()))
		w.gone()
		require.Empty(t, s.PanelAddr(1))
		require.Empty(t, s.ControlURL())
	}
	_, err = NewServer(ServerConfig{})
	require.Error(t, err)
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan *Server, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{
			Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Panels: 3,
			Started: func(s *Server) { started <- s },
		})
	}()
	s := <-started
	require.Equal(t, 3, s.Panels())
	taken, control := s.PanelAddr(3), s.ControlURL()[len("http://"):]
	require.Equal(t, satel.CmdClock, dial(t, s, 3).ask(satel.CmdClock).Cmd)

	err := Run(t.Context(), Options{Listen: taken, Control: "127.0.0.1:0"})
	require.ErrorContains(t, err, taken)
	require.ErrorContains(t, err, "--listen")
	err = Run(t.Context(), Options{Listen: "127.0.0.1:0", Control: control})
	require.ErrorContains(t, err, control)
	require.ErrorContains(t, err, "--control")
	require.ErrorContains(t, Run(t.Context(), Options{Listen: "nowhere"}), "--listen")
	require.ErrorContains(t, Run(t.Context(), Options{Model: "INTEGRA 7"}), "INTEGRA 7")
	require.ErrorIs(t, Run(t.Context(), Options{Panels: -1}), ErrInvalid)

	cancel()
	require.NoError(t, <-ended)
}
