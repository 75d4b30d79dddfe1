package httpapi

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
)

const (
	keyHeader = "Idempotency-Key"
	maxKey    = 200
	// keepKeys is how long an answer can be had again.
	keepKeys = 24 * time.Hour
	// settleTime bounds looking up a key, and storing an answer after the client may
	// have gone.
	settleTime = 5 * time.Second
	// takesKey marks operations that honour a key.
	takesKey = "idempotency"
)

var (
	errKeyForm     = errs.New(errs.Invalid, "invalid_idempotency_key", "An Idempotency-Key has 1 to 200 printable characters.")
	errKeyMismatch = errs.New(errs.Invalid, "idempotency_mismatch", "This Idempotency-Key was used for another request.")
	// Also where the process died over the first request: whether it had its effect is
	// not known, so that it is not done again.
	errKeyRunning = errs.New(errs.Conflict, "idempotency_in_progress", "The first request with this Idempotency-Key has not ended, or nobody knows how. Look at the current state.")
)

// keyed says of an operation that it honours an Idempotency-Key.
func keyed(o huma.Operation) huma.Operation {
	o.Metadata[takesKey] = true
	limit := maxKey
	o.Parameters = append(o.Parameters, &huma.Param{
		Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &limit},
		Description: "The same key and the same request get the same answer, for a day, and act once.",
	})
	return o
}

// idempotent answers a repeated request with what the first one got.
func (a *api) idempotent(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	key := r.Header.Get(keyHeader)
	if key == "" || ctx.Operation().Metadata[takesKey] == nil {
		next(ctx)
		return
	}
	by, _ := access.PrincipalFrom(ctx.Context())
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		// What is wrong with it the operation finds out, and does not act.
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		next(ctx)
		return
	}
	store := keyStore{pool: a.Pool, user: by.UserID, key: key, hashes: a.requestHashes(r, body)}
	first, known, err := store.begin(r.Context())
	switch {
	case err != nil:
		a.refuse(w, r, err)
		return
	case known:
		w.Header().Set("Content-Type", first.contentType())
		w.WriteHeader(first.status)
		_, _ = w.Write(first.body) // a client that is gone cannot be told
		return
	}

	kept := &keeper{ResponseWriter: w}
	settled := false
	defer func() {
		if !settled { // the operation panicked: nobody knows what it did
			a.Log.WarnContext(r.Context(), "a request with an idempotency key has no answer", "request_id", access.RequestID(r.Context()))
		}
	}()
	// The operation goes on when the client is gone: it will come again with its key
	// and wants to hear what became of the first request.
	again := r.WithContext(context.WithoutCancel(ctx.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	next(humago.NewContext(ctx.Operation(), again, kept))
	settled = true
	if err := store.end(r.Context(), answer{status: kept.status, body: kept.body.Bytes()}); err != nil {
		a.Log.WarnContext(r.Context(), "an answer could not be kept for its idempotency key", "err", err, "request_id", access.RequestID(r.Context()))
	}
}

// requestHashes tell requests apart that bear the same key: one by each key of the
// keyring, the one to be kept first. They are keyed, since a body may hold a secret that
// is short enough to be guessed.
func (a *api) requestHashes(r *http.Request, body []byte) [][]byte {
	var hashes [][]byte
	for _, key := range a.Auth.RequestKeys() {
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s\n%s\n", r.Method, r.URL.RequestURI())
		h.Write(body)
		hashes = append(hashes, h.Sum(nil))
	}
	return hashes
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// keeper passes an answer on and keeps its body.
type keeper struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *keeper) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	k.body.Write(b)
	return k.ResponseWriter.Write(b)
}

func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

type answer struct {
	status int
	body   []byte
}

func (a answer) contentType() string {
	if a.status >= http.StatusBadRequest {
		return problemType
	}
	return "application/json"
}

// keyStore is one key of one user.
type keyStore struct {
	pool *pg.Pool
	user ids.UserID
	key  string
	// hashes are what the request may have been kept as, the first what it is kept as.
	hashes [][]byte
}

// begin takes the key for this request, or returns what the first request got.
func (s keyStore) begin(ctx context.Context) (first answer, known bool, err error) {
	if len(s.key) > maxKey || !utf8.ValidString(s.key) || strings.ContainsFunc(s.key, func(r rune) bool { return r < ' ' }) {
		return first, false, errKeyForm
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tag, err := s.pool.Exec(ctx, "INSERT INTO idempotency_keys (user_id, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", int64(s.user), s.key, s.hashes[0])
	if err != nil {
		return first, false, fmt.Errorf("take an idempotency key: %w", err)
	}
	if tag.RowsAffected() == 1 {
		return first, false, nil
	}
	var hash []byte
	var status *int
	err = s.pool.QueryRow(ctx, "SELECT request_hash, status, body FROM idempotency_keys WHERE user_id = $1 AND key = $2", int64(s.user), s.key).
		Scan(&hash, &status, &first.body)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return first, false, errKeyRunning // purged at this moment
	case err != nil:
		return first, false, fmt.Errorf("look up an idempotency key: %w", err)
	case !slices.ContainsFunc(s.hashes, func(own []byte) bool { return hmac.Equal(own, hash) }):
		return first, false, errKeyMismatch
	case status == nil:
		return first, false, errKeyRunning
	}
	first.status = *status
	return first, true, nil
}

// end keeps the answer, whatever it is: also after a failure of ours nobody knows whether
// the operation had its effect, so that it is not done again under this key.
func (s keyStore) end(ctx context.Context, a answer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	_, err := s.pool.Exec(ctx, "UPDATE idempotency_keys SET status = $3, body = $4 WHERE user_id = $1 AND key = $2", int64(s.user), s.key, a.status, a.body)
	return err
}

// PurgeIdempotencyKeys removes answers that are older than a day. Call it now and then.
func PurgeIdempotencyKeys(ctx context.Context, pool *pg.Pool) error {
	_, err := pool.Exec(ctx, "DELETE FROM idempotency_keys WHERE created_at < dozor_now() - make_interval(secs => $1::float8)", keepKeys.Seconds())
	if err != nil {
		return fmt.Errorf("purge idempotency keys: %w", err)
	}
	return nil
}
