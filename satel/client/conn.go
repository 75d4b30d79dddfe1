package client

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"dozor/satel"
)

// lateLimit is how long after its time-out an answer is still known for what it is.
const lateLimit = 10 * time.Second

// secondLimit is how long after arming was accepted its final result may come.
const secondLimit = 5 * time.Second

// Answer is a frame that answers a request.
type Answer struct {
	Frame satel.Frame // the caller's own
	// SentAt is taken right before the request is written, ReceivedAt when the last byte of the answer has been read.
	SentAt     time.Time
	ReceivedAt time.Time
}

// Stats counts what a connection has done.
type Stats struct {
	Decoder     satel.DecoderStats
	Answers     uint64
	Timeouts    uint64
	Late        uint64 // answers that came after their time-out
	News        uint64 // frames for the hook
	NewsDropped uint64 // of these, dropped because the hook was too slow
	Gap         time.Duration
	// Floor is what Gap shrinks to, as lost answers have taught. Those after which nothing was answered any more teach
	// nothing: a module that is gone was not asked too fast.
	Floor time.Duration
}

// Conn is a connection to a module. Its methods may be called from any goroutine; requests wait for each other.
type Conn struct {
	cfg   Config
	conn  net.Conn
	line  io.ReadWriter // conn, or what encrypts on top of it
	done  chan struct{} // closed with the connection
	news  chan satel.Frame
	wait  sync.WaitGroup
	slot  chan struct{} // holds one token; who took it may send
	out   []byte        // belongs to the holder of the slot, as does timer
	timer *time.Timer

	mu       sync.Mutex
	err      error        // why done is closed
	pending  *request     // in flight
	stale    *request     // the last one that ran into its time-out
	settled  bool         // whether anything was answered since that nobody sends unasked
	last     *request     // the last one that was answered
	pushes   bool         // whether the module sends what nobody asked for
	newest   *satel.Index // with which the newest record came when it was last asked for
	asked    bool         // whether anything was sent
	repeats  bool         // whether the module was seen to repeat the index that asks for the newest record
	loose    bool         // whether it seems not to
	second   time.Time    // until when a second result of arming may come; zero when none is due
	inRow    int          // time-outs without an answer between
	pace     pace
	lastSend time.Time
	lastRecv time.Time
	stats    Stats
}

// request is one request in flight.
type request struct {
	cmd      satel.Command
	want     expectation
	sentAt   time.Time
	deadline time.Time
	silent   bool          // whether a healthy module may leave it without an answer
	answer   chan Answer   // capacity 1
	unheard  chan struct{} // capacity 1: what came meanwhile answers the request before, so that this one came too soon
	nearly   *Answer       // see expectation.nearly
}

// newConn takes over an open connection. It starts the reader and, if there is a hook, the goroutine that calls it;
// Close ends both.
func newConn(conn net.Conn, cfg Config) *Conn {
	now := time.Now()
	c := &Conn{
		cfg: cfg, conn: conn, line: conn, done: make(chan struct{}), news: make(chan satel.Frame, newsCapacity),
		slot: make(chan struct{}, 1), pace: newPace(cfg.MinGap, cfg.StartGap, cfg.Floor), lastSend: now,
	}
	if cfg.Cipher != nil {
		c.line = newSealed(conn, cfg.Cipher)
	}
	c.slot <- struct{}{}
	c.wait.Go(c.read)
	if cfg.OnNews != nil {
		c.wait.Go(c.tell)
	}
	return c
}

// Close ends the connection in order and waits until its goroutines have ended. Requests that wait return ErrClosed. It
// may be called again, also after Reset.
func (c *Conn) Close() {
	c.fail(ErrClosed)
	c.wait.Wait()
}

// Reset ends the connection at once: what was written and not yet sent is thrown away, and the module's side is
// told to forget the connection. Close is still needed.
func (c *Conn) Reset() {
	if l, ok := c.conn.(interface{ SetLinger(sec int) error }); ok {
		if err := l.SetLinger(0); err != nil && !errors.Is(err, net.ErrClosed) {
			c.cfg.Logger.Debug("linger not set", slog.Any("err", err))
		}
	}
	c.fail(ErrClosed)
}

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection is closed, nil while it is open.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// LastSend returns when the last request was written, at first when the connection was made. The module hangs up 25 s
// later.
func (c *Conn) LastSend() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastSend
}

// Stats returns the counts so far.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Gap, s.Floor = c.pace.gap, c.pace.learned
	return s
}

// fail closes the connection; the first reason stays.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
		close(c.done)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	c.cfg.Logger.Debug("connection to module ends", slog.Any("err", err))
	if err := c.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.cfg.Logger.Debug("connection to module not closed in order", slog.Any("err", err))
	}
}

// tell calls the hook.
func (c *Conn) tell() {
	for {
		select {
		case f := <-c.news:
			c.cfg.OnNews(f)
		case <-c.done:
			return
		}
	}
}

