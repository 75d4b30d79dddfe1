package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dozor/satel"
)

// reconnectAfter is the number of time-outs in a row that end a connection.
const reconnectAfter = 2

// unheardAfter is how long a read is still waited for once it seems that it came before the answer to the request before
// it: longer than modules take for nearly all, and short enough that an alarm is still told within a second. To a module
// that takes longer, it is the second request that comes too soon.
const unheardAfter = 500 * time.Millisecond

// errUnheard says that a read was probably not heard; exchange asks it again.
var errUnheard = errors.New("the request came too soon")

// Guard is asked whether a command may still act. It must not use the connection.
type Guard interface {
	// BeforeWrite is called right before the request is written; an error keeps it from being written.
	BeforeWrite() error
	// AfterWrite is called right after the request was written; an error resets the connection, so that what the
	// system has not yet sent is not sent, and the command's outcome is unknown.
	AfterWrite() error
}

// Request asks the module and waits for the answer. It waits for earlier requests and for the gap; the time-out begins
// when the request is written.
//
// Errors wrap ErrTimeout, ErrReconnect, ErrNoAnswer, ErrClosed, ErrBusy, ErrRequest or the context's error. When the
// context ends after the request was written, the answer is thrown away when it comes, and the next request waits for it
// as long as this one would have.
func (c *Conn) Request(ctx context.Context, cmd satel.Command, data []byte) (Answer, error) {
	return c.Control(ctx, cmd, data, nil)
}

// Control is Request with a guard, whose errors it returns wrapped. A nil guard allows everything.
func (c *Conn) Control(ctx context.Context, cmd satel.Command, data []byte, guard Guard) (Answer, error) {
	if len(data) > satel.MaxData || cmd == satel.CmdInvalid {
		return Answer{}, fmt.Errorf("%s with %d bytes: %w", cmd, len(data), ErrRequest)
	}
	select {
	case <-c.slot:
		defer func() { c.slot <- struct{}{} }()
	case <-c.done:
		return Answer{}, fmt.Errorf("%s: %w", cmd, c.Err())
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%s: %w", cmd, ctx.Err())
	}
	a, err := c.ask(ctx, cmd, data, guard)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", cmd, err)
	}
	return a, nil
}

// ask sends one request when nothing that is still to come can be taken for its answer. The caller holds the slot.
func (c *Conn) ask(ctx context.Context, cmd satel.Command, data []byte, guard Guard) (Answer, error) {
	if err := c.outlast(ctx); err != nil {
		return Answer{}, err
	}
	p := newRequest(cmd, data)
	if probe, needed := c.probeBefore(p); needed {
		if _, err := c.exchange(ctx, newRequest(probe, nil), nil, nil); err != nil {
			return Answer{}, fmt.Errorf("to make sure, %s: %w", probe, err)
		}
	}
	return c.exchange(ctx, p, data, guard)
}

func newRequest(cmd satel.Command, data []byte) *request {
	p := &request{cmd: cmd, want: expect(cmd, data), silent: maySilent(cmd, data), answer: make(chan Answer, 1)}
	if p.want.cmd != satel.CmdResult { // a control must not act twice
		p.unheard = make(chan struct{}, 1)
	}
	return p
}

// outlast waits for the answer to a request whose caller has gone, or for its time-out.
func (c *Conn) outlast(ctx context.Context) error {
	c.mu.Lock()
	p := c.pending
	c.mu.Unlock()
	if p == nil {
		return nil
	}
	_, err := c.await(ctx, p)
	if errors.Is(err, errUnheard) || errors.Is(err, ErrTimeout) && !errors.Is(err, ErrReconnect) {
		return nil
	}
	return err
}

// probeBefore tells whether a late answer to an earlier request could be taken for the answer to p, or is in doubt at
// all, and which request then makes sure. Of a module that pushes, what answered a request for the newest record may have
// come unasked, and the answer, which is older, still be due; one that repeats another index than the one asked with is
// taken for such a module, too.
func (c *Conn) probeBefore(p *request) (satel.Command, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.want.loose = c.loose
	if c.pushes && p.want.newest() && c.last != nil && c.last.want.newest() {
		return satel.CmdClock, true
	}
	if c.stale == nil || c.settled {
		return 0, false
	}
	if !p.silent && !p.want.confusable(c.stale.want) {
		return 0, false
	}
	if c.stale.cmd == satel.CmdClock {
		return satel.CmdPanelVersion, true
	}
	return satel.CmdClock, true
}

