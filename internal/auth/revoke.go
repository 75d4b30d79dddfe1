package auth

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/stream"
	"dozor/internal/wire"
)

// ErrSessionNotFound is also for sessions of others, for who may not manage users.
var ErrSessionNotFound = errs.New(errs.NotFound, "session_not_found", "There is no such session, or it has ended.")

// Session is a browser's session that has not ended, as people see it.
type Session struct {
	ID         uuid.UUID    `json:"id"`
	User       wire.UserRef `json:"user"`
	UserAgent  string       `json:"user_agent"`
	CreatedAt  time.Time    `json:"created_at"`
	LastSeenAt time.Time    `json:"last_seen_at"`
	ExpiresAt  time.Time    `json:"expires_at"`
	Current    bool         `json:"current" doc:"The session that asks"`
}

var errOthersSessions = errs.New(errs.Forbidden, "forbidden", "Your role does not allow to see sessions of others.")

// Sessions lists the sessions of a user that have not ended, the newest first: one's own,
// or anybody's for who may manage users. next is where the following page begins,
// uuid.Nil after the last.
func (a *Auth) Sessions(ctx context.Context, by access.Principal, user ids.UserID, before uuid.UUID, limit int) (sessions []Session, next uuid.UUID, err error) {
	if user != by.UserID && !by.May(access.ManageUsers) {
		return nil, next, errOthersSessions
	}
	if before == uuid.Nil {
		before = uuid.Max
	}
	rows, err := a.d.Pool.Query(ctx, `
		SELECT s.id, u.id, u.name, s.user_agent, s.created_at, s.last_seen_at, s.expires_at, s.id = $4
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.user_id = $1 AND s.revoked_at IS NULL AND s.expires_at > dozor_now() AND s.id < $2
		ORDER BY s.id DESC LIMIT $3`, int64(user), before, limit+1, by.SessionID)
	if err != nil {
		return nil, next, fmt.Errorf("list the sessions of user %d: %w", user, err)
	}
	sessions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Session, err error) {
		err = row.Scan(&s.ID, &s.User.ID, &s.User.Name, &s.UserAgent, &s.CreatedAt, &s.LastSeenAt, &s.ExpiresAt, &s.Current)
		s.CreatedAt, s.LastSeenAt, s.ExpiresAt = s.CreatedAt.UTC(), s.LastSeenAt.UTC(), s.ExpiresAt.UTC()
		return s, err
	})
	if err != nil {
		return nil, next, fmt.Errorf("list the sessions of user %d: %w", user, err)
	}
	if len(sessions) > limit {
		sessions = sessions[:limit]
		next = sessions[limit-1].ID
	}
	return sessions, next, nil
}

// EndSession ends a session at once, with the connections that were made with it: one's
// own, or anybody's for who may manage users. It answers ErrSessionNotFound.
func (a *Auth) EndSession(ctx context.Context, by access.Principal, id uuid.UUID) error {
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE sessions SET revoked_at = dozor_now()
			WHERE id = $1 AND revoked_at IS NULL AND expires_at > dozor_now() AND (user_id = $2 OR $3)
			RETURNING user_id`, id, int64(by.UserID), by.May(access.ManageUsers))
		if err != nil {
			return err
		}
		owners, err := pgx.CollectRows(rows, pgx.RowTo[ids.UserID])
		if err != nil {
			return err
		}
		if len(owners) == 0 {
			return ErrSessionNotFound
		}
		if err := accessChanged(ctx, tx, stream.AccessChanged{UserID: owners[0], SessionID: id.String()}); err != nil {
			return err
		}
		e := audit.By(by, "session.revoke", "session", id)
		e.Details = map[string]any{"user_id": owners[0]}
		return a.d.Audit.Append(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	a.d.Notified()
	return nil
}

// endAccess ends everything that was opened as a user: sessions, bearer tokens, tickets,
// and the connections made with them. Only one session may stay; uuid.Nil: none.
func endAccess(ctx context.Context, tx pgx.Tx, user ids.UserID, stays uuid.UUID) error {
	for _, statement := range []string{
		"UPDATE sessions SET revoked_at = dozor_now() WHERE user_id = $1 AND revoked_at IS NULL AND id <> $2",
		"DELETE FROM ws_tickets WHERE user_id = $1 AND session_id IS DISTINCT FROM $2",
	} {
		if _, err := tx.Exec(ctx, statement, int64(user), stays); err != nil {
			return fmt.Errorf("end what was opened as user %d: %w", user, err)
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE users SET access_epoch = access_epoch + 1 WHERE id = $1", int64(user)); err != nil {
		return fmt.Errorf("end the tokens of user %d: %w", user, err)
	}
	changed := stream.AccessChanged{UserID: user}
	if stays != uuid.Nil {
		changed.ButSessionID = stays.String()
	}
	return accessChanged(ctx, tx, changed)
}

func accessChanged(ctx context.Context, tx pgx.Tx, data stream.AccessChanged) error {
	return outbox.Append(ctx, tx, outbox.Row{Type: wire.AccessChanged, Audience: stream.UserAudience(data.UserID), Data: data})
}
