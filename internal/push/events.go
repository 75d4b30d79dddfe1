package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/stream"
	"dozor/internal/wire"
)

// retryAfter is what clients are told to wait before they come again, at least; up to as
// much again is added, so that they do not all come at once.
const retryAfter = 500 * time.Millisecond

var (
	errNoResume   = errs.New(errs.Invalid, "resume_required", "Say from where, in Last-Event-ID or resume: <epoch>.<position>, as a list gave it.")
	errBadResume  = errs.New(errs.Invalid, "invalid_resume", "From where is said as <epoch>.<position>, as a list gave it.")
	errBadPanels  = errs.New(errs.Invalid, "invalid_panels", "Panels are all, or at most "+strconv.Itoa(stream.MaxPanels)+" numbers with commas between them.")
	errNoPanels   = errs.New(errs.Unavailable, "unavailable", "The panels can't be looked up now; try again.")
	errOnlyGet    = errs.New(errs.Invalid, "method_not_allowed", "The stream can only be read.")
	errAttachment = errs.New(errs.Unavailable, "unavailable", "The stream can't be joined now; try again.")
)

// ServeEvents serves the stream as server-sent events to a viewer who was let in. The
// server's connections should be known (WithConn).
func (h *Handler) ServeEvents(w http.ResponseWriter, r *http.Request, viewer stream.Viewer) {
	if !h.enter() {
		refuse(w, http.StatusServiceUnavailable, stream.ErrStopping)
		return
	}
	defer h.open.Done()
	if r.Method != http.MethodGet {
		refuse(w, http.StatusMethodNotAllowed, errOnlyGet)
		return
	}
	from, choice, refusal := readEventRequest(r)
	if refusal != nil {
		refuse(w, http.StatusBadRequest, refusal)
		return
	}
	sub, err := h.cfg.Hub.Attach(r.Context(), viewer, from)
	switch {
	case errors.Is(err, stream.ErrAccessEnded):
		refuse(w, http.StatusUnauthorized, stream.ErrAccessEnded)
		return
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, errAttachment)
		return
	}
	defer sub.Close()
	if choice != nil {
		if err := sub.SubscribePanels(r.Context(), choice.all, choice.ids); err != nil {
			if r.Context().Err() == nil {
				h.cfg.Log.Warn("a client's panels can't be looked up", "err", err)
			}
			refuse(w, http.StatusServiceUnavailable, errNoPanels)
			return
		}
	}

	h.cfg.Metrics.connections.Inc()
	defer h.cfg.Metrics.connections.Dec()
	e := &eventStream{h: h, sub: sub, w: w, control: http.NewResponseController(w)}
	code := "gone"
	if end := e.serve(r.Context()); end.code != codeGone {
		code = strconv.Itoa(int(end.code))
	}
	h.cfg.Metrics.closed.WithLabelValues(code).Inc()
}

// readEventRequest finds out from where, and whose states: nil where nobody's are asked
// for. What a browser adds when it comes again counts before what its address says.
func readEventRequest(r *http.Request) (from wire.StreamPosition, choice *panels, refusal *errs.Error) {
	query := r.URL.Query()
	where := r.Header.Get("Last-Event-ID")
	if where == "" {
		where = query.Get("resume")
	}
	if where == "" {
		return from, nil, errNoResume
	}
	epoch, position, ok := strings.Cut(where, ".")
	var err1, err2 error
	from.Epoch, err1 = strconv.ParseInt(epoch, 10, 64)
	from.Position, err2 = strconv.ParseInt(position, 10, 64)
	if !ok || err1 != nil || err2 != nil || from.Epoch < 0 || from.Position < 0 {
		return from, nil, errBadResume
	}
	switch wanted := query.Get("panels"); wanted {
	case "":
		return from, nil, nil
	case "all":
		return from, &panels{all: true}, nil
	default:
		choice = &panels{}
		for number := range strings.SplitSeq(wanted, ",") {
			id, err := ids.Parse[ids.PanelID](number)
			if err != nil || len(choice.ids) == stream.MaxPanels {
				return from, nil, errBadPanels
			}
			choice.ids = append(choice.ids, id)
		}
		return from, choice, nil
	}
}