// read takes in what the module sends until the connection ends.
func (c *Conn) read() {
	var decoder satel.Decoder
	var first []byte // kept until it is known what the module speaks
	greeted := false
	buf := make([]byte, 4096)
	for {
		n, err := c.line.Read(buf)
		at := time.Now()
		if n > 0 && !greeted && len(first) < satel.BusySize {
			first = append(first, buf[:min(n, satel.BusySize-len(first))]...)
		}
		decoder.Write(buf[:n])
		for {
			f, ok := decoder.Next()
			if !ok {
				break
			}
			greeted = true
			c.route(f, at)
		}
		c.mu.Lock()
		c.stats.Decoder = decoder.Stats()
		c.mu.Unlock()
		if !greeted && satel.IsBusy(first) {
			c.fail(ErrBusy)
			return
		}
		if err != nil {
			c.failRead(err)
			return
		}
	}
}

func (c *Conn) failRead(err error) {
	if errors.Is(err, ErrBusy) {
		c.fail(ErrBusy)
		return
	}
	err = fmt.Errorf("%w: %w", ErrClosed, err)
	c.mu.Lock()
	if c.stats.Answers == 0 {
		err = c.neverAnswered(err)
	}
	c.mu.Unlock()
	c.fail(err)
}

// neverAnswered adds to an error what it may mean that nothing was ever answered. The caller holds mu.
func (c *Conn) neverAnswered(err error) error {
	if c.cfg.Cipher != nil && c.asked {
		return fmt.Errorf("%w: %w: %w", err, ErrNoAnswer, ErrKey)
	}
	return fmt.Errorf("%w: %w", err, ErrNoAnswer)
}

// route gives a frame to whom it belongs. The frame's data are the decoder's.
func (c *Conn) route(f satel.Frame, at time.Time) {
	f.Data = append([]byte(nil), f.Data...)
	c.mu.Lock()
	defer c.mu.Unlock()
	p, late := c.pending, false
	switch {
	case c.isSecond(p, f, at):
		c.second = time.Time{}
	case p != nil && p.want.matches(f):
		c.deliver(p, Answer{Frame: f, SentAt: p.sentAt, ReceivedAt: at})
		return
	case c.stale != nil && at.Before(c.stale.deadline.Add(lateLimit)) && c.stale.want.matches(f):
		c.stale, late = nil, true
		c.stats.Late++
		if f.Cmd.List() == satel.ListNone && f.Cmd != satel.CmdEventRecord {
			return
		}
		// It may have been pushed, and what it says was true when it was sent either way.
	case p != nil && p.want.nearly(f):
		p.nearly = &Answer{Frame: f, SentAt: p.sentAt, ReceivedAt: at}
	case c.last != nil && c.last.want.matches(f):
		// What was taken for the answer may have been pushed, and this is it.
		c.lastRecv = at
		if p != nil {
			select {
			case p.unheard <- struct{}{}:
			default:
			}
		}
	}
	c.pushes = c.pushes || f.Cmd == satel.CmdEventRecord && !late
	c.offer(f)
}

// offer gives a frame to the hook. The caller holds mu.
func (c *Conn) offer(f satel.Frame) {
	if c.cfg.OnNews == nil {
		return
	}
	c.stats.News++
	select {
	case c.news <- f:
	default:
		c.stats.NewsDropped++
	}
}

// isSecond tells whether a frame is the final result of arming that was accepted before. Every other control is answered
// by "accepted", or by an error of its user or code. The caller holds mu.
func (c *Conn) isSecond(p *request, f satel.Frame, at time.Time) bool {
	if f.Cmd != satel.CmdResult || at.After(c.second) {
		return false
	}
	if p == nil || !p.want.matches(f) {
		return true
	}
	r, err := satel.ParseResult(f.Data)
	if err != nil || r == satel.ResultAccepted {
		return false
	}
	return p.cmd.IsArm() || p.want.cmd == satel.CmdResult &&
		(r == satel.ResultOK || r == satel.ResultCannotArm || r == satel.ResultCannotArmForce)
}

// deliver ends the request in flight with an answer. The caller holds mu.
func (c *Conn) deliver(p *request, a Answer) {
	if p.cmd.IsArm() && len(a.Frame.Data) == 1 && satel.Result(a.Frame.Data[0]) == satel.ResultAccepted {
		c.second = a.ReceivedAt.Add(secondLimit)
	}
	if p.want.newest() {
		if p.want.echoes(a.Frame.Data) {
			c.repeats, c.loose = true, false
		}
		if e, err := satel.ParseLogEntry(a.Frame.Data); err == nil {
			c.newest = &e.Index
		}
	}
	c.pending, c.last = nil, p
	c.settled = c.settled || !mayBeUnasked(p.cmd)
	c.inRow = 0
	c.lastRecv = a.ReceivedAt
	c.pace.answered()
	c.stats.Answers++
	p.answer <- a
}
