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
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/internal/stream"
)

const (
	tokenSize = 32 // bytes: 256 random bits
	// SessionLife is how long a session lives after it was last used.
	SessionLife = 12 * time.Hour
	// seenEvery bounds how often use is written down.
	seenEvery    = time.Minute
	maxUserAgent = 300
)

func newToken() string { return base64.RawURLEncoding.EncodeToString(random(tokenSize)) }

// SignIn opens a session; token is what the cookie holds. It answers ErrBadCredentials
// or ErrTooManyTries.
func (a *Auth) SignIn(ctx context.Context, c Credentials, userAgent string) (p access.Principal, token secret.Redacted, err error) {
	p, epoch, err := a.check(ctx, c)
	if err != nil {
		return access.Principal{}, "", err
	}
	raw := newToken()
	p.SessionID = uuid.Must(uuid.NewV7())
	if len(userAgent) > maxUserAgent {
		userAgent = userAgent[:maxUserAgent]
	}
	err = a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := enter(ctx, tx, p.UserID, epoch); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO sessions (token_hash, id, user_id, user_agent, expires_at) VALUES ($1, $2, $3, $4, dozor_now() + make_interval(secs => $5::float8))`,
			digest(raw), p.SessionID, int64(p.UserID), clean(userAgent), SessionLife.Seconds())
		if err != nil {
			return err
		}
		e := audit.By(p, "session.open", "session", p.SessionID)
		e.Personal = map[string]string{"address": c.Address}
		return a.d.Audit.Append(ctx, tx, e)
	})
	if err != nil {
		return access.Principal{}, "", fmt.Errorf("open a session of user %d: %w", p.UserID, err)
	}
	return p, secret.Redacted(raw), nil
}

// Session finds who a session's token belongs to, and prolongs it; prolonged says that
// the cookie should be sent again. It answers ErrNotSignedIn for a token that is
// unknown, revoked or expired, or whose user is disabled.
func (a *Auth) Session(ctx context.Context, token string) (p access.Principal, prolonged bool, err error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return p, false, ErrNotSignedIn
	}
	hash := digest(token)
	err = a.d.Pool.QueryRow(ctx, `
		SELECT s.id, u.id, u.login, u.name, u.role, s.last_seen_at <= dozor_now() - make_interval(secs => $2::float8)
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > dozor_now() AND u.disabled_at IS NULL`,
		hash, seenEvery.Seconds()).Scan(&p.SessionID, &p.UserID, &p.Login, &p.Name, &p.Role, &prolonged)
	if errors.Is(err, pgx.ErrNoRows) {
		return access.Principal{}, false, ErrNotSignedIn
	}
	if err != nil {
		return access.Principal{}, false, fmt.Errorf("look for a session: %w", err)
	}
	if prolonged {
		_, err = a.d.Pool.Exec(ctx, `
			UPDATE sessions SET last_seen_at = dozor_now(), expires_at = dozor_now() + make_interval(secs => $2::float8)
			WHERE token_hash = $1 AND revoked_at IS NULL AND last_seen_at <= dozor_now() - make_interval(secs => $3::float8)`,
			hash, SessionLife.Seconds(), seenEvery.Seconds())
		if err == nil {
			// Not in one transaction: whatever ends access locks in the other order.
			_, err = a.d.Pool.Exec(ctx, "UPDATE users SET last_seen_at = dozor_now() WHERE id = $1", int64(p.UserID))
		}
		if err != nil {
			return access.Principal{}, false, fmt.Errorf("prolong session %s: %w", p.SessionID, err)
		}
	}
	return p, prolonged, nil
}

// SignOut ends the principal's session. Ending it twice is no error.
func (a *Auth) SignOut(ctx context.Context, p access.Principal) error {
	if p.SessionID == uuid.Nil {
		return errs.New(errs.Invalid, "no_session", "There is no session to end: a bearer token ends by itself.")
	}
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = dozor_now() WHERE id = $1 AND revoked_at IS NULL", p.SessionID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := accessChanged(ctx, tx, stream.AccessChanged{UserID: p.UserID, SessionID: p.SessionID.String()}); err != nil {
			return err
		}
		return a.d.Audit.Append(ctx, tx, audit.By(p, "session.close", "session", p.SessionID))
	})
	if err != nil {
		return fmt.Errorf("sign out of session %s: %w", p.SessionID, err)
	}
	a.d.Notified()
	return nil
}

// EndExpired ends sessions that were not used in time, so that connections made with them
// are told. It returns how many; call it every few seconds.
func (a *Auth) EndExpired(ctx context.Context) (int, error) {
	type session struct {
		ID     uuid.UUID
		UserID ids.UserID
	}
	var ended []session
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE sessions SET revoked_at = dozor_now() WHERE token_hash IN (
				SELECT token_hash FROM sessions WHERE revoked_at IS NULL AND expires_at <= dozor_now()
				ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED)
			RETURNING id, user_id`)
		if err != nil {
			return err
		}
		if ended, err = pgx.CollectRows(rows, pgx.RowToStructByPos[session]); err != nil {
			return err
		}
		for _, s := range ended {
			if err := accessChanged(ctx, tx, stream.AccessChanged{UserID: s.UserID, SessionID: s.ID.String()}); err != nil {
				return err
			}
			if err := a.d.Audit.Append(ctx, tx, audit.ByRule("session-expiry", "session.expire", "session", s.ID)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("end expired sessions: %w", err)
	}
	if len(ended) > 0 {
		a.d.Notified()
	}
	return len(ended), nil
}

// StillIn reports whether a principal that was let in earlier may stay: the user is not
// disabled, has the same role, and the session, if there is one, has not ended.
func (a *Auth) StillIn(ctx context.Context, p access.Principal) (bool, error) {
	var in bool
	err := a.d.Pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM users WHERE id = $1 AND disabled_at IS NULL AND role = $3)
		   AND ($2::uuid = '00000000-0000-0000-0000-000000000000'
		        OR EXISTS (SELECT FROM sessions WHERE id = $2 AND revoked_at IS NULL AND expires_at > dozor_now()))`,
		int64(p.UserID), p.SessionID, string(p.Role)).Scan(&in)
	if err != nil {
		return false, fmt.Errorf("look whether user %d may stay: %w", p.UserID, err)
	}
	return in, nil
}

// bearer reads a principal anew; ErrNotSignedIn for one that is gone or disabled, or whose
// tokens of an epoch have ended.
func (a *Auth) bearer(ctx context.Context, id ids.UserID, epoch int64) (access.Principal, error) {
	var p access.Principal
	err := a.d.Pool.QueryRow(ctx, "SELECT id, login, name, role FROM users WHERE id = $1 AND disabled_at IS NULL AND access_epoch = $2", int64(id), epoch).
		Scan(&p.UserID, &p.Login, &p.Name, &p.Role)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrNotSignedIn
	}
	if err != nil {
		return p, fmt.Errorf("read user %d: %w", id, err)
	}
	return p, nil
}

// ViewerOf is a principal as the stream sees them; since is when the proving of who they
// are began.
func ViewerOf(p access.Principal, since time.Time) stream.Viewer {
	v := stream.Viewer{UserID: p.UserID, Audiences: access.Audiences(p.Role), KnownSince: since}
	if p.SessionID != uuid.Nil {
		v.SessionID = p.SessionID.String()
	}
	return v
}
