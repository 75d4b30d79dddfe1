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
	"time"

	"dozor/internal/child"
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

// waitReady waits until the server answers: while it reads its data it refuses.
func (s *Server) waitReady(ctx context.Context) error {
	s.mu.Lock()
	process := s.process
	s.mu.Unlock()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
			return fmt.Errorf("the Redis in %s ended at once; its last words: %s", s.dir, s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("wait for Redis in %s (last words: %s): %w", s.dir, s.lastWords(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

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

// serverOf finds the process that the directory's file names, if it runs there.
func serverOf(dir string) (pid int, running bool) {
	raw, err := os.ReadFile(filepath.Join(dir, pidName))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, false
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !strings.HasPrefix(string(comm), "redis-server") {
		return 0, false
	}
	where, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return pid, err == nil && where == dir
}

func (s *Server) lastWords() string { return child.LastWords(filepath.Join(s.dir, logName), 3) }

// Remove deletes what Start keeps for dir, if the server is not running, and nothing that
// is not a server's.
func Remove(dir string) error { return kind.Remove(dir) }
