package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/errs"
	"dozor/internal/secret"
)

const sessionCookie = "dozor_session"

var errMayNot = errs.New(errs.Forbidden, "forbidden", "Your role does not allow this.")

// guard lets pass who may. A route without a row in the permission table passes nobody.
func (a *api) guard(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	needed, ok := access.Needed(ctx.Operation().Method, ctx.Operation().Path)
	switch {
	case !ok:
		a.refuse(w, r, errMayNot)
		return
	case needed == access.Anyone:
		next(ctx)
		return
	}
	p, err := a.whoAsks(w, r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if !p.May(needed) {
		a.refuse(w, r, errMayNot)
		return
	}
	next(huma.WithContext(ctx, access.WithPrincipal(ctx.Context(), p)))
}

func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p, header := problemOf(r.Context(), a.Log, err)
	for name, values := range header {
		w.Header()[name] = values
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="dozor"`)
	}
	p.write(w)
}

// whoAsks finds the principal: a bearer token where one is shown, else the session of
// the cookie, which is sent again when it was prolonged.
func (a *api) whoAsks(w http.ResponseWriter, r *http.Request) (access.Principal, error) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTime)
	defer cancel()
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return access.Principal{}, auth.ErrNotSignedIn
		}
		return a.Auth.Bearer(ctx, strings.TrimSpace(token))
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return access.Principal{}, auth.ErrNotSignedIn
	}
	p, prolonged, err := a.Auth.Session(ctx, cookie.Value)
	if prolonged && err == nil {
		http.SetCookie(w, a.cookie(r, secret.Redacted(cookie.Value)))
	}
	return p, err
}

// cookie holds a session's token; an empty one takes the cookie away.
func (a *api) cookie(r *http.Request, token secret.Redacted) *http.Cookie {
	c := &http.Cookie{
		Name: sessionCookie, Value: token.Reveal(), Path: "/", MaxAge: int(auth.SessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: a.isHTTPS(r),
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}
