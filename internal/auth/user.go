package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/secret"
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
	n.Login = NormalLogin(n.Login)
	name, ok := goodName(n.Name)
	if !ok || n.Login == "" || !utf8.ValidString(n.Login) || utf8.RuneCountInString(n.Login) > maxLogin || strings.ContainsAny(n.Login, " \t\r\n\x00") {
		return 0, errBadUser
	}
	n.Name = name
	role, err := goodRole(n.Role)
	if err != nil {
		return 0, err
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

func goodName(name string) (string, bool) {
	name = strings.TrimSpace(name)
	return name, name != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxName && !strings.ContainsRune(name, 0)
}

func goodRole(role access.Role) (access.Role, error) {
	parsed, err := access.ParseRole(string(role))
	if err != nil {
		return "", errs.New(errs.Invalid, errBadUser.Code, "The role is one of admin, supervisor, operator.")
	}
	return parsed, nil
}

func goodPassword(password secret.Redacted) error {
	if n := len(password.Reveal()); n < MinPassword || n > MaxPassword {
		return errBadPassword
	}
	return nil
}

func (a *Auth) newHash(ctx context.Context, password secret.Redacted) (string, error) {
	if err := goodPassword(password); err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, password.Reveal())
}

// SetPassword gives the user of a login a new password, as the command line does, and
// ends everything that was opened with the old one.
func (a *Auth) SetPassword(ctx context.Context, by access.Principal, login string, password secret.Redacted) error {
	var id ids.UserID
	err := a.d.Pool.QueryRow(ctx, "SELECT id FROM users WHERE login = $1", NormalLogin(login)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrUserNotFound
	}
	if err != nil {
		return fmt.Errorf("look for a user: %w", err)
	}
	return a.replacePassword(ctx, by, id, password, anyEpoch, uuid.Nil)
}

// clean makes text from outside fit for a column: valid UTF-8 without zero bytes.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }
