package auth_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/push"
	"dozor/internal/secret"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

var _ push.Redeemer = (*auth.Auth)(nil)

func TestMain(m *testing.M) { testkit.Main(m) }

// cheap keeps tests fast; what is tested does not depend on the costs.
var cheap = auth.Params{MemoryKiB: 64, Passes: 1, Threads: 1}

type bundle struct {
	*auth.Auth
	db   *testkit.Database
	ring *secret.Keyring
	deps auth.Deps
	anna ids.UserID
}

const password = secret.Redacted("correct horse")

var cli = access.Station("cli")

func setup(t *testing.T, pooled bool) *bundle {
	t.Helper()
	db := testkit.DB(t)
	pool := db.Pool
	if pooled {
		var err error
		pool, err = pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 4, Pooled: true})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
	}
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	b := &bundle{db: db, ring: ring, deps: auth.Deps{Pool: pool, Keyring: ring, Audit: audit.New(ring, "test"), Passwords: cheap}}
	b.Auth = auth.New(b.deps)
	b.anna, err = b.CreateUser(t.Context(), cli, auth.NewUser{Login: " Anna ", Name: "Anna Nowak", Role: access.Operator, Password: password})
	require.NoError(t, err)
	return b
}

func creds(login string, pass secret.Redacted) auth.Credentials {
	return auth.Credentials{Login: login, Password: pass, Address: "192.0.2.1"}
}

func (b *bundle) signIn(t *testing.T) (access.Principal, string) {
	t.Helper()
	p, token, err := b.SignIn(t.Context(), creds("ANNA", password), "Firefox")
	require.NoError(t, err)
	return p, token.Reveal()
}

func (b *bundle) shift(t *testing.T, by string) {
	t.Helper()
	b.db.Exec(t, "UPDATE station_clock SET shift = shift + $1::text::interval", by)
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		p, token := b.signIn(t)
		require.Equal(t, access.Principal{UserID: b.anna, Login: "anna", Name: "Anna Nowak", Role: access.Operator, SessionID: p.SessionID}, p)
		require.NotEqual(t, uuid.Nil, p.SessionID)

		got, prolonged, err := b.Session(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, p, got)
		require.False(t, prolonged)
		in, err := b.StillIn(t.Context(), p)
		require.NoError(t, err)
		require.True(t, in)
		require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM sessions WHERE position(convert_to($1, 'UTF8') in token_hash) > 0", token), "the token itself is not stored")

		require.NoError(t, b.SignOut(t.Context(), p))
		require.NoError(t, b.SignOut(t.Context(), p), "twice is no error")
		_, _, err = b.Session(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrNotSignedIn)
		in, err = b.StillIn(t.Context(), p)
		require.NoError(t, err)
		require.False(t, in)
		require.Equal(t, []string{"cli user.create", "operator session.open", "operator session.close"},
			testkit.One[[]string](t, b.db, "SELECT array_agg(actor || ' ' || act ORDER BY id) FROM audit"))
		require.JSONEq(t, fmt.Sprintf(`{"user_id":%d,"session_id":"%s"}`, b.anna, p.SessionID),
			testkit.One[string](t, b.db, "SELECT data::text FROM outbox WHERE type = 'access.changed'"))
	}
}

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	for name, c := range map[string]auth.Credentials{
		"wrong password": creds("anna", "incorrect horse"),
		"no password":    creds("anna", ""),
		"novel":          creds("anna", secret.Redacted(strings.Repeat("x", 100_000))),
		"unknown":        creds("jan", password),
		"empty":          creds("", ""),
		"zero byte":      creds("an\x00na", password),
		"not UTF-8":      creds("\xff\xfe", password),
		"long login":     creds(strings.Repeat("a", 100_000), password),
	} {
		_, token, err := b.SignIn(t.Context(), c, "")
		require.ErrorIs(t, err, auth.ErrBadCredentials, name)
		require.Empty(t, token)
		_, err = b.IssueToken(t.Context(), c)
		require.ErrorIs(t, err, auth.ErrBadCredentials, name)
	}
	require.Equal(t, 16, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE act = 'session.refused'"))
	require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM audit_values WHERE value LIKE '%horse%' OR value = 'jan'"))
	for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 10_000)} {
		_, _, err := b.Session(t.Context(), token)
		require.ErrorIs(t, err, auth.ErrNotSignedIn)
	}
}

func TestTriesAreLimitedByLoginAndAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	wrong := creds("anna", "incorrect horse")
	for range 9 {
		_, _, err := b.SignIn(t.Context(), wrong, "")
		require.ErrorIs(t, err, auth.ErrBadCredentials)
	}
	b.signIn(t)
	for range 10 {
		_, _, err := b.SignIn(t.Context(), wrong, "")
		require.ErrorIs(t, err, auth.ErrBadCredentials, "the right password began the count anew")
	}
	_, _, err := b.SignIn(t.Context(), creds("Anna ", password), "")
	require.ErrorIs(t, err, auth.ErrTooManyTries, "not even with the right one, however the login is written")
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.Positive(t, e.Detail.(auth.RetryAfter).Seconds)
	_, err = b.IssueToken(t.Context(), creds("anna", password))
	require.ErrorIs(t, err, auth.ErrTooManyTries, "tokens are no way around")
	other := creds("anna", password)
	other.Address = "192.0.2.2"
	_, _, err = b.SignIn(t.Context(), other, "")
	require.NoError(t, err, "nobody is locked out from elsewhere")
}

func TestParallelGuessesAreCountedBeforeTheyAreLookedAt(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	var guessed, limited atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			_, _, err := b.SignIn(t.Context(), creds("anna", "incorrect horse"), "")
			switch errs.KindOf(err) {
			case errs.Unauthorized:
				guessed.Add(1)
			case errs.TooMany:
				limited.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 10, guessed.Load())
	require.EqualValues(t, 30, limited.Load())
}

func TestSessionsSlideAndEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	_, token := b.signIn(t)
	expires := func() time.Time { return testkit.One[time.Time](t, b.db, "SELECT expires_at FROM sessions") }
	first := expires()
	_, prolonged, err := b.Session(t.Context(), token)
	require.NoError(t, err)
	require.False(t, prolonged)
	require.Equal(t, first, expires(), "not written within the minute")

	b.shift(t, "11 hours")
	_, prolonged, err = b.Session(t.Context(), token)
	require.NoError(t, err)
	require.True(t, prolonged)
	require.Greater(t, expires().Sub(first), 10*time.Hour)
	b.shift(t, "11 hours")
	_, _, err = b.Session(t.Context(), token)
	require.NoError(t, err)

	b.shift(t, "12 hours 1 second")
	_, prolonged, err = b.Session(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	require.False(t, prolonged)
	for _, want := range []int{1, 0} {
		n, err := b.EndExpired(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM outbox WHERE type = 'access.changed' AND audience = $1", stream.UserAudience(b.anna)), "whoever serves it is told")
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE act = 'session.expire'"))
	require.NoError(t, b.Purge(t.Context()))
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM sessions"))
	b.shift(t, "8 days")
	require.NoError(t, b.Purge(t.Context()))
	require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM sessions"))
}

func TestWhoIsDisabledIsRefusedAtTheNextRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	p, token := b.signIn(t)
	bearer, err := b.IssueToken(t.Context(), creds("anna", password))
	require.NoError(t, err)
	ticket, err := b.Ticket(t.Context(), access.Principal{UserID: b.anna})
	require.NoError(t, err)

	_, err = b.DisableUser(t.Context(), cli, b.anna, 1)
	require.NoError(t, err)
	_, _, err = b.Session(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	_, err = b.Bearer(t.Context(), bearer.Reveal())
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	_, err = b.Redeem(t.Context(), ticket.Reveal())
	require.ErrorIs(t, err, auth.ErrBadTicket)
	_, _, err = b.SignIn(t.Context(), creds("anna", password), "")
	require.ErrorIs(t, err, auth.ErrBadCredentials)
	for _, who := range []access.Principal{p, {UserID: b.anna, Role: access.Operator}} {
		in, err := b.StillIn(t.Context(), who)
		require.NoError(t, err)
		require.False(t, in)
	}

	_, err = b.EnableUser(t.Context(), cli, b.anna, 2)
	require.NoError(t, err)
	_, _, err = b.Session(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrNotSignedIn, "the old session stays ended")
	b.signIn(t)
}

func TestANewPasswordEndsTheOldOneAndItsSessions(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	_, token := b.signIn(t)
	require.NoError(t, b.SetPassword(t.Context(), cli, "ANNA", "battery staple"))
	_, _, err := b.Session(t.Context(), token)
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
	_, _, err = b.SignIn(t.Context(), creds("anna", password), "")
	require.ErrorIs(t, err, auth.ErrBadCredentials)
	_, _, err = b.SignIn(t.Context(), creds("anna", "battery staple"), "")
	require.NoError(t, err)
	require.ErrorIs(t, b.SetPassword(t.Context(), cli, "nobody", "battery staple"), auth.ErrUserNotFound)
	require.Equal(t, errs.Invalid, errs.KindOf(b.SetPassword(t.Context(), cli, "anna", "short")))
}

func TestUsersThatCannotBe(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	good := auth.NewUser{Login: "jan", Name: "Jan", Role: access.Admin, Password: password}
	with := func(change func(*auth.NewUser)) auth.NewUser { u := good; change(&u); return u }
	for name, c := range map[string]struct {
		user auth.NewUser
		kind errs.Kind
	}{
		"login taken": {with(func(u *auth.NewUser) { u.Login = "ANNA" }), errs.Conflict},
		"no login":    {with(func(u *auth.NewUser) { u.Login = " " }), errs.Invalid},
		"spaces":      {with(func(u *auth.NewUser) { u.Login = "a b" }), errs.Invalid},
		"long login":  {with(func(u *auth.NewUser) { u.Login = strings.Repeat("ż", 65) }), errs.Invalid},
		"no name":     {with(func(u *auth.NewUser) { u.Name = "" }), errs.Invalid},
		"role":        {with(func(u *auth.NewUser) { u.Role = "root" }), errs.Invalid},
		"short":       {with(func(u *auth.NewUser) { u.Password = "1234567" }), errs.Invalid},
		"long":        {with(func(u *auth.NewUser) { u.Password = secret.Redacted(strings.Repeat("x", 257)) }), errs.Invalid},
	} {
		_, err := b.CreateUser(t.Context(), cli, c.user)
		require.Equal(t, c.kind, errs.KindOf(err), "%s: %v", name, err)
	}
	_, err := b.CreateUser(t.Context(), cli, with(func(u *auth.NewUser) { u.Login = strings.Repeat("ż", 64) }))
	require.NoError(t, err)
}

func TestPasswordsAreHashedAgainWhenTheCostsChange(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	stored := func() string {
		return testkit.One[string](t, b.db, "SELECT password_hash FROM users WHERE login = 'anna'")
	}
	require.True(t, strings.HasPrefix(stored(), "$argon2id$v=19$m=64,t=1,p=1$"), stored())
	b.signIn(t)
	before := stored()
	b.signIn(t)
	require.Equal(t, before, stored())

	deps := b.deps
	deps.Passwords = auth.Params{MemoryKiB: 128, Passes: 2, Threads: 1}
	stronger := auth.New(deps)
	_, _, err := stronger.SignIn(t.Context(), creds("anna", "incorrect horse"), "")
	require.ErrorIs(t, err, auth.ErrBadCredentials)
	require.Equal(t, before, stored(), "a wrong password changes nothing")
	_, _, err = stronger.SignIn(t.Context(), creds("anna", password), "")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(stored(), "$argon2id$v=19$m=128,t=2,p=1$"), stored())
	b.signIn(t)

	for _, damaged := range []string{"", "x", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43), "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)} {
		b.db.Exec(t, "UPDATE users SET password_hash = $1 WHERE login = 'anna'", damaged)
		_, _, err := b.SignIn(t.Context(), creds("anna", password), "")
		require.Error(t, err)
		require.NotErrorIs(t, err, auth.ErrTooManyTries)
	}
}

