package auth_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func (b *bundle) create(t *testing.T, login string, role access.Role) access.Principal {
	t.Helper()
	id, err := b.CreateUser(t.Context(), cli, auth.NewUser{Login: login, Name: "Name of " + login, Role: role, Password: password})
	require.NoError(t, err)
	return access.Principal{UserID: id, Login: login, Name: "Name of " + login, Role: role}
}

func (b *bundle) acts(t *testing.T) []string {
	t.Helper()
	return testkit.One[[]string](t, b.db, "SELECT array_agg(act || ' ' || subject_id ORDER BY id) FROM audit WHERE id > 1")
}

func TestUsersAreListedByLoginPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	for _, login := range []string{"ewa", "adam", "jan", "zofia"} {
		b.create(t, login, access.Operator)
	}
	adam, err := b.User(t.Context(), 3)
	require.NoError(t, err)
	_, err = b.DisableUser(t.Context(), cli, adam.ID, adam.Version)
	require.NoError(t, err)

	logins := func(f auth.UserFilter, limit int) (out []string, next string) {
		users, next, err := b.Users(t.Context(), f, limit)
		require.NoError(t, err)
		for _, u := range users {
			out = append(out, u.Login)
		}
		return out, next
	}
	got, next := logins(auth.UserFilter{State: "active"}, 2)
	require.Equal(t, []string{"anna", "ewa"}, got)
	got, next = logins(auth.UserFilter{State: "active", After: next}, 2)
	require.Equal(t, []string{"jan", "zofia"}, got)
	require.Empty(t, next)
	for want, f := range map[string]auth.UserFilter{
		"adam": {State: "disabled"}, "anna": {State: "all", Query: " NOWAK "}, "zofia": {State: "all", Query: "OFI"},
	} {
		got, _ := logins(f, 10)
		require.Equal(t, []string{want}, got)
	}
	for _, none := range []string{"%", "_nna", "a\x00", "\xff"} {
		got, _ := logins(auth.UserFilter{State: "disabled", Query: none}, 10)
		require.LessOrEqual(t, len(got), 1, "no wildcard, no error")
	}
	got, _ = logins(auth.UserFilter{State: "all", Query: "%"}, 10)
	require.Empty(t, got)

	people, err := b.People(t.Context())
	require.NoError(t, err)
	require.Len(t, people, 4)
	require.Equal(t, auth.Person{UserRef: wire.UserRef{ID: b.anna, Name: "Anna Nowak"}, Role: access.Operator}, people[0])
	for _, p := range people {
		require.NotEqual(t, adam.ID, p.ID, "who is disabled is in no filter")
	}
}

func TestAnEditOfAUserIsOfTheVersionThatWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	adam := b.create(t, "adam", access.Admin)
	name, supervisor := "Anna Lis", access.Supervisor
	u, err := b.ChangeUser(t.Context(), adam, b.anna, 1, auth.UserChange{Name: &name})
	require.NoError(t, err)
	require.Equal(t, name, u.Name)
	require.EqualValues(t, 2, u.Version)

	_, err = b.ChangeUser(t.Context(), adam, b.anna, 1, auth.UserChange{Role: &supervisor})
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, errs.Stale, e.Kind)
	require.Equal(t, map[string]any{"user": u}, e.Detail)

	same, err := b.ChangeUser(t.Context(), adam, b.anna, 2, auth.UserChange{Name: &name})
	require.NoError(t, err)
	require.EqualValues(t, 2, same.Version, "nothing was changed")

	stored, err := b.User(t.Context(), b.anna)
	require.NoError(t, err)
	require.Equal(t, u, stored)
	require.Equal(t, []string{"user.create 2", "user.change 1"}, b.acts(t))
	require.Equal(t, "Anna Lis", testkit.One[string](t, b.db, "SELECT value FROM audit_values WHERE audit_id = (SELECT max(id) FROM audit)"))

	for _, bad := range []auth.UserChange{{Name: new(string)}, {Role: new(access.Role)}} {
		_, err = b.ChangeUser(t.Context(), adam, b.anna, 2, bad)
		require.Equal(t, errs.Invalid, errs.KindOf(err))
	}
	for _, edit := range []func(ids.UserID) error{
		func(id ids.UserID) error {
			_, err := b.ChangeUser(t.Context(), adam, id, 1, auth.UserChange{Name: &name})
			return err
		},
		func(id ids.UserID) error { _, err := b.DisableUser(t.Context(), adam, id, 1); return err },
		func(id ids.UserID) error { _, err := b.EnableUser(t.Context(), adam, id, 1); return err },
		func(id ids.UserID) error { return b.ResetPassword(t.Context(), adam, id, password) },
		func(id ids.UserID) error { _, err := b.User(t.Context(), id); return err },
	} {
		require.ErrorIs(t, edit(99), auth.ErrUserNotFound)
	}
}

