package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/ids"
	"dozor/internal/secret"
)

const (
	// BearerLife is how long a bearer token is good.
	BearerLife = 15 * time.Minute
	// audience is whom tokens are meant for.
	audience = "dozor-api"
	keyBits  = 2048
	// keyAge is how long a key signs; keyRest how much longer it verifies: what it
	// signed last must still pass.
	keyAge  = 7 * 24 * time.Hour
	keyRest = BearerLife + 5*time.Minute
	// clockLeeway covers the time between two statements, not between two clocks.
	clockLeeway = 5 * time.Second
	maxBearer   = 4096
)

// bearerClaims are what a token says. It is good as long as the user's access has the
// epoch that it had.
type bearerClaims struct {
	jwt.RegisteredClaims
	Epoch int64 `json:"epoch"`
}

// IssueToken signs somebody in that is not a browser. It answers like SignIn.
func (a *Auth) IssueToken(ctx context.Context, c Credentials) (secret.Redacted, error) {
	p, epoch, err := a.check(ctx, c)
	if err != nil {
		return "", err
	}
	var signed string
	err = a.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := enter(ctx, tx, p.UserID, epoch); err != nil {
			return err
		}
		kid, key, err := a.signingKey(ctx, tx)
		if err != nil {
			return err
		}
		var now time.Time
		if err := tx.QueryRow(ctx, "SELECT dozor_now()").Scan(&now); err != nil {
			return err
		}
		claims := bearerClaims{Epoch: epoch, RegisteredClaims: jwt.RegisteredClaims{
			Issuer: a.d.Issuer, Audience: jwt.ClaimStrings{audience}, Subject: strconv.FormatInt(int64(p.UserID), 10),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(BearerLife)), ID: uuid.NewString(),
		}}
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		token.Header["kid"] = kid
		if signed, err = token.SignedString(key); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		e := audit.By(p, "token.issue", "user", p.UserID)
		e.Details = map[string]any{"jti": claims.ID, "kid": kid}
		e.Personal = map[string]string{"address": c.Address}
		return a.d.Audit.Append(ctx, tx, e)
	})
	if err != nil {
		return "", fmt.Errorf("issue a token to user %d: %w", p.UserID, err)
	}
	return secret.Redacted(signed), nil
}

// signingKey returns the key that signs now, making one where none is young enough. The
// lock keeps two instances from making one each.
func (a *Auth) signingKey(ctx context.Context, tx pgx.Tx) (string, *rsa.PrivateKey, error) {
	kid, key, err := a.currentKey(ctx, tx)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return kid, key, err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('dozor_signing_keys'))"); err != nil {
		return "", nil, fmt.Errorf("lock the signing keys: %w", err)
	}
	kid, key, err = a.currentKey(ctx, tx)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return kid, key, err
	}
	return a.makeKey(ctx, tx)
}

func (a *Auth) currentKey(ctx context.Context, tx pgx.Tx) (string, *rsa.PrivateKey, error) {
	var kid string
	var sealed []byte
	err := tx.QueryRow(ctx, "SELECT kid, private_secret FROM signing_keys WHERE retires_at > dozor_now() ORDER BY created_at DESC, kid LIMIT 1").Scan(&kid, &sealed)
	if err != nil {
		return "", nil, err
	}
	der, err := a.d.Keyring.Open(sealed)
	if err != nil {
		return "", nil, fmt.Errorf("open signing key %s: %w", kid, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return "", nil, fmt.Errorf("read signing key %s: it is not PKCS 8", kid)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return "", nil, fmt.Errorf("read signing key %s: it is not an RSA key", kid)
	}
	return kid, key, nil
}

func (a *Auth) makeKey(ctx context.Context, tx pgx.Tx) (string, *rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", nil, fmt.Errorf("generate a signing key: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, fmt.Errorf("encode a signing key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", nil, fmt.Errorf("encode a signing key: %w", err)
	}
	kid := hex.EncodeToString(random(8))
	_, err = tx.Exec(ctx, `
		INSERT INTO signing_keys (kid, private_secret, public_der, retires_at, expires_at)
		VALUES ($1, $2, $3, dozor_now() + make_interval(secs => $4::float8), dozor_now() + make_interval(secs => $5::float8))`,
		kid, a.d.Keyring.Seal(private), public, keyAge.Seconds(), (keyAge + keyRest).Seconds())
	if err != nil {
		return "", nil, fmt.Errorf("store a signing key: %w", err)
	}
	return kid, key, a.d.Audit.Append(ctx, tx, audit.ByRule("sign-in", "key.create", "signing_key", kid))
}

// Bearer finds who a bearer token belongs to. It answers ErrNotSignedIn for one that is
// not ours, not RS256 of a known key, not for us, or over.
func (a *Auth) Bearer(ctx context.Context, token string) (access.Principal, error) {
	if len(token) > maxBearer {
		return access.Principal{}, ErrNotSignedIn
	}
	var claims bearerClaims
	unverified, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	if err != nil {
		return access.Principal{}, ErrNotSignedIn.Because(err)
	}
	kid, _ := unverified.Header["kid"].(string)
	if kid == "" || len(kid) > 64 {
		return access.Principal{}, ErrNotSignedIn
	}
	var now time.Time
	var public []byte
	err = a.d.Pool.QueryRow(ctx, "SELECT dozor_now(), (SELECT public_der FROM signing_keys WHERE kid = $1 AND expires_at > dozor_now())", kid).Scan(&now, &public)
	if err != nil {
		return access.Principal{}, fmt.Errorf("look for a signing key: %w", err)
	}
	if public == nil {
		return access.Principal{}, ErrNotSignedIn
	}
	key, err := x509.ParsePKIXPublicKey(public)
	if err != nil {
		return access.Principal{}, fmt.Errorf("read signing key %s: %w", kid, err)
	}
	claims = bearerClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithIssuer(a.d.Issuer),
		jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockLeeway),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if _, err := parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
		return access.Principal{}, ErrNotSignedIn.Because(err)
	}
	id, err := ids.Parse[ids.UserID](claims.Subject)
	if err != nil {
		return access.Principal{}, ErrNotSignedIn
	}
	return a.bearer(ctx, id, claims.Epoch)
}
