package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"dozor/internal/errs"
	"dozor/internal/obs"
	"dozor/internal/presence"
	"dozor/internal/stream"
)

// Close codes.
const (
	codeReconnect   websocket.StatusCode = 4000
	codeSlow        websocket.StatusCode = 4001
	codeAccessEnded websocket.StatusCode = 4003
	codeBadMessage  websocket.StatusCode = 4400

	codeGone websocket.StatusCode = 0 // the client left; nobody to tell
)

// maxClose bounds a farewell, whatever is set: the library takes no longer for its part.
const maxClose = 5 * time.Second

// waited is how long a write takes at least that did not just go into a buffer. The kernel
// wakes a writer when a third of the buffer is free again: whoever takes that faster has
// soon answered the ping behind it. A busy machine holds up a write for less than this;
// were that taken for reading, nobody would be slow there.
const waited = 100 * time.Millisecond

// ending is why a connection ends.
type ending struct {
	code   websocket.StatusCode
	reason string
}

var (
	slow     = ending{codeSlow, "slow client: reconnect and resume"}
	gone     = ending{codeGone, ""}
	stopping = ending{codeReconnect, "server stops: reconnect"}
)

// connection is one client. The reader makes the subscription with the first message,
// the writer serves it, the supervisor ends both.
type connection struct {
	h      *Handler
	ws     *websocket.Conn
	conn   net.Conn // beneath ws
	viewer stream.Viewer
	log    *slog.Logger
	seat   *presence.Seat // the reader's; nil: presence is not kept

	ends     chan ending               // capacity 1: the first counts
	attached chan *stream.Subscription // capacity 1

	// The writer writes under turn, and not when it is leaving: nothing follows a farewell.
	turn    sync.Mutex
	leaving atomic.Bool

	// Instants of slowness, in Unix nanoseconds, 0 for none.
	writing atomic.Int64 // when the write in progress began
	pinging atomic.Int64 // when the ping without an answer went out
	drained atomic.Int64 // when a write that had to wait went through: the client reads
}

func newConnection(h *Handler, viewer stream.Viewer) *connection {
	return &connection{
		h: h, viewer: viewer, log: h.cfg.Log,
		ends: make(chan ending, 1), attached: make(chan *stream.Subscription, 1),
	}
}

// serve runs a connection to its end.
func (c *connection) serve(ctx context.Context) {
	h := c.h
	if h.cfg.Presence != nil {
		c.seat = h.cfg.Presence.Seat(c.viewer.UserID)
	}
	// Messages are bounded where they are read: the library would close with a code of
	// its own.
	c.ws.SetReadLimit(-1)
	h.cfg.Metrics.connections.Inc()
	defer h.cfg.Metrics.connections.Dec()

	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(c.guarded(func() { c.read(ctx) }))
	var sub *stream.Subscription
	end := c.supervise(func(s *stream.Subscription) {
		sub = s
		running.Go(c.guarded(func() { c.write(s) }))
	})

	c.leaving.Store(true)
	if c.seat != nil {
		c.seat.Leave()
	}
	// Waiting for the client's farewell, or for a write that is stuck, ends by this
	// deadline.
	_ = c.conn.SetDeadline(time.Now().Add(min(h.cfg.Close, maxClose)))
	if end.code == codeGone {
		_ = c.ws.CloseNow()
		h.cfg.Metrics.closed.WithLabelValues("gone").Inc()
	} else {
		c.turn.Lock()
		c.turn.Unlock() //nolint:staticcheck // the write in progress has ended, and no other begins
		// The reader still reads, which lets the client's answer in.
		_ = c.ws.Close(end.code, end.reason)
		h.cfg.Metrics.closed.WithLabelValues(strconv.Itoa(int(end.code))).Inc()
	}
	cancel()
	_ = c.conn.Close()
	if sub != nil {
		sub.Stop()
	}
	running.Wait()
	if sub == nil {
		select {
		case sub = <-c.attached:
		default:
			return
		}
	}
	sub.Close()
}

// guarded ends the connection when f panics, and only that: one client's message must not
// take everybody's screens away.
func (c *connection) guarded(f func()) func() {
	return func() {
		defer func() {
			if v := recover(); v != nil {
				c.log.Error("a connection made the server stumble", "err", v, "stack", string(debug.Stack()))
				c.end(gone)
			}
		}()
		f()
	}
}

// supervise waits for the reason to end, starting the writer once there is something to
// write.
func (c *connection) supervise(start func(*stream.Subscription)) ending {
	first := time.NewTimer(c.h.cfg.First)
	defer first.Stop()
	stall := time.NewTimer(c.h.cfg.Stall)
	defer stall.Stop()
	var sub *stream.Subscription
	var done <-chan struct{}
	for {
		select {
		case end := <-c.ends:
			return end
		case <-c.h.stopping:
			return stopping
		case sub = <-c.attached:
			first.Stop()
			done = sub.Done()
			start(sub)
		case <-done:
			return endingOf(sub.Err())
		case <-first.C:
			return ending{codeBadMessage, "no resume"}
		case <-stall.C:
			left := time.Until(c.slowAt())
			if left <= 0 {
				return slow
			}
			stall.Reset(left)
		}
	}
}

