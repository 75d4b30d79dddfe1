package probe_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/errs"
	"dozor/internal/probe"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/satel/client"
	"dozor/satel/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const code = "4711"

func target(t *testing.T, address string) probe.Target {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return probe.Target{Host: host, Port: number, Code: code}
}

func panel(t *testing.T, change ...func(*sim.Config)) (*sim.Panel, probe.Target) {
	t.Helper()
	cfg := sim.Config{Code: code, Model: "INTEGRA 32", AnswerDelay: time.Millisecond, MinGap: time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	p, err := sim.New(cfg)
	require.NoError(t, err)
	server, err := sim.NewServer(sim.ServerConfig{Panels: []*sim.Panel{p}})
	require.NoError(t, err)
	require.NoError(t, server.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return p, target(t, server.PanelAddr(1))
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, errs.Invalid, e.Kind)
	require.NotContains(t, err.Error(), code)
	require.NotContains(t, e.Message, "9876")
	return e.Code
}

func TestAPanelSaysWhatItIsAndCallsItsParts(t *testing.T) {
	t.Parallel()
	p, to := panel(t, func(c *sim.Config) { c.ClockError = -90 * time.Second })
	r, err := probe.Run(t.Context(), to)
	require.NoError(t, err)
	require.Equal(t, "INTEGRA 32", r.Model)
	require.Equal(t, "1.24", r.Firmware)
	require.Equal(t, "2.11", r.Module)
	require.Equal(t, &probe.CodeOwner{Number: 1, Name: "Stacja"}, r.User)
	one := 1
	require.Equal(t, probe.PartCounts{Partitions: 2, Zones: 16, Outputs: 5, Users: &one}, r.Counts)
	require.True(t, r.Complete)
	require.NotNil(t, r.ClockOffsetS)
	require.InDelta(t, -90, *r.ClockOffsetS, 1)
	require.Contains(t, r.Objects, site.Object{Kind: "partition", Number: 2, Name: "Mieszkanie"})
	require.Contains(t, r.Objects, site.Object{Kind: "zone", Number: 9, Name: "Drzwi mieszkania", Partition: 2})
	require.Contains(t, r.Objects, site.Object{Kind: "output", Number: 3, Name: "Alarm cichy", Function: 12})
	require.Len(t, r.Objects, 23)
	require.Empty(t, p.Commands(), "a probe orders nothing")
}

// The client of a real panel waits a quarter of a second for each name.
func TestASlowPanelGivesWhatTheTimeAllows(t *testing.T) {
	t.Parallel()
	_, to := panel(t, func(c *sim.Config) { c.Model, c.AnswerDelay = "INTEGRA 128 PLUS", 120*time.Millisecond })
	began := time.Now()
	r, err := probe.Run(t.Context(), to)
	require.NoError(t, err)
	require.Less(t, time.Since(began), 15*time.Second)
	require.False(t, r.Complete)
	require.Equal(t, 2, r.Counts.Partitions, "partitions come first")
	require.NotZero(t, r.Counts.Zones)
	require.NotEmpty(t, r.Model)
}

func TestAWrongCodeIsTriedOnce(t *testing.T) {
	t.Parallel()
	p, to := panel(t)
	to.Code = "9876"
	_, err := probe.Run(t.Context(), to)
	require.Equal(t, "probe_wrong_code", codeOf(t, err))
	require.Equal(t, 1, p.Connections()[0].Requests[0xE0])
}

func TestATakenModuleIsBusy(t *testing.T) {
	t.Parallel()
	_, to := panel(t)
	other, err := client.Dial(t.Context(), client.Config{Address: net.JoinHostPort(to.Host, strconv.Itoa(to.Port))})
	require.NoError(t, err)
	defer other.Close()
	_, err = probe.Run(t.Context(), to)
	require.Equal(t, "probe_busy", codeOf(t, err))
}

func TestAModuleThatHangsIsATimeout(t *testing.T) {
	t.Parallel()
	p, to := panel(t)
	p.SetLink(sim.LinkHung, 0)
	began := time.Now()
	_, err := probe.Run(t.Context(), to)
	require.Equal(t, "probe_timeout", codeOf(t, err))
	require.Less(t, time.Since(began), 15*time.Second)
}

// serve answers each connection in a way that no panel does.
func serve(t *testing.T, do func(net.Conn)) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			do(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return target(t, l.Addr().String())
}

func TestWhatIsNoPanelIsSaidSo(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(net.Conn){
		"a web server": func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadByte()
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
		},
		"a shell's greeting": func(c net.Conn) {
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1\r\n")
			_, _ = io.Copy(io.Discard, c)
		},
		"hangs up": func(net.Conn) {},
	} {
		_, err := probe.Run(t.Context(), serve(t, do))
		require.Equal(t, "probe_not_a_panel", codeOf(t, err), name)
	}
}

func TestAnAddressWithoutAListenerRefuses(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	to := target(t, l.Addr().String())
	require.NoError(t, l.Close())
	_, err = probe.Run(t.Context(), to)
	require.Equal(t, "probe_refused", codeOf(t, err))
}

func TestATargetThatCanBeNoneIsNotTried(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]probe.Target{
		"no host":    {Port: 7094, Code: code},
		"a sentence": {Host: "the panel", Port: 7094, Code: code},
		"with port":  {Host: "10.0.0.1:7094", Port: 7094, Code: code},
		"port":       {Host: "10.0.0.1", Port: 65536, Code: code},
		"code":       {Host: "10.0.0.1", Port: 7094, Code: "12"},
	} {
		_, err := probe.Run(t.Context(), to)
		require.Equal(t, "invalid_panel", codeOf(t, err), name)
	}
	_, err := probe.Run(t.Context(), probe.Target{Host: "nobody.invalid", Port: 7094, Code: secret.Redacted(code)})
	require.Contains(t, []string{"probe_failed", "probe_timeout"}, codeOf(t, err))
}

func TestWhoIsHeldByDozorIsNamed(t *testing.T) {
	t.Parallel()
	err := probe.OwnPanel("INTEGRA", "Apteka")
	require.Equal(t, "probe_busy", codeOf(t, err))
	require.ErrorContains(t, err, "panel INTEGRA of site Apteka")
}
