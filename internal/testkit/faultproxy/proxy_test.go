package faultproxy_test

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/testkit/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shouter answers each line with the same line, and tells what it heard.
func shouter(t *testing.T, network, address string) (addr string, heard <-chan string) {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	lines := make(chan string, 16)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				for scan := bufio.NewScanner(conn); scan.Scan(); {
					lines <- scan.Text()
					if _, err := conn.Write([]byte(scan.Text() + "\n")); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String(), lines
}

type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, network string, p *faultproxy.Proxy) client {
	t.Helper()
	conn, err := net.Dial(network, p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	return client{conn, bufio.NewReader(conn)}
}

func (c client) say(t *testing.T, line string) {
	t.Helper()
	_, err := c.Write([]byte(line + "\n"))
	require.NoError(t, err)
}

func (c client) hear(t *testing.T, line string) {
	t.Helper()
	got, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, line+"\n", got)
}

func TestForwardsOverBothKindsOfSocket(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		target, _ := shouter(t, network, address)
		c := dial(t, network, faultproxy.New(t, network, target))
		c.say(t, "one")
		c.hear(t, "one")
	}
}

func TestCutEndsConnectionsAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	target, heard := shouter(t, "tcp", "127.0.0.1:0")
	p := faultproxy.New(t, "tcp", target)
	c := dial(t, "tcp", p)
	c.say(t, "one")
	c.hear(t, "one")
	require.Equal(t, "one", <-heard)

	p.Cut()
	_, err := c.lines.ReadString('\n')
	require.Error(t, err)
	refused := dial(t, "tcp", p)
	_, err = refused.lines.ReadString('\n')
	require.Error(t, err)

	p.Heal()
	again := dial(t, "tcp", p)
	again.say(t, "two")
	again.hear(t, "two")
	require.Equal(t, "two", <-heard)
}

func TestStallKeepsBytesUntilHealed(t *testing.T) {
	t.Parallel()
	target, heard := shouter(t, "tcp", "127.0.0.1:0")
	p := faultproxy.New(t, "tcp", target)
	c := dial(t, "tcp", p)
	p.Stall()
	c.say(t, "one")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.lines.ReadByte()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Empty(t, heard)
	p.Heal()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	c.hear(t, "one")
}

func TestDropAnswersLetsRequestsThrough(t *testing.T) {
	t.Parallel()
	target, heard := shouter(t, "tcp", "127.0.0.1:0")
	p := faultproxy.New(t, "tcp", target)
	c := dial(t, "tcp", p)
	p.DropAnswers()
	c.say(t, "one")
	require.Equal(t, "one", <-heard)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.lines.ReadByte()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the answer is thrown away")
	p.Heal()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = c.lines.ReadByte()
	require.Error(t, err, "a connection that lost bytes does not go on")
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