// slowAt is when the client will have left something untaken for too long, if nothing
// happens until then. An answer to a ping lies behind all that was written before; while
// that is being read, however slowly, the client is not silent.
func (c *connection) slowAt() time.Time {
	since := time.Now().UnixNano() // what is not on its way yet
	if at := c.writing.Load(); at != 0 {
		since = min(since, at)
	}
	if at := c.pinging.Load(); at != 0 {
		since = min(since, max(at, c.drained.Load()))
	}
	return time.Unix(0, since).Add(c.h.cfg.Stall)
}

func endingOf(err error) ending {
	switch {
	case errors.Is(err, stream.ErrAccessEnded):
		return ending{codeAccessEnded, "access ended: sign in again"}
	case errors.Is(err, stream.ErrStopping):
		return stopping
	default:
		return gone
	}
}

func (c *connection) end(e ending) {
	select {
	case c.ends <- e:
	default:
	}
}

// read takes the client's messages until the connection ends.
func (c *connection) read(ctx context.Context) {
	var sub *stream.Subscription
	for {
		data, err := c.readOne(ctx)
		if err != nil {
			if bad, ok := errors.AsType[badMessage](err); ok {
				c.log.Debug("a client's message can't be", "err", bad)
				c.end(ending{codeBadMessage, "bad message"})
			} else {
				c.end(gone)
			}
			return
		}
		o, err := parseOrder(data)
		if err == nil && sub == nil && o.resume == nil {
			err = errors.New("the first message must resume")
		}
		if err != nil {
			c.log.Debug("a client's message can't be", "err", err)
			c.end(ending{codeBadMessage, "bad message"})
			return
		}
		switch {
		case o.resume == nil:
		case sub != nil:
			sub.Resume(*o.resume)
		default:
			if sub, err = c.h.cfg.Hub.Attach(ctx, c.viewer, *o.resume); err != nil {
				c.end(endingOf(err))
				return
			}
			c.attached <- sub
		}
		if o.desk != nil && c.seat != nil {
			c.seat.Say(*o.desk)
		}
		if o.subscribe == nil {
			continue
		}
		if err := sub.SubscribePanels(ctx, o.subscribe.all, o.subscribe.ids); err != nil {
			if errs.KindOf(err) != errs.Invalid && ctx.Err() == nil {
				c.log.Warn("a client's panels can't be looked up: it reconnects", "err", err)
			}
			c.end(ending{codeReconnect, "panels can't be looked up: reconnect"})
			return
		}
	}
}

// badMessage is a message whose form alone is wrong.
type badMessage struct{ reason string }

func (b badMessage) Error() string { return b.reason }

func (c *connection) readOne(ctx context.Context) ([]byte, error) {
	kind, body, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, badMessage{"not a text message"}
	}
	data, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxMessage {
		return nil, badMessage{fmt.Sprintf("longer than %d bytes", maxMessage)}
	}
	return data, nil
}

// write sends what the subscription gives, and now and then a ping with it, which finds
// clients that are gone without a word, or frozen.
func (c *connection) write(sub *stream.Subscription) {
	pingAt := time.Now().Add(c.h.cfg.Stall)
	for {
		messages, err := sub.Next(context.Background()) // it ends with the subscription
		if err != nil {
			return // the supervisor sees the same
		}
		for len(messages) > 0 {
			out := takeBuffer()
			n := 0
			for n < len(messages) && len(out.b) < writeAtOnce {
				out.b = appendFrame(out.b, frameText, messages[n].Data)
				n++
			}
			now := time.Now()
			if now.After(pingAt) {
				pingAt = now.Add(c.h.cfg.Stall)
				if c.pinging.CompareAndSwap(0, now.UnixNano()) {
					out.b = appendFrame(out.b, framePing, nil)
				}
			}
			if !c.writeOut(out.b, now) {
				return
			}
			out.giveBack()
			c.h.cfg.Metrics.messages.Add(float64(n))
			for _, m := range messages[:n] {
				if m.FirstShown() {
					c.h.shown(m)
				}
			}
			messages = messages[n:]
		}
	}
}

// writeOut writes whole frames past the library, which would take a system call and two
// contexts for each. What it writes itself, answers to pings and the farewell, can't come
// in between: a connection takes each Write whole before the next.
func (c *connection) writeOut(frames []byte, began time.Time) bool {
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.leaving.Load() {
		return false
	}
	c.writing.Store(began.UnixNano())
	_, err := c.conn.Write(frames)
	c.writing.Store(0)
	if now := time.Now(); now.Sub(began) > waited {
		c.drained.Store(now.UnixNano())
	}
	if err != nil {
		c.end(gone)
		return false
	}
	return true
}

// ponged is called when the client answers a ping.
func (c *connection) ponged(context.Context, []byte) { c.pinging.Store(0) }

// shown notes that a frame is on the first screen.
func (h *Handler) shown(m stream.Message) {
	if !m.AnsweredAt.IsZero() {
		h.cfg.Metrics.ownShare.Observe(time.Since(m.AnsweredAt).Seconds())
	}
	h.cfg.Log.Debug("frame shown", "position", m.Position, "trace_id", obs.TraceID(m.Trace))
}
