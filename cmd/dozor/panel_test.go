package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/event"
	"dozor/internal/installer"
	"dozor/satel/sim"
)

// built builds the program as it is delivered.
func built(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "dozor")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", said)
	return binary
}

// simulated is a panel that answers at once, and where.
func simulated(t *testing.T, change func(*sim.Config)) (*sim.Panel, string) {
	t.Helper()
	cfg := sim.Config{Model: "INTEGRA 32", Code: "7391", AnswerDelay: -1, MinGap: -1, LogDelay: -1}
	if change != nil {
		change(&cfg)
	}
	panels, err := sim.NewPanels(1, cfg)
	require.NoError(t, err)
	server, err := sim.NewServer(sim.ServerConfig{Panels: panels})
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, server.Stop(ctx))
		require.NoError(t, panels[0].Close())
	})
	return panels[0], server.PanelAddr(1)
}

// listener is a TCP service that does something with each connection, and where.
func listener(t *testing.T, serve func(net.Conn)) string {
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
			serve(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// ran runs a built dozor with variables of its own and returns what it wrote and its exit code.
func ran(t *testing.T, binary string, variables []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), variables...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code, err = exit.ExitCode(), nil
	}
	require.NoError(t, err)
	require.NotContains(t, out.String()+errs.String(), "7391", "the code is a secret")
	return out.String(), errs.String(), code
}

