package testkit

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// LogBook keeps what was logged, whatever its level, so that a test can count lines and
// look for what must not be in them. Safe for concurrent use.
type LogBook struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer, a line a call.
func (b *LogBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

// Logger returns a logger that writes into the book.
func (b *LogBook) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Everything is what was logged.
func (b *LogBook) Everything() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// String is what an operator of the station would see of it: no details.
func (b *LogBook) String() string {
	var seen strings.Builder
	for line := range strings.Lines(b.Everything()) {
		if !strings.Contains(line, "level=DEBUG") {
			seen.WriteString(line)
		}
	}
	return seen.String()
}

// Count returns how many lines that an operator would see have all of the parts.
func (b *LogBook) Count(parts ...string) (n int) {
lines:
	for line := range strings.Lines(b.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}
