package redistemp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"dozor/internal/child"
)

// Config of a private server.
type Config struct {
	// Dir holds the data; it is made when missing and kept by Stop.
	Dir string
	// TCP opens a free port on the loopback address besides the socket.
	TCP bool
	// Settings are further lines of redis.conf, which may replace those of this package.
	Settings map[string]string
}

// Server is a private Redis. Its methods are safe for concurrent use.
type Server struct {
	dir      string
	socket   string // the folder
	bin      string
	run      child.Account
	password string
	port     int // 0: none
	settings map[string]string

	mu      sync.Mutex
	process *child.Process // nil before the first start
}

const (
	// startTimeout bounds the reading of the data as well as a plain start.
	startTimeout = 30 * time.Second
	socketName   = "redis.sock"
	configName   = "redis.conf"
	pidName      = "redis.pid"
	logName      = "server.log"
)

var kind = child.Kind{Name: "Redis", Users: []string{"redis", "nobody"}, Place: "redis", Mark: configName, Of: serverOf}

// Start starts a server on the directory's data, if there are any. It ends with Stop, or
// with this process.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("no Redis server on this machine: install the package redis-server")
	}
	run, err := kind.Account()
	if err != nil {
		return nil, err
	}
	dir, err := run.MakePlace(cfg.Dir, kind.Place)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, run: run, password: rand.Text(), settings: cfg.Settings}
	if s.socket, err = run.SocketDir(dir, socketName); err != nil {
		return nil, err
	}
	if err := run.MakeDir(s.socket); err != nil {
		return nil, err
	}
	if cfg.TCP {
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.Restart(ctx); err != nil {
		return nil, errors.Join(err, s.Kill(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// freePort finds a port that nobody listens on just now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port: unexpected address %v", l.Addr())
	}
	return addr.Port, nil
}

// Dir is where the data lie.
func (s *Server) Dir() string { return s.dir }

// SocketPath is the server's Unix socket.
func (s *Server) SocketPath() string { return filepath.Join(s.socket, socketName) }

// Addr is host:port of the loopback port, empty when there is none.
func (s *Server) Addr() string {
	if s.port == 0 {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// Password is what clients must present.
func (s *Server) Password() string { return s.password }

// URL is the server's address with the password, by its socket.
func (s *Server) URL() string { return s.SocketURL(s.SocketPath()) }

// SocketURL is the address by another socket that leads to the server.
func (s *Server) SocketURL(path string) string {
	u := url.URL{Scheme: "unix", User: url.UserPassword("", s.password), Path: path}
	return u.String()
}

// TCPURL is the server's address with the password, by its port.
func (s *Server) TCPURL() string {
	u := url.URL{Scheme: "redis", User: url.UserPassword("", s.password), Host: s.Addr()}
	return u.String()
}

// PID is the server's process, 0 when it does not run.
func (s *Server) PID() int {
	p := s.running()
	if p == nil {
		return 0
	}
	return p.PID()
}

func (s *Server) running() *child.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || s.process.Ended() {
		return nil
	}
	return s.process
}

// Restart starts the server when it does not run, after Stop, Kill or a crash, and waits
// until it has read its data.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.running() == nil {
		if err := kind.Vacant(ctx, s.dir); err != nil {
			return err
		}
		if err := s.launch(); err != nil {
			return err
		}
	}
	return s.waitReady(ctx)
}

// Stop ends the server cleanly. Idempotent; it ends a frozen one too.
func (s *Server) Stop(ctx context.Context) error { return s.end(ctx, syscall.SIGTERM) }

// Kill ends the server as a crash would and returns when it is gone.
func (s *Server) Kill(ctx context.Context) error { return s.end(ctx, syscall.SIGKILL) }

func (s *Server) end(ctx context.Context, sig syscall.Signal) error {
	p := s.running()
	if p == nil {
		return nil
	}
	p.Signal(sig)
	p.Signal(syscall.SIGCONT)
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		p.Signal(syscall.SIGKILL)
		<-p.Done()
		return fmt.Errorf("stop Redis in %s: killed after waiting: %w", s.dir, ctx.Err())
	}
}

// Freeze stops the server without ending it: connections stand, nothing answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	if p := s.running(); p != nil {
		p.Signal(sig)
	}
}

func (s *Server) launch() error {
	logFile, err := os.OpenFile(filepath.Join(s.dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of Redis: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(s.bin, filepath.Join(s.dir, configName))
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = logFile, logFile
	// SIGKILL reaches a frozen server too, and loses nothing that was confirmed.
	process, err := child.Start(cmd, s.run, syscall.SIGKILL)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = process
	s.mu.Unlock()
	return nil
}
