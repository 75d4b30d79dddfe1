package pgtemp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/child"
)

// The roles of a private cluster: the owner runs migrations, the application's login
// is a member of dozor_app, which the first migration makes.
const (
	OwnerRole = "dozor_owner"
	AppRole   = "dozor"
)

// Config of a private server.
type Config struct {
	// Dir holds the cluster; it is made when missing and kept by Stop.
	Dir string
	// Unsafe turns off fsync and friends: for tests that don't kill the server.
	Unsafe bool
	// Settings are further lines of postgresql.conf.
	Settings map[string]string
}

// Server is a running private PostgreSQL. Its methods are safe for concurrent use.
type Server struct {
	at     *child.Server // the postmaster
	dir    string
	socket string // the folder
	run    child.Account
	cfg    Config

	mu     sync.Mutex
	frozen *guard // nil unless frozen
}

// startTimeout bounds recovery after a crash as well as a plain start.
const startTimeout = 60 * time.Second

// Start makes the cluster when the directory has none, and starts it. The server ends
// with Stop, or with this process.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	run, err := kind.Account()
	if err != nil {
		return nil, err
	}
	dir, err := run.MakePlace(cfg.Dir, kind.Place)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, run: run, cfg: cfg}
	s.at = child.NewServer(child.Serving{
		Name: kind.In(dir), Run: run, Log: filepath.Join(dir, "server.log"), Boot: startTimeout, Death: syscall.SIGINT, Ask: s.connect,
		Vacant: func(ctx context.Context) error { return kind.Vacant(ctx, dir) },
		Command: func() *exec.Cmd {
			cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", dir, "-k", s.socket)
			cmd.Dir = dir
			return cmd
		},
	})
	if s.socket, err = run.SocketDir(dir, socketName); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := initdb(ctx, run, bin, dir); err != nil {
			return nil, err
		}
	}
	// After initdb, which wants an empty folder.
	if err := run.MakeDir(s.socket); err != nil {
		return nil, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	if err := s.ensureAppRole(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// Dir is where the cluster lies.
func (s *Server) Dir() string { return s.dir }

// SocketPath is the server's Unix socket, for a proxy in front of it.
func (s *Server) SocketPath() string { return filepath.Join(s.socket, ".s.PGSQL.5432") }

// URL is the address of a database for a role.
func (s *Server) URL(role, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(role), Path: "/" + database,
		RawQuery: url.Values{"host": {s.socket}, "port": {"5432"}}.Encode(),
	}
	return u.String()
}

// AppURL is the address of a database for the application.
func (s *Server) AppURL(database string) string { return s.URL(AppRole, database) }

// OwnerURL is the address of a database for migrations.
func (s *Server) OwnerURL(database string) string { return s.URL(OwnerRole, database) }

// PID is the postmaster's process, 0 when it does not run.
func (s *Server) PID() int { return s.at.PID() }

// Restart starts the server when it does not run, after Stop, Kill or a crash, and
// waits until it takes connections.
func (s *Server) Restart(ctx context.Context) error {
	if s.PID() == 0 {
		s.Thaw() // one that was killed by others while it was frozen has left its guard
	}
	return s.at.Restart(ctx)
}

// Stop ends the server cleanly, rolling back what runs. Idempotent.
func (s *Server) Stop(ctx context.Context) error {
	return s.end(ctx, syscall.SIGINT)
}

// Kill ends the server as a power cut would, all its processes included, and returns when
// they are gone. The postmaster is stopped first, so that none is added meanwhile; each
// backend leads a process group of its own, and would otherwise live on for a moment and
// still commit.
func (s *Server) Kill(ctx context.Context) error {
	pid := s.PID()
	if pid == 0 {
		return nil
	}
	children := halt(pid)
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	err := s.end(ctx, syscall.SIGKILL)
	for _, child := range children {
		// The shared memory is in use, and no successor can start, until the last is gone.
		for isPostgres(child) && ctx.Err() == nil {
			<-time.After(time.Millisecond)
		}
	}
	return errors.Join(err, ctx.Err())
}

// halt stops the postmaster where it stands and returns its children, of which there will
// be no more.
func halt(pid int) []int {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	for !isHalted(pid) {
		<-time.After(time.Millisecond)
	}
	return childrenOf(pid)
}

// isHalted reports whether a process is stopped, or gone.
func isHalted(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// After the name in parentheses, which may hold anything.
	state := raw[bytes.LastIndexByte(raw, ')')+1:]
	return len(state) > 1 && strings.IndexByte("TtZX", state[1]) >= 0
}

func childrenOf(pid int) []int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil // it has just ended
	}
	var children []int
	for field := range strings.FieldsSeq(string(raw)) {
		if child, err := strconv.Atoi(field); err == nil {
			children = append(children, child)
		}
	}
	return children
}

func (s *Server) end(ctx context.Context, sig syscall.Signal) error {
	s.at.Signal(sig)
	s.Thaw() // whoever is frozen hears nothing, and is to hear this first
	return s.at.End(ctx, sig)
}

// connect fails until the server takes connections.
func (s *Server) connect(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.OwnerURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	return conn.Close(ctx)
}

func isPostgres(pid int) bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && strings.HasPrefix(string(comm), "postgres")
}

func (s *Server) configure() error {
	var b strings.Builder
	b.WriteString("# written at each start by dozor\nlisten_addresses = ''\nunix_socket_permissions = 0700\n" +
		"max_connections = 200\nshared_buffers = '128MB'\nlog_min_messages = warning\nmax_wal_size = '1GB'\n")
	if s.cfg.Unsafe {
		b.WriteString("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
	}
	for name, value := range s.cfg.Settings {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	path := filepath.Join(s.dir, "postgresql.auto.conf")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	return s.run.Own(path)
}

func (s *Server) ensureAppRole(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.OwnerURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range []string{
		`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dozor_app') THEN CREATE ROLE dozor_app NOLOGIN; END IF; END $$`,
		`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dozor') THEN CREATE ROLE dozor LOGIN IN ROLE dozor_app; END IF; END $$`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("make the roles of the private PostgreSQL: %w", err)
		}
	}
	return nil
}

// CreateDatabase makes a database, a copy of the template given, or an empty one.
// Making one that exists is not an error.
func (s *Server) CreateDatabase(ctx context.Context, name, template string) error {
	conn, err := pgx.Connect(ctx, s.OwnerURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	statement := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		statement += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}
