package access

import (
	"context"

	"github.com/google/uuid"

	"dozor/internal/ids"
)

// Principal is who asks.
type Principal struct {
	UserID ids.UserID
	Login  string
	Name   string
	Role   Role
	// SessionID is the browser's session; uuid.Nil for a bearer of a token.
	SessionID uuid.UUID
}

// May reports whether the principal's role has a permission.
func (p Principal) May(needed Permission) bool { return p.Role.Has(needed) }

type contextKey int

const (
	principalKey contextKey = iota
	requestIDKey
)

// WithPrincipal returns a context that carries who asks.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom returns who asks, and whether anybody is known.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey).(Principal)
	return p, ok
}

// WithRequestID returns a context that carries the request's id, for logs and audit.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID returns the request's id, empty outside of a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// Station returns the principal of the station itself, or of who sits at its command
// line: no user, no role, and so no permission. name stands in the audit.
func Station(name string) Principal { return Principal{Role: Role(name)} }
