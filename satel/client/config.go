package client

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"dozor/satel"
)

// Defaults of Config.
const (
	DefaultMinGap   = 10 * time.Millisecond
	DefaultStartGap = 50 * time.Millisecond
	DefaultTimeout  = 3 * time.Second
)

const (
	// listenTime is how long a new connection is listened to before the first request: a taken module speaks at once.
	listenTime = 100 * time.Millisecond

	// newsCapacity bounds the frames that wait for the hook: more than a subscription can push at once.
	newsCapacity = 64

	// A lost peer is noticed within keepAliveIdle + keepAliveCount * keepAliveInterval, and unacknowledged requests
	// end the connection after userTimeout: both below the module's own limit of 25 s.
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 3 * time.Second
	keepAliveCount    = 3
	userTimeout       = 15 * time.Second
)

// Dialer opens network connections; *net.Dialer is one.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Config says how to reach a module.
type Config struct {
	// Address is host:port.
	Address string
	// Dialer opens the connection; nil means a plain net.Dialer.
	Dialer Dialer
	// Cipher encrypts the connection, as the module's setting demands; nil means that it is not encrypted. A setting or
	// key that differs from the module's shows as silence or hanging up alone: ErrNoAnswer.
	Cipher *satel.Cipher
	// MinGap is the shortest time between an answer and the next request; 0 means DefaultMinGap.
	MinGap time.Duration
	// StartGap is that time on a new connection; 0 means DefaultStartGap. It is raised to MinGap.
	StartGap time.Duration
	// Floor is the shortest gap that an earlier connection found this module to bear (Stats.Floor); 0 means MinGap.
	Floor time.Duration
	// Timeout is how long an answer may take; 0 means DefaultTimeout. Commands that are slow by nature get twice as much.
	Timeout time.Duration
	// OnNews gets the frames that answer no request, one after the other, on a goroutine of the connection. The frame is
	// the hook's own. While the hook works up to 64 frames wait, further ones are dropped and counted. It may be nil, and
	// it must not call Close.
	OnNews func(satel.Frame)
	// Logger gets what is worth knowing of the connection at level debug; nil means none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Dialer == nil {
		c.Dialer = &net.Dialer{}
	}
	if c.MinGap == 0 {
		c.MinGap = DefaultMinGap
	}
	if c.StartGap == 0 {
		c.StartGap = DefaultStartGap
	}
	c.StartGap = max(c.StartGap, c.MinGap)
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Dial connects to a module and listens for a moment whether it is free. It returns an error that wraps ErrBusy when
// another client holds the module, and one that wraps ErrClosed when the module hangs up at once. On success the caller
// owns the connection and must Close it. The context ends the dialling, not the connection.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	cfg = cfg.withDefaults()
	conn, err := cfg.Dialer.DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to module: %w", err)
	}
	if err := tune(conn); err != nil {
		cfg.Logger.DebugContext(ctx, "socket options not set", slog.Any("err", err))
	}
	c := newConn(conn, cfg)
	timer := time.NewTimer(listenTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c, nil
	case <-c.done:
		err = c.Err()
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.Close()
	return nil, fmt.Errorf("connect to module: %w", err)
}

// tune makes the system notice a peer that is gone.
func tune(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	err := tcp.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
	})
	if err != nil {
		return fmt.Errorf("set keep-alive: %w", err)
	}
	return setUserTimeout(tcp, userTimeout)
}
