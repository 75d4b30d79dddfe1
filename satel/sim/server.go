package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ServerConfig says which panels a server has and where they are to be reached.
type ServerConfig struct {
	// Panels to serve; they are numbered from 1 in this order.
	Panels []*Panel
	// Listen is the address of the first panel; the others follow on the next ports. With port 0 each panel gets a free
	// one. Empty means 127.0.0.1:0.
	Listen string
	// Control is the address of the control API, empty for none.
	Control string
	// Routes are more of the control API, by pattern of http.ServeMux: what else can happen where the panels are used.
	Routes map[string]http.Handler
	// Logger hears of connections; nil for nobody.
	Logger *slog.Logger
}

// Server lets panels answer on the network: each on a TCP port of its own, all of them on the control API.
type Server struct {
	panels []*Panel
	listen string
	ctrl   string
	routes map[string]http.Handler
	logger *slog.Logger

	mu        sync.Mutex
	running   bool
	listeners []net.Listener
	control   net.Listener
	http      *http.Server
	conns     map[net.Conn]struct{}
	work      *sync.WaitGroup
	storm     *storm // the present or last one, nil before the first
}

// AddressError is the error of an address that cannot be listened on.
type AddressError struct {
	What    string // "panel 3" or "control API"
	Address string
	Err     error
}

func (e *AddressError) Error() string { return fmt.Sprintf("%s on %s: %v", e.What, e.Address, e.Err) }

// Unwrap returns the reason.
func (e *AddressError) Unwrap() error { return e.Err }

// ErrRunning means that a server was started twice.
var ErrRunning = errors.New("simulator is running")

// NewServer makes a server that does not listen yet.
func NewServer(cfg ServerConfig) (*Server, error) {
	if len(cfg.Panels) == 0 {
		return nil, errors.New("simulator without panels")
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		panels: cfg.Panels, listen: cfg.Listen, ctrl: cfg.Control, routes: cfg.Routes, logger: cfg.Logger.With("component", "sim"),
	}, nil
}

// Panel returns the panel of that number, from 1, or nil.
func (s *Server) Panel(number int) *Panel {
	if number < 1 || number > len(s.panels) {
		return nil
	}
	return s.panels[number-1]
}

// Panels returns how many panels there are.
func (s *Server) Panels() int { return len(s.panels) }

// Start listens for every panel and for the control API and serves them until Stop. When one address cannot be had
// nothing is left running and the error is an AddressError. The context bounds the start alone.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return ErrRunning
	}
	if err := s.bind(ctx); err != nil {
		s.closeListeners()
		return err
	}
	s.running = true
	s.conns = map[net.Conn]struct{}{}
	work := &sync.WaitGroup{}
	s.work = work
	for i, l := range s.listeners {
		work.Go(func() { s.accept(work, l, i+1) })
	}
	if s.control != nil {
		s.http = &http.Server{
			Handler: s.ControlHandler(), ReadHeaderTimeout: headerLimit,
			ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
		}
		server, listener := s.http, s.control
		work.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.logger.Error("control API ended", "err", err)
			}
		})
	}
	return nil
}

// bind opens all listeners. The caller holds the lock and closes them when it fails.
func (s *Server) bind(ctx context.Context) error {
	host, portText, err := net.SplitHostPort(s.listen)
	if err != nil {
		return &AddressError{"panel 1", s.listen, err}
	}
	first, err := strconv.Atoi(portText)
	if err != nil {
		return &AddressError{"panel 1", s.listen, err}
	}
	var config net.ListenConfig
	// The control API first: with port 0 a panel may be given its port.
	if s.ctrl != "" {
		if s.control, err = config.Listen(ctx, "tcp", s.ctrl); err != nil {
			s.control = nil
			return &AddressError{"control API", s.ctrl, err}
		}
	}
	for i := range s.panels {
		port := first
		if first != 0 {
			port += i
		}
		address := net.JoinHostPort(host, strconv.Itoa(port))
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return &AddressError{fmt.Sprintf("panel %d", i+1), address, err}
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		_ = l.Close() // nothing can be done about it
	}
	if s.control != nil {
		_ = s.control.Close() // the same
	}
	s.listeners, s.control = nil, nil
}

// PanelAddr returns the address of a panel, by its number from 1, while the server runs; empty otherwise.
func (s *Server) PanelAddr(number int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < 1 || number > len(s.listeners) {
		return ""
	}
	return s.listeners[number-1].Addr().String()
}

// ControlURL returns the root of the control API while the server runs; empty otherwise or when there is none.
func (s *Server) ControlURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.control == nil {
		return ""
	}
	return "http://" + s.control.Addr().String()
}

// Stop closes every connection and returns when everything has ended, or when the context has, with its error. It may
// be called at any time and any number of times. The panels keep their state.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	work := s.work
	if s.running {
		s.running = false
		if s.storm != nil {
			s.storm.end()
		}
		if s.http != nil {
			_ = s.http.Close() // the first thing, so that it knows why its listener closes
			s.http = nil
		}
		s.closeListeners()
		for conn := range s.conns {
			reset(conn)
		}
	}
	s.mu.Unlock()
	if work == nil {
		return nil
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop simulator: %w", ctx.Err())
	}
}

// headerLimit bounds how long a client of the control API may take to say what it wants.
const headerLimit = 5 * time.Second

// acceptPause is how long a panel waits after its listener failed for want of something that may come back.
const acceptPause = 50 * time.Millisecond

func (s *Server) accept(work *sync.WaitGroup, l net.Listener, number int) {
	logger := s.logger.With("panel_id", number)
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			logger.Warn("connection not taken", "err", err)
			<-time.After(acceptPause) // Stop waits so long at most
		case !s.track(conn):
			reset(conn)
		default:
			work.Go(func() {
				defer s.untrack(conn)
				logger.Debug("connected", "remote", conn.RemoteAddr().String())
				session := &session{panel: s.panels[number-1], conn: conn}
				session.run()
				logger.Debug("disconnected", "remote", conn.RemoteAddr().String())
			})
		}
	}
}

// track remembers a connection so that Stop can close it. It refuses once the server stops.
func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		s.conns[conn] = struct{}{}
	}
	return s.running
}

func (s *Server) untrack(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}
