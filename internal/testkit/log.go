package testkit

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Logger writes to the test's log and fails the test on a record of level ERROR:
// somebody would have been called at night. Expected messages are listed by a part of
// their text.
func Logger(t testing.TB, expected ...string) *slog.Logger {
	h := &testHandler{t: t, expected: expected, state: &handlerState{}}
	t.Cleanup(func() {
		h.state.mu.Lock()
		defer h.state.mu.Unlock()
		h.state.over = true
	})
	return slog.New(h)
}

type handlerState struct {
	mu   sync.Mutex
	over bool // the test has ended: its log must not be written to any more
}

type testHandler struct {
	t        testing.TB
	expected []string
	attrs    []slog.Attr
	state    *handlerState
}

func (h *testHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h *testHandler) Handle(_ context.Context, r slog.Record) error {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	if h.state.over {
		return nil
	}
	var b strings.Builder
	b.WriteString(r.Level.String() + " " + r.Message)
	for _, a := range h.attrs {
		b.WriteString(" " + a.String())
	}
	r.Attrs(func(a slog.Attr) bool { b.WriteString(" " + a.String()); return true })
	h.t.Log(b.String())
	if r.Level >= slog.LevelError && !h.isExpected(b.String()) {
		h.t.Errorf("unexpected error in the log: %s", b.String())
	}
	return nil
}

func (h *testHandler) isExpected(line string) bool {
	for _, e := range h.expected {
		if strings.Contains(line, e) {
			return true
		}
	}
	return false
}

func (h *testHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &c
}

func (h *testHandler) WithGroup(string) slog.Handler { return h }
