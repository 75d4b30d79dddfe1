package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/internal/wire"
)

// Errors about edits of users.
var (
	ErrLastAdmin  = errs.New(errs.Conflict, "last_admin", "Nobody could administer the station any more.")
	ErrOwnAccount = errs.New(errs.Conflict, "own_account", "Somebody else must do that to your own account.")
)

// User is a user as those see it who manage users.
type User struct {
	ID         ids.UserID  `json:"id"`
	Login      string      `json:"login"`
	Name       string      `json:"name"`
	Role       access.Role `json:"role" enum:"admin,supervisor,operator"`
	DisabledAt *time.Time  `json:"disabled_at,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	LastSeenAt *time.Time  `json:"last_seen_at,omitempty" doc:"Within a minute"`
	Version    int64       `json:"version"`
}

const userColumns = "id, login, name, role, disabled_at, created_at, last_seen_at, version"

func scanUser(row pgx.CollectableRow) (u User, err error) {
	err = row.Scan(&u.ID, &u.Login, &u.Name, &u.Role, &u.DisabledAt, &u.CreatedAt, &u.LastSeenAt, &u.Version)
	u.CreatedAt = u.CreatedAt.UTC()
	for _, at := range []*time.Time{u.DisabledAt, u.LastSeenAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return u, err
}

// UserFilter says which users are wanted.
type UserFilter struct {
	// State is "active", "disabled" or "all".
	State string
	// Query is a part of the login or the name, whatever the case; empty: no matter.
	Query string
	// After is the login that the page before ended with.
	After string
}

// Users lists users by login. next is where the following page begins, empty after the
// last.
func (a *Auth) Users(ctx context.Context, f UserFilter, limit int) (users []User, next string, err error) {
	rows, err := a.d.Pool.Query(ctx, `
		SELECT `+userColumns+` FROM users
		WHERE ($1 = 'all' OR ($1 = 'disabled') = (disabled_at IS NOT NULL))
		  AND (position(lower($2) IN login) > 0 OR position(lower($2) IN lower(name)) > 0)
		  AND login > $3
		ORDER BY login LIMIT $4`, f.State, clean(strings.TrimSpace(f.Query)), clean(f.After), limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list users: %w", err)
	}
	if users, err = pgx.CollectRows(rows, scanUser); err != nil {
		return nil, "", fmt.Errorf("list users: %w", err)
	}
	if len(users) > limit {
		users = users[:limit]
		next = users[limit-1].Login
	}
	return users, next, nil
}

// Person is what everybody may know of a user.
type Person struct {
	wire.UserRef
	Role access.Role `json:"role" enum:"admin,supervisor,operator"`
}

// maxPeople bounds the list for filters: far more than a station has.
const maxPeople = 1000

// People lists the active users by name.
func (a *Auth) People(ctx context.Context) ([]Person, error) {
	rows, err := a.d.Pool.Query(ctx, "SELECT id, name, role FROM users WHERE disabled_at IS NULL ORDER BY lower(name), id LIMIT $1", maxPeople)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	people, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Person, err error) {
		return p, row.Scan(&p.ID, &p.Name, &p.Role)
	})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return people, nil
}

// User reads a user, disabled or not. It answers ErrUserNotFound.
func (a *Auth) User(ctx context.Context, id ids.UserID) (User, error) {
	rows, err := a.d.Pool.Query(ctx, "SELECT "+userColumns+" FROM users WHERE id = $1", int64(id))
	if err != nil {
		return User{}, fmt.Errorf("read user %d: %w", id, err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUser)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrUserNotFound
	}
	if err != nil {
		return User{}, fmt.Errorf("read user %d: %w", id, err)
	}
	return u, nil
}

// UserChange is what of a user becomes another; nil stays.
type UserChange struct {
	Name *string
	Role *access.Role
}

// ChangeUser edits the version of a user that was seen. With another role everything
// that was opened under the old one ends. It answers ErrUserNotFound, a version mismatch
// with the current user, ErrOwnAccount (one's own role), ErrLastAdmin.
func (a *Auth) ChangeUser(ctx context.Context, by access.Principal, id ids.UserID, seen int64, c UserChange) (User, error) {
	return a.edit(ctx, id, seen, "user.change", func(tx pgx.Tx, u *User) (*audit.Entry, error) {
		e := audit.By(by, "user.change", "user", id)
		e.Details = map[string]any{}
		was := *u
		if c.Name != nil {
			name, ok := goodName(*c.Name)
			if !ok {
				return nil, errBadUser
			}
			u.Name = name
		}
		if c.Role != nil {
			role, err := goodRole(*c.Role)
			if err != nil {
				return nil, err
			}
			u.Role = role
		}
		if u.Name == was.Name && u.Role == was.Role {
			return nil, nil
		}
		if u.Name != was.Name {
			e.Personal = map[string]string{"name": u.Name}
		}
		if u.Role != was.Role {
			e.Details["from"], e.Details["role"] = was.Role, u.Role
			if id == by.UserID {
				return nil, ErrOwnAccount
			}
			if err := endAccess(ctx, tx, id, uuid.Nil); err != nil {
				return nil, err
			}
		}
		return &e, nil
	})
}

// DisableUser keeps a user out from the next request on, and ends everything that was
// opened as them. Alarms that they have are released by the desk. It answers like
// ChangeUser.
func (a *Auth) DisableUser(ctx context.Context, by access.Principal, id ids.UserID, seen int64) (User, error) {
	return a.edit(ctx, id, seen, "user.disable", func(tx pgx.Tx, u *User) (*audit.Entry, error) {
		if id == by.UserID {
			return nil, ErrOwnAccount
		}
		if u.DisabledAt != nil {
			return nil, nil
		}
		u.DisabledAt = new(time.Time)
		if err := tx.QueryRow(ctx, "SELECT dozor_now()").Scan(u.DisabledAt); err != nil {
			return nil, fmt.Errorf("ask for the time: %w", err)
		}
		if err := endAccess(ctx, tx, id, uuid.Nil); err != nil {
			return nil, err
		}
		e := audit.By(by, "user.disable", "user", id)
		return &e, nil
	})
}

// EnableUser lets a disabled user in again. It answers like ChangeUser.
func (a *Auth) EnableUser(ctx context.Context, by access.Principal, id ids.UserID, seen int64) (User, error) {
	return a.edit(ctx, id, seen, "user.enable", func(_ pgx.Tx, u *User) (*audit.Entry, error) {
		if u.DisabledAt == nil {
			return nil, nil
		}
		u.DisabledAt = nil
		e := audit.By(by, "user.enable", "user", id)
		return &e, nil
	})
}

// edit changes the version of a user that was seen. change says what becomes of the
// user, and the entry that tells of it; no entry: nothing is to be changed.
//
// All administrators are locked with the user, in one order: two of them who take each
// other's rights at the same moment would leave none.
func (a *Auth) edit(ctx context.Context, id ids.UserID, seen int64, act string, change func(tx pgx.Tx, u *User) (*audit.Entry, error)) (User, error) {
	var after User
	changed := false
	err := a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT `+userColumns+` FROM users WHERE id = $1 OR (role = 'admin' AND disabled_at IS NULL)
			ORDER BY id FOR NO KEY UPDATE`, int64(id))
		if err != nil {
			return err
		}
		locked, err := pgx.CollectRows(rows, scanUser)
		if err != nil {
			return err
		}
		var before *User
		otherAdmins := false
		for i, u := range locked {
			if u.ID == id {
				before = &locked[i]
			} else if u.administers() {
				otherAdmins = true
			}
		}
		switch {
		case before == nil:
			return ErrUserNotFound
		case before.Version != seen:
			return errs.VersionMismatch("user", *before)
		}
		after = *before
		entry, err := change(tx, &after)
		if err != nil || entry == nil {
			return err
		}
		if before.administers() && !after.administers() && !otherAdmins {
			return ErrLastAdmin
		}
		after.Version++
		changed = true
		_, err = tx.Exec(ctx, "UPDATE users SET name = $2, role = $3, disabled_at = $4, version = $5 WHERE id = $1",
			int64(id), after.Name, string(after.Role), after.DisabledAt, after.Version)
		if err != nil {
			return err
		}
		return a.d.Audit.Append(ctx, tx, *entry)
	})
	if err != nil {
		return User{}, fmt.Errorf("%s %d: %w", act, id, err)
	}
	if changed {
		a.d.Notified()
	}
	return after, nil
}

