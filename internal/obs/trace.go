package obs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// The parts of a traceparent of version 00: version, trace, span and flags, of which
// the two identifiers are these many bytes.
const (
	traceVersion = "00"
	traceFlags   = "01" // sampled
	traceBytes   = 16
	spanBytes    = 8
)

// NewTrace begins a trace: a W3C traceparent with a new trace and span.
func NewTrace() string {
	var id [traceBytes + spanBytes]byte
	// crypto/rand never fails; it ends the process where the system has no randomness.
	_, _ = rand.Read(id[:])
	return traceVersion + "-" + hex.EncodeToString(id[:traceBytes]) + "-" + hex.EncodeToString(id[traceBytes:]) + "-" + traceFlags
}

// TraceID is the trace of a traceparent, 32 hexadecimal digits; empty where what came in
// is none. Nothing else of a foreign header reaches the log.
func TraceID(traceparent string) string {
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || parts[0] == traceVersion && len(parts) != 4 || parts[0] == "ff" ||
		!isHex(parts[0], 1) || !isHex(parts[1], traceBytes) || !isHex(parts[2], spanBytes) || !isHex(parts[3], 1) ||
		isZero(parts[1]) || isZero(parts[2]) {
		return ""
	}
	return parts[1]
}

// isHex reports whether s is exactly so many bytes in lower-case hexadecimal.
func isHex(s string, bytes int) bool {
	if len(s) != 2*bytes {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

func isZero(s string) bool { return strings.Trim(s, "0") == "" }

type (
	traceKey   struct{}
	requestKey struct{}
)

// WithTrace returns a context that belongs to the trace of a traceparent.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceKey{}, traceparent)
}

// Trace is the traceparent of a context, empty where it has none.
func Trace(ctx context.Context) string {
	s, _ := ctx.Value(traceKey{}).(string)
	return s
}

// WithRequestID returns a context that belongs to a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the request that a context belongs to, empty where it has none.
func RequestID(ctx context.Context) string {
	s, _ := ctx.Value(requestKey{}).(string)
	return s
}
