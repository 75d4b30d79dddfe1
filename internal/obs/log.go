package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Format is how log lines look.
type Format string

// The formats.
const (
	JSON Format = "json"
	Text Format = "text"
)

// UnmarshalText reads a format by name.
func (f *Format) UnmarshalText(text []byte) error {
	switch read := Format(text); read {
	case JSON, Text:
		*f = read
		return nil
	}
	return fmt.Errorf("%q is no log format: want %s or %s", text, JSON, Text)
}

// NewLogger writes lines of the level and above to w. Safe for concurrent use as far as
// single writes to w are.
func NewLogger(w io.Writer, format Format, level slog.Leveler) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if format == Text {
		return slog.New(contextHandler{slog.NewTextHandler(w, opts)})
	}
	return slog.New(contextHandler{slog.NewJSONHandler(w, opts)})
}

// contextHandler adds what the context knows of the story that a line belongs to.
type contextHandler struct{ slog.Handler }

func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(Trace(ctx)); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