// eventStream is one client that listens to server-sent events. One goroutine writes,
// another watches for what ends the stream, so that a client who is stuck in a write is
// ended as promptly as any.
type eventStream struct {
	h       *Handler
	sub     *stream.Subscription
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer

	mu    sync.Mutex
	ended *ending // set: nothing but the farewell is written
}

func (e *eventStream) serve(ctx context.Context) ending {
	if conn, ok := ctx.Value(connKey{}).(net.Conn); ok {
		boundBuffer(conn)
	}
	header := e.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies would hold back what is small
	header.Set("Connection", "close")     // what a client has not taken is not followed by another answer
	// The server's bounds are for requests that end.
	if err := e.control.SetReadDeadline(time.Time{}); err != nil {
		e.h.cfg.Log.Error("a stream of events can't be served", "err", err)
		return gone
	}

	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-ctx.Done():
		case <-e.sub.Done():
			e.end(endingOf(e.sub.Err()))
		case <-e.h.stopping:
			e.end(stopping)
		}
		cancel()
	})
	err := e.write(ctx)
	cancel()
	watching.Wait()
	return e.farewell(err)
}

// end lets nothing more be written but a farewell, and a write that is stuck no longer
// than that may take.
func (e *eventStream) end(why ending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = &why
	_ = e.control.SetWriteDeadline(time.Now().Add(e.h.cfg.Close)) // it could be set before
}

var errEnded = errors.New("the stream has ended")

// mayWrite gives the client its time for the next piece.
func (e *eventStream) mayWrite() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended != nil {
		return errEnded
	}
	return e.control.SetWriteDeadline(time.Now().Add(e.h.cfg.Stall))
}

// write sends what the subscription gives until it, the context or the connection ends.
func (e *eventStream) write(ctx context.Context) error {
	retry := retryAfter + rand.N(retryAfter)
	fmt.Fprintf(&e.buf, "retry: %d\n\n", retry.Milliseconds())
	if err := e.send(); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil {
		return err
	}
	for {
		messages, err := e.sub.Next(ctx)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := e.message(m); err != nil {
				return err
			}
		}
		if err := e.control.Flush(); err != nil {
			return err
		}
		for _, m := range messages {
			e.h.cfg.Metrics.messages.Inc()
			if m.FirstShown() {
				e.h.shown(m)
			}
		}
	}
}

// message sends a message as an event. After a reset the stream goes on from the head
// that the reset named: nothing else can be said here, and the lists that the client
// loads now are as new as that.
func (e *eventStream) message(m stream.Message) error {
	var heading struct {
		Type     string `json:"type"`
		Epoch    *int64 `json:"epoch"`
		Position *int64 `json:"position"`
	}
	if err := json.Unmarshal(m.Data, &heading); err != nil {
		e.h.cfg.Log.Error("a message of the stream can't be read", "position", m.Position, "err", err)
		return fmt.Errorf("read a message: %w", err)
	}
	if heading.Epoch != nil && heading.Position != nil {
		fmt.Fprintf(&e.buf, "id: %d.%d\n", *heading.Epoch, *heading.Position)
		if heading.Type == resetType {
			e.sub.Resume(wire.StreamPosition{Epoch: *heading.Epoch, Position: *heading.Position})
		}
	}
	fmt.Fprintf(&e.buf, "event: %s\ndata: %s\n\n", heading.Type, m.Data) // encoded JSON has no line breaks
	return e.send()
}

const resetType = "reset"

// send writes what was composed.
func (e *eventStream) send() error {
	defer e.buf.Reset()
	if err := e.mayWrite(); err != nil {
		return err
	}
	_, err := e.w.Write(e.buf.Bytes())
	return err
}

// farewell tells a client that still reads why the stream ends.
func (e *eventStream) farewell(err error) ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended == nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return slow
		}
		return gone
	}
	_, err = fmt.Fprintf(e.w, "event: end\ndata: {\"type\":\"end\",\"code\":%d,\"reason\":%q}\n\n", e.ended.code, e.ended.reason)
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		e.h.cfg.Log.Debug("a client does not hear why its stream ends", "err", err)
	}
	return *e.ended
}

type connKey struct{}

// WithConn is the ConnContext of servers that serve events: what the kernel keeps for a
// client that does not read must be bounded on the connection itself.
func WithConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}