func TestNobodyTakesTheirOwnRights(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	adam := b.create(t, "adam", access.Admin)
	b.create(t, "ewa", access.Admin)
	operator, name := access.Operator, "Adam the Great"
	_, err := b.ChangeUser(t.Context(), adam, adam.UserID, 1, auth.UserChange{Role: &operator})
	require.ErrorIs(t, err, auth.ErrOwnAccount)
	_, err = b.DisableUser(t.Context(), adam, adam.UserID, 1)
	require.ErrorIs(t, err, auth.ErrOwnAccount)
	require.ErrorIs(t, b.ResetPassword(t.Context(), adam, adam.UserID, "battery staple"), auth.ErrOwnAccount)
	_, err = b.ChangeUser(t.Context(), adam, adam.UserID, 1, auth.UserChange{Name: &name})
	require.NoError(t, err)
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	adam := b.create(t, "adam", access.Admin)
	operator := access.Operator
	_, err := b.DisableUser(t.Context(), cli, adam.UserID, 1)
	require.ErrorIs(t, err, auth.ErrLastAdmin)
	_, err = b.ChangeUser(t.Context(), cli, adam.UserID, 1, auth.UserChange{Role: &operator})
	require.ErrorIs(t, err, auth.ErrLastAdmin)

	ewa := b.create(t, "ewa", access.Admin)
	_, err = b.DisableUser(t.Context(), adam, ewa.UserID, 1)
	require.NoError(t, err)
	_, err = b.DisableUser(t.Context(), cli, adam.UserID, 1)
	require.ErrorIs(t, err, auth.ErrLastAdmin, "a disabled one is none")
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE act LIKE 'user.%' AND act <> 'user.create'"), "what is refused leaves no trace")
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM outbox"))
}

func TestTwoAdminsCannotTakeEachOthersRightsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	for range 20 {
		b.db.Exec(t, "DELETE FROM users WHERE role = 'admin'")
		pair := []access.Principal{b.create(t, "adam", access.Admin), b.create(t, "ewa", access.Admin)}
		operator := access.Operator
		var done [2]error
		var wg sync.WaitGroup
		wg.Go(func() { _, done[0] = b.DisableUser(t.Context(), pair[0], pair[1].UserID, 1) })
		wg.Go(func() {
			_, done[1] = b.ChangeUser(t.Context(), pair[1], pair[0].UserID, 1, auth.UserChange{Role: &operator})
		})
		wg.Wait()
		require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL"))
		if done[0] == nil {
			require.ErrorIs(t, done[1], auth.ErrLastAdmin)
		} else {
			require.ErrorIs(t, done[0], auth.ErrLastAdmin)
			require.NoError(t, done[1])
		}
		b.db.Exec(t, "DELETE FROM users WHERE login IN ('adam', 'ewa')")
	}
}

// What was opened as a user before something ended their access.
func TestEverythingOpenedAsAUserEndsWithTheirAccess(t *testing.T) {
	t.Parallel()
	supervisor := access.Supervisor
	for name, end := range map[string]func(b *bundle) error{
		"another role": func(b *bundle) error {
			_, err := b.ChangeUser(t.Context(), cli, b.anna, 1, auth.UserChange{Role: &supervisor})
			return err
		},
		"disabled and enabled again": func(b *bundle) error {
			if _, err := b.DisableUser(t.Context(), cli, b.anna, 1); err != nil {
				return err
			}
			_, err := b.EnableUser(t.Context(), cli, b.anna, 2)
			return err
		},
		"another password": func(b *bundle) error { return b.ResetPassword(t.Context(), cli, b.anna, password) },
	} {
		b := setup(t, false)
		p, session := b.signIn(t)
		bearer, err := b.IssueToken(t.Context(), creds("anna", password))
		require.NoError(t, err)
		ticket, err := b.Ticket(t.Context(), p)
		require.NoError(t, err)
		bare, err := b.Ticket(t.Context(), access.Principal{UserID: b.anna})
		require.NoError(t, err)

		require.NoError(t, end(b), name)
		_, _, err = b.Session(t.Context(), session)
		require.ErrorIs(t, err, auth.ErrNotSignedIn, name)
		_, err = b.Bearer(t.Context(), bearer.Reveal())
		require.ErrorIs(t, err, auth.ErrNotSignedIn, name)
		for _, ticket := range []secret.Redacted{ticket, bare} {
			_, err = b.Redeem(t.Context(), ticket.Reveal())
			require.ErrorIs(t, err, auth.ErrBadTicket, name)
		}
		require.Equal(t, 1, testkit.One[int](t, b.db, `SELECT count(*) FROM outbox WHERE type = 'access.changed' AND audience = $1
			AND data::jsonb = jsonb_build_object('user_id', $2::bigint)`, stream.UserAudience(b.anna), int64(b.anna)), name)

		b.signIn(t)
		fresh, err := b.IssueToken(t.Context(), creds("anna", password))
		require.NoError(t, err)
		_, err = b.Bearer(t.Context(), fresh.Reveal())
		require.NoError(t, err, name)
	}
}

