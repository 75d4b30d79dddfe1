package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/secret"
)

// Deps is what signing in needs.
type Deps struct {
	Pool    *pg.Pool
	Keyring *secret.Keyring
	Audit   *audit.Log
	// Issuer names the station in bearer tokens; empty means "dozor".
	Issuer string
	// Passwords are the costs of new hashes; zero means DefaultParams.
	Passwords Params
	// Notified is called after frames were committed: a hint for the relay.
	Notified func()
}

// Auth is safe for use by many goroutines.
type Auth struct {
	d      Deps
	hasher *hasher
	tries  *limiter
}

const (
	maxTries    = 10
	triesWindow = 15 * time.Minute
	triesRoom   = 10_000
)

// New makes the ways in.
func New(d Deps) *Auth {
	if d.Issuer == "" {
		d.Issuer = "dozor"
	}
	if d.Passwords == (Params{}) {
		d.Passwords = DefaultParams()
	}
	if d.Notified == nil {
		d.Notified = func() {}
	}
	return &Auth{d: d, hasher: newHasher(d.Passwords), tries: newLimiter(maxTries, triesWindow, triesRoom)}
}

// The errors that callers tell apart.
var (
	ErrBadCredentials = errs.New(errs.Unauthorized, "bad_credentials", "The login or the password is wrong.")
	ErrNotSignedIn    = errs.New(errs.Unauthorized, "not_signed_in", "Sign in first.")
	ErrTooManyTries   = errs.New(errs.TooMany, "too_many_attempts", "Too many wrong passwords. Wait and try again.")
	ErrBadTicket      = errs.New(errs.Unauthorized, "bad_ticket", "The ticket is wrong, used or expired.")
)

// Credentials are what somebody signs in with, and from where.
type Credentials struct {
	Login    string
	Password secret.Redacted
	Address  string // of the client, without a port
}

// check finds the user whose password it is, and the epoch of their access. Whoever does
// something with it does it in a transaction that looks whether that epoch still is.
func (a *Auth) check(ctx context.Context, c Credentials) (p access.Principal, epoch int64, err error) {
	login := NormalLogin(c.Login)
	if len(login) > 4*maxLogin || login != clean(login) {
		login = "" // nobody's, and not worth remembering
	}
	key := login + "\x00" + c.Address
	if wait, ok := a.tries.take(key, time.Now()); !ok {
		return p, 0, ErrTooManyTries.With(RetryAfter{Seconds: int(wait/time.Second) + 1})
	}
	var stored string
	err = a.d.Pool.QueryRow(ctx, "SELECT id, login, name, role, password_hash, access_epoch FROM users WHERE login = $1 AND disabled_at IS NULL", login).
		Scan(&p.UserID, &p.Login, &p.Name, &p.Role, &stored, &epoch)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return p, 0, fmt.Errorf("look for a user: %w", err)
	}
	password := c.Password.Reveal()
	if len(password) > MaxPassword {
		password = "" // nobody has it; and no time is spent on hashing a novel
	}
	ok, stale, err := a.hasher.verify(ctx, stored, password)
	if err != nil {
		return p, 0, err
	}
	if !ok {
		return p, 0, a.refused(ctx, p.UserID, c.Address)
	}
	a.tries.forget(key)
	if stale {
		if err := a.rehash(ctx, p.UserID, stored, password); err != nil {
			return p, 0, err
		}
	}
	return p, epoch, nil
}

// RetryAfter is the detail of a refusal that time heals.
type RetryAfter struct {
	Seconds int `json:"retry_after_s"`
}

// NormalLogin is the form in which logins are stored and compared.
func NormalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// refused audits a wrong password. What was typed as a login is not kept: it may be a
// password in the wrong field.
func (a *Auth) refused(ctx context.Context, user ids.UserID, address string) error {
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		e := audit.ByRule("sign-in", "session.refused", "user", "")
		if user != 0 {
			e.SubjectID = fmt.Sprint(user)
		}
		e.Personal = map[string]string{"address": address}
		return a.d.Audit.Append(ctx, tx, e)
	})
	if err != nil {
		return fmt.Errorf("record a refused sign-in: %w", err)
	}
	return ErrBadCredentials
}

func (a *Auth) rehash(ctx context.Context, user ids.UserID, old, password string) error {
	fresh, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	// Only over the hash that was verified: the password may have been changed meanwhile.
	if _, err := a.d.Pool.Exec(ctx, "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", int64(user), old, fresh); err != nil {
		return fmt.Errorf("store the password hash of user %d anew: %w", user, err)
	}
	return nil
}

// enter notes that a user signs in, and holds off, until the transaction ends, whatever
// would end their access. It answers ErrBadCredentials when something has, since epoch.
func enter(ctx context.Context, tx pgx.Tx, user ids.UserID, epoch int64) error {
	tag, err := tx.Exec(ctx, "UPDATE users SET last_seen_at = dozor_now() WHERE id = $1 AND disabled_at IS NULL AND access_epoch = $2", int64(user), epoch)
	if err != nil {
		return fmt.Errorf("look at user %d again: %w", user, err)
	}
	if tag.RowsAffected() == 0 {
		return ErrBadCredentials
	}
	return nil
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Purge removes what has ended long ago: sessions after a week, since alarms are
// released by their ends; tickets and keys at once.
func (a *Auth) Purge(ctx context.Context) error {
	for what, statement := range map[string]string{
		"sessions": "DELETE FROM sessions WHERE expires_at < dozor_now() - interval '7 days'",
		"tickets":  "DELETE FROM ws_tickets WHERE expires_at < dozor_now()",
		"keys":     "DELETE FROM signing_keys WHERE expires_at < dozor_now()",
	} {
		if _, err := a.d.Pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("purge old %s: %w", what, err)
		}
	}
	return nil
}

// RequestKeys key the hashes by which repeated requests are known: what was asked may hold
// a password or a panel's code, which a plain hash in the database would give away. New
// hashes are made with the first; the others know those made before a rotation.
func (a *Auth) RequestKeys() [][]byte {
	var keys [][]byte
	for _, d := range a.d.Keyring.DeriveAll("idempotent-requests") {
		keys = append(keys, d.Key)
	}
	return keys
}
