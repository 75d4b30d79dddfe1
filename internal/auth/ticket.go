package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/secret"
	"dozor/internal/stream"
)

// TicketLife is how long a ticket for the stream can be redeemed.
const TicketLife = 30 * time.Second

// Ticket gives the principal a ticket for the stream: single use, TicketLife.
func (a *Auth) Ticket(ctx context.Context, p access.Principal) (secret.Redacted, error) {
	raw := newToken()
	var session *uuid.UUID
	if p.SessionID != uuid.Nil {
		session = &p.SessionID
	}
	_, err := a.d.Pool.Exec(ctx, `
		INSERT INTO ws_tickets (token_hash, user_id, session_id, expires_at) VALUES ($1, $2, $3, dozor_now() + make_interval(secs => $4::float8))`,
		digest(raw), int64(p.UserID), session, TicketLife.Seconds())
	if err != nil {
		return "", fmt.Errorf("give a ticket to user %d: %w", p.UserID, err)
	}
	return secret.Redacted(raw), nil
}

// Redeem takes a ticket, on whatever instance, and says who looks at the stream with it.
// It answers ErrBadTicket for one that is unknown, used or expired, and for one whose
// session or user has ended since.
func (a *Auth) Redeem(ctx context.Context, ticket string) (stream.Viewer, error) {
	if len(ticket) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return stream.Viewer{}, ErrBadTicket
	}
	var p access.Principal
	var session *uuid.UUID
	err := a.d.Pool.QueryRow(ctx, `
		WITH taken AS (DELETE FROM ws_tickets WHERE token_hash = $1 RETURNING user_id, session_id, expires_at > dozor_now() AS timely)
		SELECT u.id, u.role, t.session_id
		FROM taken t JOIN users u ON u.id = t.user_id LEFT JOIN sessions s ON s.id = t.session_id
		WHERE t.timely AND u.disabled_at IS NULL
		  AND (t.session_id IS NULL OR (s.revoked_at IS NULL AND s.expires_at > dozor_now()))`, digest(ticket)).
		Scan(&p.UserID, &p.Role, &session)
	if errors.Is(err, pgx.ErrNoRows) {
		return stream.Viewer{}, ErrBadTicket
	}
	if err != nil {
		return stream.Viewer{}, fmt.Errorf("redeem a ticket: %w", err)
	}
	if session != nil {
		p.SessionID = *session
	}
	return ViewerOf(p, time.Time{}), nil
}
