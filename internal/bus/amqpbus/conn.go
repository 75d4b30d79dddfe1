package amqpbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// conn is one connection to a broker.
type conn struct {
	*amqp.Connection
	socket  *socket
	blocked atomic.Pointer[string] // why the broker takes no messages, as it said last
}

// socket bounds every write: the client library has no limit of its own, and a broker that
// stands still takes nothing off its socket.
type socket struct {
	net.Conn
	heard bool        // anything; of the reading goroutine
	alert atomic.Bool // the first thing heard was an alert of TLS
}

// The first byte of an alert of TLS; no frame of AMQP begins so.
const tlsAlert = 0x15

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if n > 0 && !s.heard {
		s.heard = true
		s.alert.Store(p[0] == tlsAlert)
	}
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return 0, err
	}
	return s.Conn.Write(p)
}

// dial connects to a node and logs in, within dialLimit.
func (e *endpoints) dial(ctx context.Context, node int, purpose string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	c := &conn{}
	hangUp := func() bool { return true }
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(e.name + " " + purpose)
	cfg := amqp.Config{
		Heartbeat: heartbeat, Properties: properties,
		Dial: func(network, addr string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			deadline, _ := ctx.Deadline()
			// The context ends the socket a moment before.
			if err := raw.SetDeadline(deadline.Add(time.Second)); err != nil {
				return nil, errors.Join(err, raw.Close())
			}
			c.socket = &socket{Conn: raw}
			hangUp = context.AfterFunc(ctx, c.drop)
			return c.socket, nil
		},
	}
	if e.tls != nil {
		cfg.TLSClientConfig = e.tls.Clone()
	}
	var err error
	c.Connection, err = amqp.DialConfig(e.urls[node%len(e.urls)], cfg)
	if !hangUp() && err == nil {
		err = ctx.Err() // it ended at the last moment
	}
	if err != nil {
		if c.socket != nil {
			c.drop()
		}
		if ctx.Err() != nil {
			// The library tells what we did then as the broker's doing.
			err = errors.Join(errNoAnswer, ctx.Err())
		} else if e.tls == nil && c.socket != nil && c.socket.alert.Load() {
			err = errTLSThere
		}
		return nil, fmt.Errorf("connect to RabbitMQ: %w", explain(err))
	}
	return c, nil
}

// errLogin is told instead of the library's guess: the broker hangs up on a wrong password
// without a word.
var errLogin = errors.New("it hung up during the login: wrong user name or password, or the link broke")

var (
	errBroken   = errors.New("the connection broke")
	errNoAnswer = errors.New("no answer in time")
	errTLSThere = errors.New("it speaks TLS on this port: its address begins with amqps://")
)

// explain turns the library's words into some that say what happened.
func explain(err error) error {
	var told *amqp.Error
	switch {
	case err == nil || !errors.As(err, &told):
		return err
	case errors.Is(err, amqp.ErrCredentials) && !told.Server:
		return errLogin
	case !told.Server && told.Code == amqp.FrameError:
		return fmt.Errorf("%w: %s", errBroken, told.Reason)
	}
	return err
}

// drop ends the connection without a word, and whatever waits on it.
func (c *conn) drop() { _ = c.socket.Close() }

// farewell ends the connection properly, within closeLimit.
func (c *conn) farewell() {
	_ = c.CloseDeadline(time.Now().Add(closeLimit))
	c.drop()
}

// call bounds questions to the broker, for which the library has no limit. Past it the
// connection is dropped, which ends the question.
func (c *conn) call(limit time.Duration, ask func() error) error {
	timer := time.AfterFunc(limit, c.drop)
	err := ask()
	if !timer.Stop() && err != nil {
		return fmt.Errorf("ask RabbitMQ for %v: %w: %w", limit, errNoAnswer, err)
	}
	return err
}

// abortWrites makes a write that is stuck fail, which ends the connection. A write that
// begins later is not affected.
func (c *conn) abortWrites() { _ = c.socket.SetWriteDeadline(time.Unix(1, 0)) }
