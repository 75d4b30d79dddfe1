package pg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pingInterval is how often the listener notifies itself. Without an echo the
	// session is deaf: a dead way, or a pooler in between.
	pingInterval = 3 * time.Second
	echoTimeout  = 2 * time.Second

	listenBackoffMin = 50 * time.Millisecond
	listenBackoffMax = 2 * time.Second
)

var errNoEcho = errors.New("no echo of the listener's own notification")

// hear keeps one listening session, a new one after each that broke.
func (h *Hints) hear(ctx context.Context) {
	backoff := listenBackoffMin
	failing := false
	for ctx.Err() == nil {
		heard := false
		err := h.session(ctx, func() {
			heard = true
			if failing {
				h.log.Info("hints are heard again")
			}
			failing, backoff = false, listenBackoffMin
		})
		if ctx.Err() != nil {
			return
		}
		if !failing {
			h.log.Warn("hints are not heard: readers poll", "err", err)
		}
		failing = true
		pause(ctx, backoff+rand.N(backoff))
		if !heard {
			backoff = min(backoff*2, listenBackoffMax)
		}
	}
}

// session listens until something breaks or ctx ends; standing is called once it does
// listen.
func (h *Hints) session(ctx context.Context, standing func()) error {
	pooled, err := h.direct.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect the listener: %w", err)
	}
	// Taken out of the pool: it is kept for good and must not count against the others.
	conn := pooled.Hijack()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()

	echo := fmt.Sprintf("dozor_echo_%016x", rand.Uint64())
	l := &listening{conn: conn, echo: echo, heard: map[string]bool{}, wake: h.wake}
	if err := l.listen(ctx, append(h.channels(), echo)); err != nil {
		return err
	}
	standing()
	for {
		if err := l.ping(ctx); err != nil {
			return err
		}
		until := time.Now().Add(pingInterval)
		for time.Now().Before(until) {
			if err := l.listen(ctx, h.channels()); err != nil {
				return err
			}
			if err := l.wait(ctx, until, h.listen); err != nil {
				return err
			}
		}
	}
}

// listening is one session that listens. It belongs to one goroutine.
type listening struct {
	conn  *pgx.Conn
	echo  string
	heard map[string]bool
	wake  func(channel string)
}

// listen adds the channels that the session does not hear yet, and wakes those who
// follow them: what was hinted before is missed.
func (l *listening) listen(ctx context.Context, channels []string) error {
	for _, channel := range channels {
		if l.heard[channel] {
			continue
		}
		within, cancel := context.WithTimeout(ctx, echoTimeout)
		_, err := l.conn.Exec(within, "LISTEN "+pgx.Identifier{channel}.Sanitize())
		cancel()
		if err != nil {
			return fmt.Errorf("listen to %s: %w", channel, err)
		}
		l.heard[channel] = true
		l.wake(channel)
	}
	return nil
}

// ping notifies the session itself and hears until the echo comes.
func (l *listening) ping(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, echoTimeout)
	defer cancel()
	if _, err := l.conn.Exec(within, "NOTIFY "+pgx.Identifier{l.echo}.Sanitize()); err != nil {
		return fmt.Errorf("ping the listener: %w", err)
	}
	for {
		n, err := l.conn.WaitForNotification(within)
		if err != nil {
			return errors.Join(errNoEcho, err)
		}
		if n.Channel == l.echo {
			return nil
		}
		l.wake(n.Channel)
	}
}

// wait hears until the instant given, until a channel was added or something came.
func (l *listening) wait(ctx context.Context, until time.Time, added <-chan struct{}) error {
	within, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-added:
			cancel()
		case <-within.Done():
		}
	}()
	n, err := l.conn.WaitForNotification(within)
	cancel()
	<-watching
	switch {
	case err == nil:
		l.wake(n.Channel)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case within.Err() != nil && !l.conn.IsClosed():
		// Time for a ping or for another channel; the session is as good as before.
		return nil
	}
	return fmt.Errorf("wait for hints: %w", err)
}
