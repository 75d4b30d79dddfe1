package push

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"dozor/internal/errs"
	"dozor/internal/presence"
	"dozor/internal/stream"
)

const (
	// Protocol is the subprotocol that is spoken.
	Protocol = "dozor.v1"
	// ticketPrefix marks the entry of Sec-WebSocket-Protocol that carries the ticket.
	ticketPrefix = "ticket."
	// redeemTimeout bounds the redeeming of a ticket.
	redeemTimeout = 5 * time.Second
)

// Redeemer takes tickets. It answers with an error of kind errs.Unauthorized for one that
// is unknown, used or expired, or whose owner may no longer sign in.
type Redeemer interface {
	Redeem(ctx context.Context, ticket string) (stream.Viewer, error)
}

// Timeouts of connections; zero values mean those named.
type Timeouts struct {
	// First is how long the client has for its first message; 5 s.
	First time.Duration
	// Stall is how long a client may leave a message or a ping untaken; 10 s.
	Stall time.Duration
	// Close bounds the farewell; 3 s.
	Close time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&t.First, 5*time.Second)
	set(&t.Stall, 10*time.Second)
	set(&t.Close, 3*time.Second)
	return t
}

// Config of a handler.
type Config struct {
	Hub     *stream.Hub
	Tickets Redeemer
	// Presence is told what clients say of their desks; nil: it is heard and forgotten.
	Presence *presence.Presence
	Log      *slog.Logger
	Metrics  *Metrics // may be nil
	Timeouts
}

// Handler serves GET /api/ws.
type Handler struct {
	cfg      Config
	stopping chan struct{}

	mu      sync.Mutex
	stopped bool
	open    sync.WaitGroup // grows only under mu and before stopped
}

// New makes a handler.
func New(cfg Config) *Handler {
	cfg.Log = cfg.Log.With("component", "push")
	cfg.Timeouts = cfg.Timeouts.withDefaults()
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	return &Handler{cfg: cfg, stopping: make(chan struct{})}
}

// Stop refuses new connections, tells every client to reconnect elsewhere (4000) and
// waits until all have ended, or for ctx. Idempotent. http.Server.Shutdown does not know
// of these connections, so call it besides, while the hub still runs.
func (h *Handler) Stop(ctx context.Context) error {
	h.mu.Lock()
	if !h.stopped {
		h.stopped = true
		close(h.stopping)
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.open.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter counts a connection in, unless the handler stops.
func (h *Handler) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	h.open.Add(1)
	return true
}

var (
	errNoUpgrade = errs.New(errs.Invalid, "upgrade_required", "This address speaks WebSocket only.")
	errProtocol  = errs.New(errs.Invalid, "protocol_required", "Offer the subprotocol "+Protocol+".")
	errOrigin    = errs.New(errs.Forbidden, "wrong_origin", "The page does not come from this host.")
	errTicket    = errs.New(errs.Unauthorized, "bad_ticket", "The ticket is missing, unknown, used or expired.")
)

// ServeHTTP implements http.Handler. It returns when the connection is open: the request's
// own goroutine has a stack and buffers that are many times what a connection needs.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		refuse(w, http.StatusServiceUnavailable, stream.ErrStopping)
		return
	}
	c := h.upgrade(w, r)
	if c == nil {
		h.open.Done()
		return
	}
	go func() {
		defer h.open.Done()
		c.guarded(func() { c.serve(context.Background()) })()
	}()
}

// upgrade makes a connection out of a request, or refuses it and returns nil.
func (h *Handler) upgrade(w http.ResponseWriter, r *http.Request) *connection {
	// Everything that can be wrong without the ticket is looked at before it, so that a
	// bad request does not use it up.
	ticket, status, refusal := examine(w, r)
	if refusal != nil {
		refuse(w, status, refusal)
		return nil
	}
	known := time.Now()
	redeemCtx, cancel := context.WithTimeout(r.Context(), redeemTimeout)
	viewer, err := h.cfg.Tickets.Redeem(redeemCtx, ticket)
	cancel()
	switch {
	case errs.KindOf(err) == errs.Unauthorized:
		refuse(w, http.StatusUnauthorized, errTicket)
		return nil
	case err != nil:
		if r.Context().Err() == nil {
			h.cfg.Log.Warn("a ticket can't be looked at", "err", err)
		}
		refuse(w, http.StatusServiceUnavailable, errs.New(errs.Unavailable, "unavailable", "The ticket can't be looked at now; try again."))
		return nil
	}
	viewer.KnownSince = known

	c := newConnection(h, viewer)
	capture := &hijacked{ResponseWriter: w}
	c.ws, err = websocket.Accept(capture, r, &websocket.AcceptOptions{
		Subprotocols: []string{Protocol}, CompressionMode: websocket.CompressionDisabled, OnPongReceived: c.ponged,
	})
	if err != nil {
		h.cfg.Log.Debug("a connection could not be upgraded", "err", err)
		return nil
	}
	c.conn = capture.conn
	return c
}

// examine finds the ticket in a request that is otherwise right.
func examine(w http.ResponseWriter, r *http.Request) (ticket string, status int, refusal *errs.Error) {
	if r.Method != http.MethodGet || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		return "", http.StatusUpgradeRequired, errNoUpgrade
	}
	if !sameOrigin(r) {
		return "", http.StatusForbidden, errOrigin
	}
	speaks, tickets := false, 0
	for _, offered := range tokens(r.Header, "Sec-WebSocket-Protocol") {
		if offered == Protocol {
			speaks = true
		}
		if t, ok := strings.CutPrefix(offered, ticketPrefix); ok {
			ticket = t
			tickets++
		}
	}
	if !speaks {
		return "", http.StatusBadRequest, errProtocol
	}
	if tickets != 1 || ticket == "" {
		return "", http.StatusUnauthorized, errTicket
	}
	return ticket, 0, nil
}

// sameOrigin lets in pages of this host, and clients that are not pages.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

func tokens(header http.Header, name string) []string {
	var out []string
	for _, line := range header.Values(name) {
		for token := range strings.SplitSeq(line, ",") {
			out = append(out, strings.TrimSpace(token))
		}
	}
	return out
}

func hasToken(header http.Header, name, want string) bool {
	for _, token := range tokens(header, name) {
		if strings.EqualFold(token, want) {
			return true
		}
	}
	return false
}