// segments of a token, for forging others.
func forge(t *testing.T, header, claims map[string]any, sign func(text string) []byte) string {
	t.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(header) + "." + part(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
}

func TestBearerTokens(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		token, err := b.IssueToken(t.Context(), creds("anna", password))
		require.NoError(t, err)
		p, err := b.Bearer(t.Context(), token.Reveal())
		require.NoError(t, err)
		require.Equal(t, access.Principal{UserID: b.anna, Login: "anna", Name: "Anna Nowak", Role: access.Operator}, p)
		require.Error(t, b.SignOut(t.Context(), p))

		b.shift(t, "14 minutes")
		_, err = b.Bearer(t.Context(), token.Reveal())
		require.NoError(t, err)
		b.shift(t, "2 minutes")
		_, err = b.Bearer(t.Context(), token.Reveal())
		require.ErrorIs(t, err, auth.ErrNotSignedIn, "expired")
	}
}

func TestBearerTokensThatAreNotOurs(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	token, err := b.IssueToken(t.Context(), creds("anna", password))
	require.NoError(t, err)
	parsed, _, err := jwt.NewParser().ParseUnverified(token.Reveal(), jwt.MapClaims{})
	require.NoError(t, err)
	kid := parsed.Header["kid"].(string)
	now := testkit.One[time.Time](t, b.db, "SELECT dozor_now()")
	claims := func(change func(m map[string]any)) map[string]any {
		m := map[string]any{"iss": "dozor", "aud": []string{"dozor-api"}, "sub": fmt.Sprint(b.anna), "epoch": 1, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		if change != nil {
			change(m)
		}
		return m
	}
	rs256 := map[string]any{"alg": "RS256", "typ": "JWT", "kid": kid}
	der, err := b.ring.Open(testkit.One[[]byte](t, b.db, "SELECT private_secret FROM signing_keys"))
	require.NoError(t, err)
	ours, err := x509.ParsePKCS8PrivateKey(der)
	require.NoError(t, err)
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	sign := func(method jwt.SigningMethod, key any) func(string) []byte {
		return func(text string) []byte {
			sig, err := method.Sign(text, key)
			require.NoError(t, err)
			return sig
		}
	}
	byUs := sign(jwt.SigningMethodRS256, ours)
	public := testkit.One[[]byte](t, b.db, "SELECT public_der FROM signing_keys")

	_, err = b.Bearer(t.Context(), forge(t, rs256, claims(nil), byUs))
	require.NoError(t, err, "the forger's tools work")
	for name, bad := range map[string]string{
		"empty":           "",
		"no token":        "hello",
		"endless":         strings.Repeat("a", 100_000),
		"other key":       forge(t, rs256, claims(nil), sign(jwt.SigningMethodRS256, foreign)),
		"foreign kid":     forge(t, map[string]any{"alg": "RS256", "kid": "0011223344556677"}, claims(nil), byUs),
		"no kid":          forge(t, map[string]any{"alg": "RS256"}, claims(nil), byUs),
		"kid of a number": forge(t, map[string]any{"alg": "RS256", "kid": 7}, claims(nil), byUs),
		"alg none":        forge(t, map[string]any{"alg": "none", "kid": kid}, claims(nil), func(string) []byte { return nil }),
		"HS256 by public": forge(t, map[string]any{"alg": "HS256", "kid": kid}, claims(nil), sign(jwt.SigningMethodHS256, public)),
		"RS512":           forge(t, map[string]any{"alg": "RS512", "kid": kid}, claims(nil), sign(jwt.SigningMethodRS512, ours)),
		"PS256":           forge(t, map[string]any{"alg": "PS256", "kid": kid}, claims(nil), sign(jwt.SigningMethodPS256, ours)),
		"expired":         forge(t, rs256, claims(func(m map[string]any) { m["exp"] = now.Add(-time.Minute).Unix() }), byUs),
		"no expiry":       forge(t, rs256, claims(func(m map[string]any) { delete(m, "exp") }), byUs),
		"from the future": forge(t, rs256, claims(func(m map[string]any) { m["iat"] = now.Add(time.Hour).Unix() }), byUs),
		"other issuer":    forge(t, rs256, claims(func(m map[string]any) { m["iss"] = "elsewhere" }), byUs),
		"other audience":  forge(t, rs256, claims(func(m map[string]any) { m["aud"] = "elsewhere" }), byUs),
		"no such user":    forge(t, rs256, claims(func(m map[string]any) { m["sub"] = "999" }), byUs),
		"no number":       forge(t, rs256, claims(func(m map[string]any) { m["sub"] = "anna" }), byUs),
	} {
		_, err := b.Bearer(t.Context(), bad)
		require.ErrorIs(t, err, auth.ErrNotSignedIn, name)
	}
	tampered := []byte(token.Reveal())
	middle := bytes.IndexByte(tampered, '.') + 10
	tampered[middle] ^= 1
	_, err = b.Bearer(t.Context(), string(tampered))
	require.ErrorIs(t, err, auth.ErrNotSignedIn)
}

func TestSigningKeysAreMadeOnceAndRotate(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	issue := func() string {
		token, err := b.IssueToken(t.Context(), creds("anna", password))
		if err != nil {
			t.Errorf("issue: %v", err)
		}
		return token.Reveal()
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { issue() })
	}
	wg.Wait()
	keys := func() int { return testkit.One[int](t, b.db, "SELECT count(*) FROM signing_keys") }
	require.Equal(t, 1, keys())
	require.False(t, bytes.Contains(testkit.One[[]byte](t, b.db, "SELECT private_secret FROM signing_keys"), []byte("PRIVATE")))

	b.shift(t, "6 days 23 hours 55 minutes")
	last := issue()
	require.Equal(t, 1, keys())
	b.shift(t, "10 minutes")
	fresh := issue()
	require.Equal(t, 2, keys())
	for _, token := range []string{last, fresh} {
		_, err := b.Bearer(t.Context(), token)
		require.NoError(t, err, "what the old key signed is good until it ends by itself")
	}
	b.shift(t, "1 hour")
	require.NoError(t, b.Purge(t.Context()))
	require.Equal(t, 1, keys())
}

