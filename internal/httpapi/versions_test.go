package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/errs"
)

type editInput struct {
	IfMatch
	Body struct {
		Name string `json:"name"`
	}
}

type editOutput struct {
	Versioned
	Body struct {
		Name string `json:"name"`
	}
}

// An edit of one thing, whose version is 7, over the whole way of a request.
func edit(t *testing.T, tag ...string) *http.Response {
	t.Helper()
	useProblems()
	mux := http.NewServeMux()
	cfg := huma.DefaultConfig("test", "1")
	cfg.CreateHooks = nil
	a := &api{Deps: Deps{Log: slog.New(slog.DiscardHandler)}, mux: mux, huma: humago.New(mux, cfg)}
	add(a, op(http.MethodPost, "/thing", "edit-thing", "Of no importance"), func(_ context.Context, _ access.Principal, in *editInput) (*editOutput, error) {
		seen, err := in.Seen()
		if err != nil {
			return nil, err
		}
		if seen != 7 {
			return nil, errs.VersionMismatch("thing", map[string]any{"name": "as it is", "version": 7})
		}
		out := &editOutput{Versioned: versioned(8)}
		out.Body.Name = in.Body.Name
		return out, nil
	})
	r := httptest.NewRequest(http.MethodPost, "/thing", strings.NewReader(`{"name":"new"}`))
	r.Header.Set("Content-Type", "application/json")
	for _, v := range tag {
		r.Header.Add("If-Match", v)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(raw)
}

func TestAnEditOfTheVersionThatWasSeen(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{`"7"`, `W/"7"`, ` "7" `} {
		r := edit(t, tag)
		require.Equal(t, http.StatusOK, r.StatusCode, tag)
		require.Equal(t, `"8"`, r.Header.Get("ETag"))
		require.JSONEq(t, `{"name":"new"}`, body(t, r))
	}
}

func TestAnEditOfAnotherVersionIsAnsweredWithWhatIsThereNow(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{`"6"`, `"8"`, `7`, `"07"`, `"+7"`, `"7`, `7"`, `"7", "8"`, `"0"`, `"-7"`, `""`, `"x"`, `"99999999999999999999"`} {
		r := edit(t, tag)
		require.Equal(t, http.StatusPreconditionFailed, r.StatusCode, tag)
		require.JSONEq(t, `{"type":"about:blank","title":"Precondition Failed","status":412,"code":"version_mismatch",
			"detail":"Somebody else has changed it since you saw it.","thing":{"name":"as it is","version":7}}`, body(t, r))
		require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
	}
}

func TestAnEditThatDoesNotSayWhatWasSeenIsRefused(t *testing.T) {
	t.Parallel()
	for _, tags := range [][]string{nil, {""}, {"*"}} {
		r := edit(t, tags...)
		require.Equal(t, http.StatusPreconditionRequired, r.StatusCode)
		require.Contains(t, body(t, r), `"code":"if_match_required"`)
	}
}
