package rabbittemp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
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
	dir      string
	cfg      Config
	run      child.Account
	programs programs
	password string
	ports    ports

	mu     sync.Mutex
	broker *child.Process
	mapper *child.Process
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
	s := &Server{cfg: cfg, run: run, programs: found}
	if s.dir, err = run.MakePlace(cfg.Dir, kind.Place); err != nil {
		return nil, err
	}
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
	var free [3]int
	var lc net.ListenConfig
	for i := range free {
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return ports{}, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return ports{}, fmt.Errorf("find a free port: %v", l.Addr())
		}
		free[i] = addr.Port
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
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker == nil || s.broker.Ended() {
		return 0
	}
	return s.broker.PID()
}

// Restart starts the broker when it does not run, after Stop, Kill or a crash, and waits
// until it takes connections.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.PID() == 0 {
		if err := kind.Vacant(ctx, s.dir); err != nil {
			return err
		}
		if err := s.launch(); err != nil {
			return err
		}
	}
	return s.waitReady(ctx)
}

func (s *Server) launch() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mapper == nil || s.mapper.Ended() {
		mapper, err := s.start("mapper.log", s.programs.mapper, "-port", strconv.Itoa(s.ports.mapper), "-address", "127.0.0.1")
		if err != nil {
			return err
		}
		s.mapper = mapper
	}
	// Without this variable the script stays between us and the broker; with it, it wants a console.
	broker, err := s.start("start.log", s.programs.server, "-noinput")
	if err != nil {
		return err
	}
	s.broker = broker
	return nil
}

func (s *Server) start(logName, program string, args ...string) (*child.Process, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, logName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of RabbitMQ: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(program, args...) //nolint:noctx // it outlives the start's context; Stop and Kill end it
	cmd.Dir, cmd.Env = s.dir, s.environment()
	cmd.Stdout, cmd.Stderr = log, log
	return child.Start(cmd, s.run, syscall.SIGKILL)
}

// waitReady waits until somebody can log in: the port opens last in a boot.
func (s *Server) waitReady(ctx context.Context) error {
	s.mu.Lock()
	broker := s.broker
	s.mu.Unlock()
	for {
		conn, err := amqp.DialConfig(s.URL("/"), amqp.Config{Dial: amqp.DefaultDial(5 * time.Second)})
		if err == nil {
			return conn.Close()
		}
		select {
		case <-broker.Done():
			return fmt.Errorf("the RabbitMQ in %s ended at once; its last words: %s", s.dir, s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("wait for RabbitMQ in %s (last words: %s): %w", s.dir, s.lastWords(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) lastWords() string { return child.LastWords(filepath.Join(s.dir, "start.log"), 8) }

// Stop ends the broker cleanly, which takes some seconds; when ctx ends first it is
// killed. Idempotent.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	broker := s.broker
	s.mu.Unlock()
	defer s.Kill()
	if broker == nil {
		return nil
	}
	broker.Signal(syscall.SIGCONT)
	broker.Signal(syscall.SIGTERM)
	select {
	case <-broker.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop RabbitMQ in %s: killed after waiting: %w", s.dir, ctx.Err())
	}
}

// Kill ends the broker as a power cut would and returns when it is gone. Idempotent.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range []*child.Process{s.broker, s.mapper} {
		if p != nil {
			p.Signal(syscall.SIGKILL)
			<-p.Done()
		}
	}
	s.broker, s.mapper = nil, nil
}

// Freeze stops the broker where it stands: connections stay open, nothing answers.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen broker go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker != nil {
		s.broker.Signal(sig)
	}
}

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
