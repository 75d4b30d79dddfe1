package amqpbus

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/singleflight"
)

var errBusClosed = errors.New("the bus is closed")

// briefly is how long a caller waits for a broker that is known to be down, so that one
// that tries again at once is no busy loop, and one with a second way out is not held up.
const briefly = 50 * time.Millisecond

// topology remembers whether everything was declared. Whoever sees that something is
// missing makes it forget.
type topology struct{ declared atomic.Bool }

func (t *topology) ensure(c *conn) error {
	if t.declared.Load() {
		return nil
	}
	err := c.call(declareLimit, func() error {
		ch, err := c.Channel()
		if err != nil {
			return err
		}
		if err := declare(ch); err != nil {
			return err
		}
		return ch.Close()
	})
	if err == nil {
		t.declared.Store(true)
	}
	return err
}

// link keeps one connection, made when somebody needs it.
type link struct {
	ends     *endpoints
	topology *topology
	purpose  string
	log      *slog.Logger
	lifetime context.Context //nolint:containedctx // its own life, not that of a call
	state    linkState
	flight   singleflight.Group // one try to connect at a time

	mu     sync.Mutex
	conn   *conn
	retry  backoff
	closed bool

	running sync.WaitGroup // goroutines that use the connection
}

// get returns the connection, with the topology declared on it. When the last try failed
// a moment ago it waits for the next one only briefly.
func (l *link) get(ctx context.Context) (*conn, error) {
	if c := l.current(); c != nil {
		return c, nil
	}
	l.mu.Lock()
	pause := l.retry.left()
	l.mu.Unlock()
	if pause > briefly {
		sleep(ctx, briefly)
		if err := l.state.get().Err; err != nil {
			return nil, err
		}
	}
	return share(ctx, &l.flight, l.connect)
}

// share joins a call that is under way, or begins one, and waits for it as long as ctx lasts.
func share[T any](ctx context.Context, flight *singleflight.Group, call func() (T, error)) (T, error) {
	var none T
	select {
	case res := <-flight.DoChan("", func() (any, error) { return call() }):
		if res.Err != nil {
			return none, res.Err
		}
		v, _ := res.Val.(T)
		return v, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (l *link) current() *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil || l.conn.IsClosed() || !l.topology.declared.Load() {
		return nil
	}
	return l.conn
}

// begin counts a goroutine that end waits for; false: the link is closed.
func (l *link) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.running.Add(1)
	}
	return !l.closed
}

func (l *link) connect() (*conn, error) {
	if !l.begin() {
		return nil, errBusClosed
	}
	defer l.running.Done()
	if c := l.current(); c != nil {
		return c, nil
	}
	l.mu.Lock()
	c, pause, node := l.conn, l.retry.left(), l.retry.failures
	l.mu.Unlock()
	sleep(l.lifetime, pause)
	var err error
	if c == nil || c.IsClosed() {
		if c, err = l.ends.dial(l.lifetime, node, l.purpose); err != nil {
			l.note(nil, err)
			return nil, err
		}
		l.watch(c)
	}
	// Declaring may take long, and nobody else knows of the connection yet.
	keep := context.AfterFunc(l.lifetime, c.drop)
	err = l.topology.ensure(c)
	keep()
	if err != nil {
		c.farewell()
		l.note(nil, err)
		return nil, err
	}
	if !l.note(c, nil) {
		c.farewell()
		return nil, errBusClosed
	}
	return c, nil
}

// note takes the result of a try to connect; false: the link was closed meanwhile, and the
// connection is the caller's to end.
func (l *link) note(c *conn, err error) bool {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	l.conn = c
	if err != nil {
		l.retry.failed()
	} else {
		l.retry = backoff{}
	}
	l.mu.Unlock()
	report(l.lifetime, l.log, &l.state, err)
	return true
}

// report keeps the state of a link and logs its changes.
func report(lifetime context.Context, log *slog.Logger, state *linkState, err error) {
	err = explain(err)
	changed := state.set(err)
	switch {
	case lifetime.Err() != nil:
	case changed == nowUp:
		log.Info("RabbitMQ answers")
	case changed == nowDown:
		log.Warn("RabbitMQ is out of reach: trying on", "reason", Reason(err), "err", err)
	case changed == nowHopeless:
		log.Error("RabbitMQ can't be used until somebody mends it", "reason", Reason(err), "err", err)
	}
}

// watch follows what the broker says of a connection until it ends.
func (l *link) watch(c *conn) {
	closed := c.NotifyClose(make(chan *amqp.Error, 1))
	blocked := c.NotifyBlocked(make(chan amqp.Blocking, 8))
	l.running.Go(func() {
		for b := range blocked {
			reason := ""
			if b.Active {
				reason = b.Reason
				l.log.Warn("RabbitMQ takes no messages for now", "reason", (&blockedError{said: reason}).word())
			} else {
				l.log.Info("RabbitMQ takes messages again")
			}
			c.blocked.Store(&reason)
		}
		// The library closes both when the connection has ended.
		why, lost := <-closed
		l.mu.Lock()
		current := l.conn == c
		l.mu.Unlock()
		if lost && current {
			report(l.lifetime, l.log, &l.state, why)
		}
	})
}

// blocked is why the broker takes no messages, "" when it does as far as we know.
func (l *link) blocked() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil || l.conn.IsClosed() {
		return ""
	}
	if reason := l.conn.blocked.Load(); reason != nil {
		return *reason
	}
	return ""
}

// ask puts questions on a channel of their own, as long as ctx lasts.
func (l *link) ask(ctx context.Context, question func(*amqp.Channel) error) error {
	c, err := l.get(ctx)
	if err != nil {
		return err
	}
	if !l.begin() {
		return errBusClosed
	}
	answered := make(chan error, 1)
	go func() {
		defer l.running.Done()
		answered <- c.call(callLimit, func() error {
			ch, err := c.Channel()
			if err != nil {
				return err
			}
			return errors.Join(question(ch), ch.Close())
		})
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end closes the connection and waits for everything that used it. The lifetime has
// ended before.
func (l *link) end() {
	l.mu.Lock()
	l.closed = true
	c := l.conn
	l.mu.Unlock()
	if c != nil {
		c.farewell()
	}
	l.running.Wait()
}

// backoff paces tries: a growing pause with jitter, so that a broker that returns is not met by all at once.
type backoff struct {
	failures int
	until    time.Time
}

func (b *backoff) failed() {
	pause := min(retryMin<<min(b.failures, 10), retryMax)
	b.failures++
	b.until = time.Now().Add(pause/2 + rand.N(pause/2))
}

func (b *backoff) left() time.Duration { return max(0, time.Until(b.until)) }

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