func TestInstallersLookAtAPanel(t *testing.T) {
	t.Parallel()
	binary := built(t)
	codeFile := filepath.Join(t.TempDir(), "code")
	require.NoError(t, os.WriteFile(codeFile, []byte("7391\n"), 0o600))

	t.Run("probe", func(t *testing.T) {
		t.Parallel()
		panel, address := simulated(t, func(c *sim.Config) { c.ClockError = 90 * time.Second })
		_, err := panel.Arm(2, sim.Arming{Mode: 1, Force: true, User: 1})
		require.NoError(t, err)
		_, err = panel.Violate(3)
		require.NoError(t, err)
		_, err = panel.StartTrouble("mains")
		require.NoError(t, err)
		out, errs, code := ran(t, binary, nil, "panel", "probe", address, "--code-file", codeFile)
		require.Zero(t, code, errs)
		for _, want := range []string{
			`(?m)^panel +INTEGRA 32, firmware 1\.24`, `(?m)^module +firmware 2\.11`, `(?m)^encrypted +no$`,
			`s ahead of ours`, `(?m)^code of +user 1 "Stacja"`, `(?ms)^users$.^1 +Stacja$`, `(?m)^1 +Sklep .*disarmed`, `(?m)^2 +Mieszkanie .*exit time`,
			`(?m)^3 +Okno wystawowe +perimeter +partition 1 +violated`, `(?m)^keypad 1 +ETHM-1 Plus`, `(?m)^panel +system ac$`,
		} {
			require.Regexp(t, want, out)
		}

		out, errs, code = ran(t, binary, []string{"DOZOR_PANEL_CODE=7391"}, "panel", "probe", address, "--json")
		require.Zero(t, code, errs)
		var report installer.Report
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		require.Equal(t, "Stacja", report.User.Name)
		require.Equal(t, []installer.Part{{Kind: "user", Number: 1, Name: "Stacja"}}, report.Users)
		require.Len(t, report.Zones, 16)
		require.InDelta(t, 90, report.ClockOffsetS, 2)
		require.Contains(t, report.Troubles, installer.Trouble{Fault: "system ac", Device: "panel"})
	})

	t.Run("events", func(t *testing.T) {
		t.Parallel()
		panel, address := simulated(t, nil)
		for range 3 {
			_, err := panel.Panic(1)
			require.NoError(t, err)
		}
		_, err := panel.Violate(7)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			newest, ok := panel.Newest()
			return ok && newest.Record.Source() == 7
		}, 10*time.Second, 5*time.Millisecond)
		out, errs, code := ran(t, binary, nil, "panel", "events", address, "--last=2")
		require.Zero(t, code, errs)
		require.Regexp(t, `(?s)^\d{4}-\d\d-\d\d \d\d:\d\d  P1  [^\n]+partition 1[^\n]*\n\d[^\n]+  P1  [^\n]+partition 1, zone 7\n$`, out)

		out, errs, code = ran(t, binary, nil, "panel", "events", address, "--json")
		require.Zero(t, code, errs)
		var events []installer.Event
		require.NoError(t, json.Unmarshal([]byte(out), &events))
		require.GreaterOrEqual(t, len(events), 4)
		require.Equal(t, 7, events[len(events)-1].Number)
	})

	t.Run("watch", func(t *testing.T) {
		t.Parallel()
		panel, address := simulated(t, func(c *sim.Config) { c.OldModule = true })
		watch(t, binary, panel, address, "asking each second")
	})

	t.Run("watch what the module tells by itself", func(t *testing.T) {
		t.Parallel()
		panel, address := simulated(t, func(c *sim.Config) { c.Encrypted, c.Key = true, "klucz" })
		keyFile := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(keyFile, []byte("klucz\n"), 0o600))
		watch(t, binary, panel, address, "the module tells of changes by itself", "--key-file", keyFile)
	})

	t.Run("encrypted", func(t *testing.T) {
		t.Parallel()
		_, address := simulated(t, func(c *sim.Config) { c.Encrypted, c.Key = true, "klucz" })
		_, keyless := simulated(t, func(c *sim.Config) { c.Encrypted = true })
		_, closes := simulated(t, func(c *sim.Config) {
			c.Encrypted, c.Key, c.WrongKey = true, "klucz", sim.CloseOnWrongKey
		})
		_, keyed := simulated(t, func(c *sim.Config) { c.Encrypted, c.Key = true, "klucz" })
		_, plain := simulated(t, nil)
		_, taken := simulated(t, func(c *sim.Config) { c.Encrypted, c.Key = true, "klucz" })
		holder, err := net.Dial("tcp", taken)
		require.NoError(t, err)
		t.Cleanup(func() { holder.Close() }) // after all below
		out, errs, code := ran(t, binary, []string{"DOZOR_PANEL_KEY=klucz"}, "panel", "probe", address)
		require.Zero(t, code, errs)
		require.Regexp(t, `(?m)^encrypted +yes$`, out)
		_, errs, code = ran(t, binary, nil, "panel", "events", keyless, "--encrypted")
		require.Zero(t, code, errs)
		for name, x := range map[string]struct {
			address, key, want string
		}{
			"wrong key, silence":                 {address, "zamek", "does not answer under this key"},
			"wrong key, hangs up":                {closes, "zamek", "does not answer under this key"},
			"no key":                             {keyed, "", "wants a key"},
			"key for a module that uses none":    {plain, "klucz", "does not answer under this key"},
			"taken by another":                   {taken, "klucz", "is taken"},
			"taken by another, key is wrong too": {taken, "zamek", "is taken"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				out, errs, code := ran(t, binary, []string{"DOZOR_PANEL_KEY=" + x.key}, "panel", "probe", x.address)
				require.Equal(t, exitFailed, code, errs)
				require.Empty(t, out)
				require.Contains(t, errs, x.want)
				require.Equal(t, 1, strings.Count(errs, "\n"), errs)
				if x.key != "" {
					require.NotContains(t, errs, x.key)
				}
			})
		}
	})

	t.Run("errors", func(t *testing.T) {
		t.Parallel()
		_, address := simulated(t, nil)
		_, taken := simulated(t, nil)
		holder, err := net.Dial("tcp", taken)
		require.NoError(t, err)
		defer holder.Close()
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, closed.Close())
		mail := listener(t, func(c net.Conn) {
			_, _ = c.Write([]byte("220 mail.example.com ESMTP ready\r\n"))
			_, _ = c.Read(make([]byte, 100))
			_, _ = c.Write([]byte("500 command not recognised\r\n"))
		})
		other := listener(t, func(net.Conn) {})
		echo := listener(t, func(c net.Conn) {
			buf := make([]byte, 100)
			if n, err := c.Read(buf); err == nil {
				_, _ = c.Write(buf[:n])
			}
		})
		wrong := []string{"DOZOR_PANEL_CODE=4444"}
		for name, x := range map[string]struct {
			address   string
			variables []string
			want      string
		}{
			"refused":                {closed.Addr().String(), nil, "nothing listens at"},
			"wrong code":             {address, wrong, "the panel refuses the code"},
			"taken":                  {taken, nil, "is taken"},
			"another service":        {mail, nil, "no panel's integration"},
			"echo":                   {echo, nil, "no panel's integration"},
			"hangs up":               {other, nil, "does not answer: integration is off"},
			"key where none is used": {other, []string{"DOZOR_PANEL_KEY=abc"}, "does not answer: integration is off"},
			"a key that is none":     {address, []string{"DOZOR_PANEL_KEY=żółw"}, "integration key must be of printable ASCII"},
		} {
			out, errs, code := ran(t, binary, x.variables, "panel", "probe", x.address)
			require.Equal(t, exitFailed, code, "%s: %s", name, errs)
			require.Empty(t, out, name)
			require.Contains(t, errs, x.want, name)
			require.Equal(t, 1, strings.Count(errs, "\n"), "%s is one line: %s", name, errs)
			require.NotContains(t, errs, "4444", name)
		}
	})

	t.Run("secrets on the command line", func(t *testing.T) {
		t.Parallel()
		_, errs, code := ran(t, binary, nil, "panel", "probe", "127.0.0.1:1", "--key", "klucz", "--code", "4444")
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "DOZOR_PANEL_KEY: not on the command line")
		require.Contains(t, errs, "DOZOR_PANEL_CODE: not on the command line")
		require.NotContains(t, errs, "klucz")
		_, errs, code = ran(t, binary, []string{"DOZOR_PANEL_CODE=4444"}, "panel", "probe", "127.0.0.1:1", "--code-file", codeFile)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "--code-file: set together with DOZOR_PANEL_CODE")
		_, errs, code = ran(t, binary, nil, "panel", "events", "127.0.0.1:1", "--last=0", "--key-file=/nowhere")
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "--last: want 1 to 30000")
		require.Contains(t, errs, "--key-file: ")
	})
}

