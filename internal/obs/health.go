package obs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTime bounds one readiness check: who asks wants to know now, and "did not
// answer" is an answer.
const checkTime = time.Second

// shutdownTime bounds the end of requests to the health server.
const shutdownTime = time.Second

// Check says whether something that this instance needs is there. Detail may say more
// for people in both cases and must hold no secret; the error's text is shown to
// whoever may ask, so it must not either.
type Check func(ctx context.Context) (detail string, err error)

// Health answers whether this process lives, is ready, and what it measured. Its methods
// are safe for concurrent use.
type Health struct {
	log      *slog.Logger
	gatherer prometheus.Gatherer

	mu       sync.Mutex
	checks   []namedCheck
	draining bool
}

type namedCheck struct {
	name     string
	check    Check
	optional bool
}

// NewHealth makes a health server that shows the metrics of gatherer.
func NewHealth(log *slog.Logger, gatherer prometheus.Gatherer) *Health {
	return &Health{log: log, gatherer: gatherer}
}

// Add adds a named readiness check.
func (h *Health) Add(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, namedCheck{name: name, check: check})
}

// AddOptional adds a check of something that the instance can do without: people see when
// it fails, and the instance stays ready.
func (h *Health) AddOptional(name string, check Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, namedCheck{name: name, check: check, optional: true})
}

// Drain makes the instance not ready for good, so that a proxy sends no more to it. Call
// it first when stopping.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Result is the outcome of one check.
type Result struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	Error  string `json:"error,omitempty"`
	// Optional says that the instance is ready without it.
	Optional bool `json:"optional,omitempty"`
	// Millis is how long the check took, in milliseconds.
	Millis int64 `json:"ms"`
}

// Readiness is what /readyz says.
type Readiness struct {
	Ready    bool     `json:"ready"`
	Draining bool     `json:"draining,omitempty"`
	Checks   []Result `json:"checks"`
}

// Ready runs all checks at once and returns their results by name, after little more
// than a second at most. A check that does not end in time has failed.
func (h *Health) Ready(ctx context.Context) Readiness {
	h.mu.Lock()
	checks := slices.Clone(h.checks)
	readiness := Readiness{Ready: !h.draining, Draining: h.draining, Checks: make([]Result, len(h.checks))}
	h.mu.Unlock()

	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { readiness.Checks[i] = c.run(ctx) })
	}
	wg.Wait()
	for _, r := range readiness.Checks {
		readiness.Ready = readiness.Ready && (r.OK || r.Optional)
	}
	slices.SortFunc(readiness.Checks, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
	return readiness
}

func (c namedCheck) run(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	type outcome struct {
		detail string
		err    error
	}
	done := make(chan outcome, 1)
	began := time.Now()
	// A check that ignores its context must not hold up the answer; it ends by itself.
	go func() {
		var o outcome
		defer func() {
			if v := recover(); v != nil {
				o.err = fmt.Errorf("panic: %v", v)
			}
			done <- o
		}()
		o.detail, o.err = c.check(ctx)
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		o.err = fmt.Errorf("no answer within %v", checkTime)
	}
	result := Result{Name: c.name, OK: o.err == nil, Optional: c.optional, Detail: o.detail, Millis: time.Since(began).Milliseconds()}
	if o.err != nil {
		result.Error = o.err.Error()
	}
	return result
}

// Handler serves /healthz, /readyz and /metrics.
func (h *Health) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, http.StatusOK, map[string]bool{"alive": true})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		readiness := h.Ready(r.Context())
		status := http.StatusOK
		if !readiness.Ready {
			status = http.StatusServiceUnavailable
		}
		h.answer(w, status, readiness)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.gatherer, promhttp.HandlerOpts{}))
	return mux
}

func (h *Health) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		h.log.Debug("whoever asked for health is gone", "err", err)
	}
}

// Serve answers on the listener until ctx ends; it closes the listener.
func (h *Health) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: h.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve health: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(bounded); err != nil {
		_ = server.Close() // whoever still reads metrics is cut off
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health: %w", err)
	}
	return nil
}