func TestOnesOwnPasswordEndsEverythingElse(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	here, session := b.signIn(t)
	_, elsewhere := b.signIn(t)
	bearer, err := b.IssueToken(t.Context(), creds("anna", password))
	require.NoError(t, err)

	change := func(old, fresh secret.Redacted) error {
		return b.ChangePassword(t.Context(), here, "192.0.2.1", old, fresh)
	}
	require.Equal(t, errs.Invalid, errs.KindOf(change(password, "short")))
	require.ErrorIs(t, change("incorrect horse", "battery staple"), auth.ErrBadCredentials)
	_, _, err = b.Session(t.Context(), elsewhere)
	require.NoError(t, err, "nothing has happened")

	require.NoError(t, change(password, "battery staple"))
	_, _, err = b.Session(t.Context(), session)
	require.NoError(t, err)
	_, _, err = b.Session(t.Context(), elsewhere)
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	_, err = b.Bearer(t.Context(), bearer.Reveal())
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	require.Equal(t, here.SessionID.String(), testkit.One[string](t, b.db, "SELECT data->>'but_session_id' FROM outbox"))
	_, _, err = b.SignIn(t.Context(), creds("anna", "battery staple"), "")
	require.NoError(t, err)

	for range 10 {
		require.ErrorIs(t, change("incorrect horse", "battery staple"), auth.ErrBadCredentials)
	}
	require.ErrorIs(t, change("battery staple", "something else"), auth.ErrTooManyTries, "an open browser is no place to guess")
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	adam := b.create(t, "adam", access.Admin)
	jan := b.create(t, "jan", access.Operator)
	var anna access.Principal
	var tokens []string
	for range 3 {
		p, token := b.signIn(t)
		anna, tokens = p, append(tokens, token)
	}
	first, next, err := b.Sessions(t.Context(), anna, b.anna, uuid.Nil, 2)
	require.NoError(t, err)
	require.Len(t, first, 2)
	require.Equal(t, anna.SessionID, first[0].ID, "the newest first")
	require.True(t, first[0].Current)
	require.False(t, first[1].Current)
	require.Equal(t, "Firefox", first[0].UserAgent)
	require.Equal(t, wire.UserRef{ID: b.anna, Name: "Anna Nowak"}, first[0].User)
	require.WithinDuration(t, first[0].CreatedAt.Add(auth.SessionLife), first[0].ExpiresAt, time.Minute)
	last, next, err := b.Sessions(t.Context(), adam, b.anna, next, 2)
	require.NoError(t, err)
	require.Len(t, last, 1)
	require.Equal(t, uuid.Nil, next)
	_, _, err = b.Sessions(t.Context(), jan, b.anna, uuid.Nil, 10)
	require.Equal(t, errs.Forbidden, errs.KindOf(err))

	require.ErrorIs(t, b.EndSession(t.Context(), jan, last[0].ID), auth.ErrSessionNotFound)
	require.NoError(t, b.EndSession(t.Context(), adam, last[0].ID))
	require.NoError(t, b.EndSession(t.Context(), anna, first[1].ID))
	require.ErrorIs(t, b.EndSession(t.Context(), anna, first[1].ID), auth.ErrSessionNotFound, "it has ended")
	for i, token := range tokens {
		_, _, err := b.Session(t.Context(), token)
		if i == 2 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, auth.ErrNotSignedIn)
		}
	}
	b.shift(t, "13 hours")
	none, _, err := b.Sessions(t.Context(), anna, b.anna, uuid.Nil, 10)
	require.NoError(t, err)
	require.Empty(t, none, "what has expired is none")
	require.ErrorIs(t, b.EndSession(t.Context(), anna, anna.SessionID), auth.ErrSessionNotFound)
	require.Equal(t, 2, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE act = 'session.revoke' AND details->>'user_id' = '1'"))
	require.Equal(t, 2, testkit.One[int](t, b.db, "SELECT count(*) FROM outbox WHERE type = 'access.changed' AND data::jsonb ? 'session_id'"))
}

func TestSomebodyWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	seen := func() *time.Time {
		u, err := b.User(t.Context(), b.anna)
		require.NoError(t, err)
		return u.LastSeenAt
	}
	require.Nil(t, seen())
	_, token := b.signIn(t)
	at := *seen()
	b.shift(t, "2 minutes")
	_, _, err := b.Session(t.Context(), token)
	require.NoError(t, err)
	require.GreaterOrEqual(t, seen().Sub(at), 2*time.Minute)
	b.shift(t, "1 hour")
	_, err = b.IssueToken(t.Context(), creds("anna", password))
	require.NoError(t, err)
	require.GreaterOrEqual(t, seen().Sub(at), time.Hour)
}