func (u User) administers() bool { return u.Role.Has(access.ManageUsers) && u.DisabledAt == nil }

// ResetPassword gives another user a new password and ends everything that was opened
// with the old one. It answers ErrUserNotFound and, for one's own account, ErrOwnAccount:
// whoever sits at somebody's open browser must not get the account with it.
func (a *Auth) ResetPassword(ctx context.Context, by access.Principal, id ids.UserID, password secret.Redacted) error {
	if id == by.UserID {
		return ErrOwnAccount
	}
	return a.replacePassword(ctx, by, id, password, anyEpoch, uuid.Nil)
}

// ChangePassword gives who asks a new password for the old one, and ends everything else
// that was opened as them. Wrong old passwords are counted like those of signing in. It
// answers ErrBadCredentials or ErrTooManyTries.
func (a *Auth) ChangePassword(ctx context.Context, by access.Principal, address string, old, password secret.Redacted) error {
	if err := goodPassword(password); err != nil {
		return err
	}
	_, epoch, err := a.check(ctx, Credentials{Login: by.Login, Password: old, Address: address})
	if err != nil {
		return err
	}
	return a.replacePassword(ctx, by, by.UserID, password, epoch, by.SessionID)
}

const anyEpoch = 0

// replacePassword gives a user another password, if nothing has ended their access since
// an epoch, and ends what was opened with the one before, but for a session that stays.
func (a *Auth) replacePassword(ctx context.Context, by access.Principal, id ids.UserID, password secret.Redacted, epoch int64, stays uuid.UUID) error {
	hash, err := a.newHash(ctx, password)
	if err != nil {
		return err
	}
	err = a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE users SET password_hash = $2 WHERE id = $1 AND ($3::bigint = 0 OR access_epoch = $3)", int64(id), hash, epoch)
		switch {
		case err != nil:
			return err
		case tag.RowsAffected() == 0 && epoch != anyEpoch:
			return ErrBadCredentials // the old one is no longer it
		case tag.RowsAffected() == 0:
			return ErrUserNotFound
		}
		if err := endAccess(ctx, tx, id, stays); err != nil {
			return err
		}
		return a.d.Audit.Append(ctx, tx, audit.By(by, "user.password", "user", id))
	})
	if err != nil {
		return fmt.Errorf("replace the password of user %d: %w", id, err)
	}
	a.d.Notified()
	return nil
}