func TestTicketsAreRedeemedOnceAndSoon(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		p, _ := b.signIn(t)
		give := func(to access.Principal) string {
			ticket, err := b.Ticket(t.Context(), to)
			require.NoError(t, err)
			return ticket.Reveal()
		}
		ticket := give(p)
		var winners atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				got, err := b.Redeem(t.Context(), ticket)
				if err == nil && got.UserID == p.UserID && got.SessionID == p.SessionID.String() {
					winners.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, winners.Load())

		bearer := access.Principal{UserID: p.UserID, Login: p.Login, Name: p.Name, Role: p.Role}
		got, err := b.Redeem(t.Context(), give(bearer))
		require.NoError(t, err)
		require.Equal(t, stream.Viewer{UserID: p.UserID, Audiences: []string{wire.Operators}}, got)

		late := give(p)
		b.shift(t, "31 seconds")
		ofEnded := give(p)
		require.NoError(t, b.SignOut(t.Context(), p))
		for name, bad := range map[string]string{"late": late, "of an ended session": ofEnded, "unknown": strings.Repeat("A", 43), "empty": "", "not UTF-8": "\xff\x00"} {
			_, err := b.Redeem(t.Context(), bad)
			require.ErrorIs(t, err, auth.ErrBadTicket, name)
		}
		require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM ws_tickets"), "a try takes it, also when it is refused")
	}
}
