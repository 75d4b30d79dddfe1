package redistemp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) configure() error {
	settings := map[string]string{
		"port":                     strconv.Itoa(s.port),
		"bind":                     "127.0.0.1",
		"unixsocket":               quote(s.SocketPath()),
		"unixsocketperm":           "700",
		"dir":                      quote(s.dir),
		"pidfile":                  quote(filepath.Join(s.dir, pidName)),
		"daemonize":                "no",
		"requirepass":              s.password,
		"masterauth":               s.password,
		"appendonly":               "yes",
		"appendfsync":              "everysec",
		"save":                     `""`,
		"loglevel":                 "notice",
		"repl-diskless-sync-delay": "0",
		// Nothing here may be thrown away in silence: a full memory refuses writes.
		"maxmemory-policy": "noeviction",
	}
	maps.Copy(settings, s.settings)
	var b strings.Builder
	b.WriteString("# written at each start by dozor\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s %s\n", name, settings[name])
	}
	path := filepath.Join(s.dir, configName)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("configure Redis: %w", err)
	}
	return s.run.Own(path)
}

func quote(path string) string { return strconv.Quote(path) }

// ping fails while the server reads its data.
func (s *Server) ping(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", s.SocketPath())
	if err != nil {
		return fmt.Errorf("connect to Redis: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", s.password); err != nil {
		return fmt.Errorf("ask Redis: %w", err)
	}
	answers := bufio.NewReader(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		got, err := answers.ReadString('\n')
		if err != nil {
			return fmt.Errorf("hear Redis: %w", err)
		}
		if got = strings.TrimSpace(got); got != want {
			return errors.New("it answers " + got)
		}
	}
	return nil
}

// worksIn tells whether a process is a Redis that works in a folder.
func worksIn(pid int, dir string) bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !strings.HasPrefix(string(comm), "redis-server") {
		return false
	}
	where, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && where == dir
}

// Remove deletes what Start keeps for dir, if the server is not running, and nothing that
// is not a server's.
func Remove(dir string) error { return kind.Remove(dir) }
