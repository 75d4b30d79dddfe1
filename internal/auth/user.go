package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/stream"
	"dozor/internal/wire"
)

// Errors about users.
var (
	ErrUserNotFound = errs.New(errs.NotFound, "user_not_found", "There is no such user.")
	ErrLoginTaken   = errs.New(errs.Conflict, "login_taken", "Another user has this login.")
	errBadUser      = errs.New(errs.Invalid, "invalid_user", "A login of 1 to 64 characters without spaces and a name of 1 to 200 are needed.")
	errBadPassword  = errs.New(errs.Invalid, "invalid_password", "A password has 8 to 256 characters.")
)

const (
	maxLogin        = 64
	maxName         = 200
	uniqueViolation = "23505"
)

// NewUser is what a user begins with.
type NewUser struct {
	Login    string
	Name     string
	Role     access.Role
	Password secret.Redacted
}

// CreateUser adds a user.
func (a *Auth) CreateUser(ctx context.Context, by access.Principal, n NewUser) (ids.UserID, error) {
	n.Login, n.Name = NormalLogin(n.Login), strings.TrimSpace(n.Name)
	if n.Login == "" || utf8.RuneCountInString(n.Login) > maxLogin || strings.ContainsAny(n.Login, " \t\r\n\x00") ||
		n.Name == "" || utf8.RuneCountInString(n.Name) > maxName || strings.ContainsRune(n.Name, 0) {
		return 0, errBadUser
	}
	role, err := access.ParseRole(string(n.Role))
	if err != nil {
		return 0, errs.New(errs.Invalid, errBadUser.Code, "The role is one of admin, supervisor, operator.")
	}
	hash, err := a.newHash(ctx, n.Password)
	if err != nil {
		return 0, err
	}
	var id int64
	err = a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "INSERT INTO users (login, name, role, password_hash) VALUES ($1, $2, $3, $4) RETURNING id",
			n.Login, n.Name, string(role), hash).Scan(&id)
		if pg.Code(err) == uniqueViolation {
			return ErrLoginTaken
		}
		if err != nil {
			return err
		}
		e := audit.By(by, "user.create", "user", id)
		e.Details = map[string]any{"role": role}
		e.Personal = map[string]string{"login": n.Login, "name": n.Name}
		return a.d.Audit.Append(ctx, tx, e)
	})
	if err != nil {
		return 0, fmt.Errorf("create a user: %w", err)
	}
	return ids.UserID(id), nil
}

func (a *Auth) newHash(ctx context.Context, password secret.Redacted) (string, error) {
	if n := len(password.Reveal()); n < MinPassword || n > MaxPassword {
		return "", errBadPassword
	}
	return a.hasher.hash(ctx, password.Reveal())
}

// SetPassword gives a user a new password and ends all of the user's sessions.
func (a *Auth) SetPassword(ctx context.Context, by access.Principal, login string, password secret.Redacted) error {
	hash, err := a.newHash(ctx, password)
	if err != nil {
		return err
	}
	return a.changeUser(ctx, by, "user.password", login, "UPDATE users SET password_hash = $2, version = version + 1 WHERE login = $1 RETURNING id", hash)
}

// Disable keeps a user out from the next request on and ends all sessions. Alarms that
// the user has are released by the desk.
func (a *Auth) Disable(ctx context.Context, by access.Principal, login string) error {
	return a.changeUser(ctx, by, "user.disable", login, "UPDATE users SET disabled_at = coalesce(disabled_at, dozor_now()), version = version + 1 WHERE login = $1 RETURNING id")
}

// Enable lets a disabled user in again.
func (a *Auth) Enable(ctx context.Context, by access.Principal, login string) error {
	return a.changeUser(ctx, by, "user.enable", login, "UPDATE users SET disabled_at = NULL, version = version + 1 WHERE login = $1 RETURNING id")
}

func (a *Auth) changeUser(ctx context.Context, by access.Principal, act, login, update string, args ...any) error {
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, update, append([]any{NormalLogin(login)}, args...)...).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUserNotFound
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE sessions SET revoked_at = dozor_now() WHERE user_id = $1 AND revoked_at IS NULL", id); err != nil {
			return err
		}
		if err := accessChanged(ctx, tx, accessData{UserID: ids.UserID(id)}); err != nil {
			return err
		}
		return a.d.Audit.Append(ctx, tx, audit.By(by, act, "user", id))
	})
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	a.d.Notified()
	return nil
}

// accessData is the data of access.changed: connections of that user end, or of that
// session alone where one is named.
type accessData struct {
	UserID    ids.UserID `json:"user_id"`
	SessionID string     `json:"session_id,omitempty"`
}

func accessChanged(ctx context.Context, tx pgx.Tx, data accessData) error {
	return outbox.Append(ctx, tx, outbox.Row{Type: wire.AccessChanged, Audience: stream.UserAudience(data.UserID), Data: data})
}

// clean makes text from outside fit for a column: valid UTF-8 without zero bytes.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }
