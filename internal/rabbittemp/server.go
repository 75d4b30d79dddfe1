package rabbittemp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/child"
)

// User is the only login of a private broker.
const User = "dozor"

const node = "dozor@localhost"

const (
	// startTimeout bounds a boot; the usual one takes five seconds on two cores.
	startTimeout = 60 * time.Second
	// portTries is how often other ports are tried when somebody was quicker.
	portTries = 3
)

// Config of a private broker.
type Config struct {
	// Dir holds the broker; it is made when missing and kept by Stop.
	Dir string
	// Settings are further lines of rabbitmq.conf.
	Settings map[string]string
}

// Server is a running private RabbitMQ. Its methods are safe for concurrent use, those
// that start and end it by one caller at a time.
type Server struct {
	at       *child.Server // the broker
	dir      string
	run      child.Account
	cfg      Config
	programs programs
	password string
	ports    ports

	mu     sync.Mutex
	mapper *child.Process // nil when it does not run
}

type ports struct{ amqp, distribution, mapper int }

// Start makes the broker's files when the directory has none, and starts it. The server
// ends with Stop, or with this process.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	found, err := findPrograms()
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
	s := &Server{dir: dir, run: run, cfg: cfg, programs: found}
	s.at = child.NewServer(child.Serving{
		Name: kind.In(dir), Run: run, Log: filepath.Join(dir, "start.log"), Boot: startTimeout, Death: syscall.SIGKILL,
		Vacant:  func(ctx context.Context) error { return kind.Vacant(ctx, dir) },
		Command: s.command, Ask: s.logIn,
	})
	if err := s.makeFiles(); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		if s.ports, err = freePorts(ctx); err != nil {
			return nil, err
		}
		if err := s.configure(); err != nil {
			return nil, err
		}
		if err = s.Restart(ctx); err == nil {
			return s, nil
		}
		s.Kill()
		if try == portTries || !strings.Contains(err.Error(), "eaddrinuse") {
			return nil, err
		}
	}
}

// freePorts are ports that nobody listens on at the moment.
func freePorts(ctx context.Context) (ports, error) {
	free, err := child.FreePorts(ctx, 3)
	if err != nil {
		return ports{}, err
	}
	return ports{amqp: free[0], distribution: free[1], mapper: free[2]}, nil
}

// Dir is where the broker's files lie.
func (s *Server) Dir() string { return s.dir }

// Addr is the broker's host and port, for a proxy in front of it.
func (s *Server) Addr() string { return loopback(s.ports.amqp) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// URL is the address of a virtual host, with the password. "/" is there from the
// beginning. The ports are the same as long as this Server lives.
func (s *Server) URL(vhost string) string {
	u := url.URL{Scheme: "amqp", User: url.UserPassword(User, s.password), Host: s.Addr()}
	return u.String() + "/" + url.PathEscape(vhost)
}

// PID is the broker's process, 0 when it does not run.
func (s *Server) PID() int { return s.at.PID() }

// Restart starts the broker when it does not run, after Stop, Kill or a crash, and waits
// until it takes connections.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.startMapper(); err != nil {
		return err
	}
	return s.at.Restart(ctx)
}

func (s *Server) startMapper() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mapper != nil && !s.mapper.Ended() {
		return nil
	}
	cmd := exec.Command(s.programs.mapper, "-port", strconv.Itoa(s.ports.mapper), "-address", "127.0.0.1")
	cmd.Dir, cmd.Env = s.dir, s.environment()
	mapper, err := child.StartLogged(cmd, s.run, filepath.Join(s.dir, "mapper.log"), syscall.SIGKILL)
	if err != nil {
		return err
	}
	s.mapper = mapper
	return nil
}

func (s *Server) command() *exec.Cmd {
	// Without this variable the script stays between us and the broker; with it, it wants a console.
	cmd := exec.Command(s.programs.server, "-noinput")
	cmd.Dir, cmd.Env = s.dir, s.environment()
	return cmd
}

// logIn fails until somebody can: the port opens last in a boot.
func (s *Server) logIn(context.Context) error {
	conn, err := amqp.DialConfig(s.URL("/"), amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
	if err != nil {
		return fmt.Errorf("log in to the private RabbitMQ: %w", err)
	}
	return conn.Close()
}

// Stop ends the broker cleanly, which takes some seconds; when ctx ends first it is
// killed. Idempotent.
func (s *Server) Stop(ctx context.Context) error {
	defer s.Kill()
	return s.at.Stop(ctx)
}

// Kill ends the broker as a power cut would and returns when it is gone. Idempotent.
func (s *Server) Kill() {
	_ = s.at.Kill(context.Background()) // it fails when its context ends
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mapper != nil {
		s.mapper.Signal(syscall.SIGKILL)
		<-s.mapper.Done()
	}
	s.mapper = nil
}

// Freeze stops the broker where it stands: connections stay open, nothing answers.
func (s *Server) Freeze() { s.at.Freeze() }

// Thaw lets a frozen broker go on.
func (s *Server) Thaw() { s.at.Thaw() }

// Eval evaluates Erlang expressions, which end with a full stop, in the broker and
// returns the value of the last one as Erlang prints it.
func (s *Server) Eval(ctx context.Context, expressions string) (string, error) {
	cmd := exec.CommandContext(ctx, s.programs.call, "-R", "-address", loopback(s.ports.distribution), "-e")
	cmd.Dir, cmd.Env = s.dir, s.environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.run.Credential()}
	cmd.Stdin = strings.NewReader(expressions + "\n") // it reads to the end of a line
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask RabbitMQ: %w: %s", err, out)
	}
	value, ok := strings.CutPrefix(strings.TrimSpace(string(out)), "{ok, ")
	if !ok {
		return "", fmt.Errorf("ask RabbitMQ: %s", out)
	}
	return strings.TrimSuffix(value, "}"), nil
}

// AddVhost makes a virtual host where User may do everything.
func (s *Server) AddVhost(ctx context.Context, name string) error {
	value, err := s.Eval(ctx, fmt.Sprintf(`rabbit_vhost:add(<<%[1]q>>, <<%[2]q>>),
rabbit_auth_backend_internal:set_permissions(<<%[2]q>>, <<%[1]q>>, <<".*">>, <<".*">>, <<".*">>, <<%[2]q>>).`, name, User))
	return done("make", name, value, err)
}

// DeleteVhost removes a virtual host with all that is in it.
func (s *Server) DeleteVhost(ctx context.Context, name string) error {
	value, err := s.Eval(ctx, fmt.Sprintf("rabbit_vhost:delete(<<%q>>, <<%q>>).", name, User))
	return done("delete", name, value, err)
}

func done(what, vhost, value string, err error) error {
	if err == nil && value != "ok" {
		err = errors.New(value)
	}
	if err != nil {
		return fmt.Errorf("%s virtual host %s: %w", what, vhost, err)
	}
	return nil
}