// exchange waits for the gap, writes the request and waits for its answer; one that was not heard is written once more.
// The caller holds the slot.
func (c *Conn) exchange(ctx context.Context, p *request, data []byte, guard Guard) (Answer, error) {
	a, err := c.exchangeOnce(ctx, p, data, guard)
	if !errors.Is(err, errUnheard) {
		return a, err
	}
	p.unheard = nil
	return c.exchangeOnce(ctx, p, data, guard)
}

func (c *Conn) exchangeOnce(ctx context.Context, p *request, data []byte, guard Guard) (Answer, error) {
	if err := c.leaveGap(ctx); err != nil {
		return Answer{}, err
	}
	c.out = satel.AppendFrame(c.out[:0], p.cmd, data)
	err := ErrRequest
	if c.cfg.Cipher == nil || len(c.out) <= satel.MaxMessageFrame {
		err = c.send(p, guard)
	}
	clear(c.out) // it may hold a user code
	if err != nil {
		return Answer{}, err
	}
	return c.await(ctx, p)
}

func (c *Conn) leaveGap(ctx context.Context) error {
	var left time.Time
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.mu.Lock()
		last, gap := c.lastRecv, c.pace.gap
		c.mu.Unlock()
		if last.Equal(left) { // nothing came meanwhile that may be an answer
			return nil
		}
		if err := c.sleepUntil(ctx, last.Add(gap)); err != nil {
			return err
		}
		left = last
	}
}

func (c *Conn) send(p *request, guard Guard) error {
	limit := c.cfg.Timeout
	if slow(p.cmd) {
		limit *= 2
	}
	at := time.Now()
	p.sentAt, p.deadline = at, at.Add(limit)
	if err := c.conn.SetWriteDeadline(p.deadline); err != nil {
		return c.sendFailed(err)
	}
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	before := c.lastSend
	c.pending, c.lastSend, c.asked = p, at, true
	c.mu.Unlock()
	if guard != nil {
		if err := guard.BeforeWrite(); err != nil {
			c.mu.Lock()
			c.pending, c.lastSend = nil, before
			c.mu.Unlock()
			return err
		}
	}
	if _, err := c.line.Write(c.out); err != nil {
		return c.sendFailed(err)
	}
	if guard != nil {
		if err := guard.AfterWrite(); err != nil {
			c.Reset()
			return err
		}
	}
	return nil
}

// sendFailed ends the connection, of which nobody knows how much of a request it carried, and returns the reason.
func (c *Conn) sendFailed(err error) error {
	c.fail(fmt.Errorf("%w: %w", ErrClosed, err))
	return c.Err()
}

// await waits for the answer to the request in flight.
func (c *Conn) await(ctx context.Context, p *request) (Answer, error) {
	timer := c.startTimer(time.Until(p.deadline))
	defer timer.Stop()
	for unheard, open := p.unheard, true; open; {
		select {
		case a := <-p.answer:
			return a, nil
		case <-unheard:
			unheard = nil
			timer.Reset(min(unheardAfter, time.Until(p.deadline)))
		case <-timer.C:
			return c.expire(p)
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-c.done:
			open = false
		}
	}
	select {
	case a := <-p.answer:
		return a, nil
	default:
		return Answer{}, c.Err()
	}
}

// expire ends a request whose time is up, or that was probably not heard.
func (c *Conn) expire(p *request) (Answer, error) {
	c.mu.Lock()
	if c.pending != p {
		c.mu.Unlock()
		return <-p.answer, nil
	}
	if time.Now().Before(p.deadline) {
		c.pending = nil
		c.mu.Unlock()
		c.cfg.Logger.Debug("request not heard: asked again", slog.String("command", p.cmd.String()))
		return Answer{}, errUnheard
	}
	if p.nearly != nil && !c.repeats {
		c.loose = true
		c.deliver(p, *p.nearly)
		c.mu.Unlock()
		return <-p.answer, nil
	}
	c.pending, c.stale, c.settled = nil, p, false
	c.stats.Timeouts++
	if !p.silent {
		c.inRow++
		c.pace.lost()
	}
	err := ErrTimeout
	if c.stats.Answers == 0 {
		err = c.neverAnswered(err)
	}
	enough := c.inRow >= reconnectAfter
	c.mu.Unlock()
	c.cfg.Logger.Debug("request not answered", slog.String("command", p.cmd.String()))
	if enough {
		err = fmt.Errorf("%w: %w", err, ErrReconnect)
		c.fail(err)
	}
	return Answer{}, err
}
