package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/satel"
	"dozor/satel/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen; shortTimeout is a module's time to answer where the test is
// about answers that do not come.
const (
	patience     = 10 * time.Second
	shortTimeout = 300 * time.Millisecond
)

// peer is the module's end of one connection.
type peer struct {
	t       *testing.T
	conn    *net.TCPConn
	decoder satel.Decoder
}

// serve listens as a module that takes one connection and does with it what script says. The returned function waits for
// the script to have ended.
func serve(t *testing.T, script func(p *peer)) (address string, ended func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		script(&peer{t: t, conn: conn.(*net.TCPConn)})
	}()
	ended = func() {
		t.Helper()
		select {
		case <-done:
		case <-time.After(patience):
			require.FailNow(t, "the module's script has not ended")
		}
	}
	t.Cleanup(func() {
		listener.Close()
		ended()
	})
	return listener.Addr().String(), ended
}

// read returns the next request with data of its own, or why there is none.
func (p *peer) read() (satel.Frame, error) {
	buf := make([]byte, 512)
	for {
		if f, ok := p.decoder.Next(); ok {
			f.Data = append([]byte{}, f.Data...)
			return f, nil
		}
		if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return satel.Frame{}, err
		}
		n, err := p.conn.Read(buf)
		if err != nil {
			return satel.Frame{}, err
		}
		p.decoder.Write(buf[:n])
	}
}

// want reads a request and checks that it is the expected one.
func (p *peer) want(cmd satel.Command, data ...byte) {
	f, err := p.read()
	if err != nil {
		p.t.Errorf("module waits for %s: %v", cmd, err)
		return
	}
	if f.Cmd != cmd || string(f.Data) != string(data) {
		p.t.Errorf("module got %s % x, want %s % x", f.Cmd, f.Data, cmd, data)
	}
}

// write sends bytes as they are.
func (p *peer) write(b []byte) {
	if _, err := p.conn.Write(b); err != nil && !gone(err) {
		p.t.Errorf("module writes: %v", err)
	}
}

// answer sends a frame.
func (p *peer) answer(cmd satel.Command, data ...byte) {
	p.write(satel.AppendFrame(nil, cmd, data))
}

// wantNewest takes a request for the newest record.
func (p *peer) wantNewest() { p.want(satel.CmdEventRecord, satel.NewestIndex[:]...) }

// tellTime answers the clock, behind what else is still due.
func (p *peer) tellTime(due ...[]byte) {
	p.want(satel.CmdClock)
	for _, record := range due {
		p.answer(satel.CmdEventRecord, record...)
	}
	p.answer(satel.CmdClock, clockBytes...)
}

// untilGone answers every request by what the function says until the client hangs up.
func (p *peer) untilGone(answer func(f satel.Frame)) {
	for {
		f, err := p.read()
		if err != nil {
			if !gone(err) {
				p.t.Errorf("module reads: %v", err)
			}
			return
		}
		answer(f)
	}
}

// waitGone waits for the client to hang up and returns how it did.
func (p *peer) waitGone() error {
	_, err := p.read()
	if err == nil {
		p.t.Error("module got a request where none was due")
	}
	return err
}

func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed)
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// dial connects with a configuration that suits a test; change may alter it.
func dial(t *testing.T, address string, change func(*client.Config)) *client.Conn {
	t.Helper()
	cfg := client.Config{Address: address, MinGap: time.Millisecond, StartGap: time.Millisecond, Timeout: patience}
	if change != nil {
		change(&cfg)
	}
	c, err := client.Dial(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func short(c *client.Config) { c.Timeout = shortTimeout }

var (
	armedOne   = []byte{1, 0, 0, 0}
	armedTwo   = []byte{2, 0, 0, 0}
	clockBytes = []byte{0x20, 0x26, 0x11, 0x24, 0x13, 0x09, 0x30, 0x01, 0x03}
)

// entry is the data of an answer to a read of the event memory.
func entry(index, called satel.Index) []byte {
	return satel.AppendLogEntry(nil, satel.LogEntry{
		Record: satel.Record{0xBF, 0x17, 0xB0, 0x89, 0x08, 0x82, 0x05}, Index: index, Called: called,
	})
}

// soon is a context for requests that must be answered.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