// hour is that of a panel's zone, so long from now.
func hour(from time.Duration) string { return time.Now().Add(from).In(event.PanelZone()).Format("15") }

// watch lets the program watch while something happens, and interrupts it.
func watch(t *testing.T, binary string, panel *sim.Panel, address, how string, more ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"panel", "watch", address}, more...)...)
	cmd.Env = append(os.Environ(), "TZ=Asia/Tokyo") // lines go by the panel's zone all the same
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	begun, err := bufio.NewReader(errs).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, begun, "watching INTEGRA 32")
	require.Contains(t, begun, how)
	_, err = panel.Violate(14)
	require.NoError(t, err)
	wanted := []string{`zone 14 "Napad, sypialnia": violated`, `partition 2 "Mieszkanie": alarm`, "event  20"}
	lines := bufio.NewScanner(out)
	for len(wanted) > 0 && lines.Scan() {
		require.Contains(t, []string{hour(-time.Minute), hour(0)}, lines.Text()[:2])
		wanted = slices.DeleteFunc(wanted, func(w string) bool { return strings.Contains(lines.Text(), w) })
	}
	require.Empty(t, wanted, "never told")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	for lines.Scan() { // what it still had to say
	}
	require.NoError(t, cmd.Wait(), "Ctrl-C is no failure")
}
