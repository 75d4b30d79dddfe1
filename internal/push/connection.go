package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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

// waited is how long a write takes at least that did not just go into a buffer.
const waited = 5 * time.Millisecond

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
	viewer stream.Viewer
	log    *slog.Logger
	seat   *presence.Seat // the reader's; nil: presence is not kept

	ends     chan ending               // capacity 1: the first counts
	attached chan *stream.Subscription // capacity 1
	leaving  chan struct{}             // closed: nothing more is written

	// Instants of slowness, in Unix nanoseconds, 0 for none.
	writing atomic.Int64 // when the write in progress began
	pinging atomic.Int64 // when the ping without an answer went out
	drained atomic.Int64 // when a write that had to wait went through: the client reads
}

// serve runs a connection to its end.
func (h *Handler) serve(ctx context.Context, ws *websocket.Conn, conn net.Conn, viewer stream.Viewer) {
	c := &connection{
		h: h, ws: ws, viewer: viewer, log: h.cfg.Log,
		ends: make(chan ending, 1), attached: make(chan *stream.Subscription, 1), leaving: make(chan struct{}),
	}
	if h.cfg.Presence != nil {
		c.seat = h.cfg.Presence.Seat(viewer.UserID)
	}
	// Messages are bounded where they are read: the library would close with a code of
	// its own.
	ws.SetReadLimit(-1)
	h.cfg.Metrics.connections.Inc()
	defer h.cfg.Metrics.connections.Dec()

	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { c.read(ctx) })
	running.Go(func() { c.ping(ctx) })
	var sub *stream.Subscription
	end := c.supervise(func(s *stream.Subscription) {
		sub = s
		running.Go(func() { c.write(ctx, s) })
	})

	close(c.leaving)
	if c.seat != nil {
		c.seat.Leave()
	}
	// A library that waits for the client's farewell, or for a write that is stuck, ends
	// by this deadline.
	_ = conn.SetDeadline(time.Now().Add(h.cfg.Close))
	if end.code == codeGone {
		_ = ws.CloseNow()
		h.cfg.Metrics.closed.WithLabelValues("gone").Inc()
	} else {
		// The reader still reads, which lets the client's answer in.
		_ = ws.Close(end.code, end.reason)
		h.cfg.Metrics.closed.WithLabelValues(strconv.Itoa(int(end.code))).Inc()
	}
	cancel()
	_ = conn.Close()
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

// supervise waits for the reason to end, starting the writer once there is something to
// write.
func (c *connection) supervise(start func(*stream.Subscription)) ending {
	first := time.NewTimer(c.h.cfg.First)
	defer first.Stop()
	stall := time.NewTicker(c.h.cfg.Stall / 10)
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
			if c.isSlow(time.Now()) {
				return slow
			}
		}
	}
}

// isSlow reports whether the client has left something untaken for too long. An answer
// to a ping lies behind all that was written before; while that is being read, however
// slowly, the client is not silent.
func (c *connection) isSlow(now time.Time) bool {
	limit := now.Add(-c.h.cfg.Stall).UnixNano()
	writing, pinging := c.writing.Load(), c.pinging.Load()
	return writing != 0 && writing < limit || pinging != 0 && max(pinging, c.drained.Load()) < limit
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

// write sends what the subscription gives.
func (c *connection) write(ctx context.Context, sub *stream.Subscription) {
	for {
		messages, err := sub.Next(ctx)
		if err != nil {
			return // the supervisor sees the same
		}
		for _, m := range messages {
			select {
			case <-c.leaving:
				return
			default:
			}
			began := time.Now()
			c.writing.Store(began.UnixNano())
			err := c.ws.Write(ctx, websocket.MessageText, m.Data)
			c.writing.Store(0)
			if now := time.Now(); now.Sub(began) > waited {
				c.drained.Store(now.UnixNano())
			}
			if err != nil {
				c.end(gone)
				return
			}
			c.h.cfg.Metrics.messages.Inc()
			if m.FirstShown() {
				c.h.shown(m)
			}
		}
	}
}

// shown notes that a frame is on the first screen.
func (h *Handler) shown(m stream.Message) {
	if !m.AnsweredAt.IsZero() {
		h.cfg.Metrics.ownShare.Observe(time.Since(m.AnsweredAt).Seconds())
	}
	h.cfg.Log.Debug("frame shown", "position", m.Position, "trace_id", obs.TraceID(m.Trace))
}

// ping finds clients that are gone without a word, or frozen.
func (c *connection) ping(ctx context.Context) {
	tick := time.NewTicker(c.h.cfg.Stall)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.leaving:
			return
		case <-tick.C:
		}
		// Not by the call's context: the library tears the connection down with it, and
		// nothing could be said any more.
		c.pinging.Store(time.Now().UnixNano())
		err := c.ws.Ping(ctx)
		c.pinging.Store(0)
		if err != nil && ctx.Err() == nil {
			c.log.Debug("a client could not be pinged", "err", err)
		}
	}
}
