package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"dozor/internal/access"
)

// contentPolicy lets the web client run and nothing else: no foreign script, style,
// connection or frame. 'wasm-unsafe-eval' is for its database.
const contentPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; worker-src 'self'; " +
	"img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const requestIDHeader = "X-Request-ID"

// A request's id from outside is taken over when it can't harm a log.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// around puts what every request passes around the routes.
func (a *api) around(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !requestIDForm.MatchString(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		r = r.WithContext(access.WithRequestID(r.Context(), id))
		a.headers(w, r, id)

		began := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer a.logAccess(r, rec, began)
		defer a.rescue(r, rec)

		if err := origin.Check(r); err != nil {
			newProblem(http.StatusForbidden, "cross_origin", "Requests from pages of another origin are refused.").write(rec)
			return
		}
		if r.ContentLength > maxBody {
			newProblem(http.StatusRequestEntityTooLarge, codes[http.StatusRequestEntityTooLarge], sentences[http.StatusRequestEntityTooLarge]).write(rec)
			return
		}
		// One byte more than operations accept, so that they say it is too large.
		r.Body = http.MaxBytesReader(rec, r.Body, maxBody+1)
		next.ServeHTTP(rec, r)
	})
}

func (a *api) headers(w http.ResponseWriter, r *http.Request, id string) {
	h := w.Header()
	h.Set(requestIDHeader, id)
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if a.isHTTPS(r) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if isAPI(r) {
		h.Set("Cache-Control", "no-store")
	}
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// rescue turns a panic into an answer, if none has begun.
func (a *api) rescue(r *http.Request, rec *recorder) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // meant for the server: the connection is to be cut
	}
	a.Log.ErrorContext(r.Context(), "a request panicked", "err", p, "stack", string(debug.Stack()), "request_id", access.RequestID(r.Context()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // an answer has begun: better cut than believed whole
	}
	newProblem(http.StatusInternalServerError, "internal", "Something went wrong in the server. It was recorded.").write(rec)
}

// logAccess never logs a query or a body: they may hold what is not for logs.
func (a *api) logAccess(r *http.Request, rec *recorder, began time.Time) {
	level := slog.LevelDebug
	if rec.status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	a.Log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", rec.status,
		"bytes", rec.bytes, "duration", time.Since(began), "request_id", access.RequestID(r.Context()))
}

// recorder notes what is answered. It gives way to the connection itself where somebody
// asks for it, as the stream does.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// isTrusted reports whether the request comes from a proxy of ours.
func (a *api) isTrusted(addr netip.Addr) bool {
	for _, p := range a.TrustedProxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// clientAddress is where a request comes from: the last address that no proxy of ours
// has put in front.
func (a *api) clientAddress(r *http.Request) string {
	addr, ok := peer(r)
	if !ok {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.isTrusted(addr); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = before
	}
	return addr.Unmap().String()
}

func (a *api) isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	addr, ok := peer(r)
	return ok && a.isTrusted(addr) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
