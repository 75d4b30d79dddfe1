package redistemp

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
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
	*child.Server

	dir      string
	socket   string // the folder
	run      child.Account
	password string
	port     int // 0: none
	settings map[string]string
}

const (
	// startTimeout bounds the reading of the data as well as a plain start.
	startTimeout = 30 * time.Second
	socketName   = "redis.sock"
	configName   = "redis.conf"
	pidName      = "redis.pid"
	logName      = "server.log"
)

var kind = child.Kind{
	Name: "Redis", Users: []string{"redis", "nobody"}, Place: "redis", Mark: configName, PIDFile: pidName, Is: worksIn,
}

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
	s := &Server{dir: dir, run: run, password: rand.Text(), settings: cfg.Settings}
	s.Server = child.NewServer(child.Serving{
		Name: kind.In(dir), Run: run, Log: filepath.Join(dir, logName), Boot: startTimeout, Ask: s.ping,
		Vacant: func(ctx context.Context) error { return kind.Vacant(ctx, dir) },
		Command: func() *exec.Cmd {
			cmd := exec.Command(bin, filepath.Join(dir, configName))
			cmd.Dir = dir
			return cmd
		},
		// SIGKILL reaches a frozen server too, and loses nothing that was confirmed.
		Death: syscall.SIGKILL,
	})
	if s.socket, err = run.SocketDir(dir, socketName); err != nil {
		return nil, err
	}
	if err := run.MakeDir(s.socket); err != nil {
		return nil, err
	}
	if cfg.TCP {
		ports, err := child.FreePorts(ctx, 1)
		if err != nil {
			return nil, err
		}
		s.port = ports[0]
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.Restart(ctx); err != nil {
		return nil, errors.Join(err, s.Kill(context.WithoutCancel(ctx)))
	}
	return s, nil
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
