package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/command"
	"dozor/internal/deadletter"
	"dozor/internal/desk"
	"dozor/internal/pg"
	"dozor/internal/presence"
	"dozor/internal/roster"
	"dozor/internal/selfwatch"
	"dozor/internal/site"
	"dozor/internal/stream"
)

// Deps is what the interface needs. Push, Events and Client may be nil: then nothing is there.
type Deps struct {
	Pool     *pg.Pool
	Auth     *auth.Auth
	Desk     *desk.Desk
	Sites    *site.Sites
	Commands *command.Commands
	Letters  *deadletter.Letters
	// Presence, Self and Hub tell how the station itself is.
	Presence *presence.Presence
	Self     *selfwatch.Watch
	Roster   *roster.Roster
	// Queues are the buses by name.
	Queues map[string]Depths
	Hub    *stream.Hub
	// Push serves GET /api/ws, Events GET /api/stream; Client everything outside of /api.
	Push   http.Handler
	Events Events
	Client http.Handler
	Log    *slog.Logger
	// Version and Instance are told to who is signed in.
	Version  string
	Instance string
	// TrustedProxies are those whose X-Forwarded-For and X-Forwarded-Proto count.
	TrustedProxies []netip.Prefix
}

const (
	// maxBody bounds the body of a request.
	maxBody = 64 << 10
	// requestTime bounds an operation; the stream is none.
	requestTime = 15 * time.Second
)

type api struct {
	Deps
	huma huma.API
	mux  *http.ServeMux
	// status is what was last read of the station.
	status statusCache
	// routes are the patterns mounted, for the tests of the permission table.
	routes []access.Route
}

// New makes the handler of everything on the public listener.
func New(d Deps) http.Handler {
	d.Log = d.Log.With("component", "httpapi")
	a := build(d)
	return a.around(a.mux)
}

func build(d Deps) *api {
	useProblems()
	a := &api{Deps: d, mux: http.NewServeMux()}
	a.status.started = time.Now().UTC()
	cfg := huma.DefaultConfig("dozor", "1")
	cfg.Info.Description = "The REST interface of an alarm monitoring station. Errors are problem details (RFC 9457) with a stable `code`."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil // they would add a $schema member to every answer
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A browser's session: POST /api/session"},
		"bearer":  {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "For others: POST /api/tokens"},
	}
	a.huma = humago.New(a.mux, cfg)
	a.huma.UseMiddleware(a.guard, a.idempotent)
	a.sessionRoutes()
	a.userRoutes()
	a.alarmRoutes()
	a.siteRoutes()
	a.commandRoutes()
	a.statusRoutes()
	a.eventRoutes()
	a.snapshotRoutes()
	a.letterRoutes()
	a.streamRoutes()
	a.mux.HandleFunc("/api/", a.unknownRoute)
	if d.Client != nil {
		a.mux.Handle("/", d.Client)
	}
	return a
}

// op begins the description of an operation.
func op(method, path, id, summary string) huma.Operation {
	o := huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, MaxBodyBytes: maxBody,
		Metadata: map[string]any{},
		Security: []map[string][]string{{"session": {}}, {"bearer": {}}},
	}
	if needed, ok := access.Needed(method, path); ok && needed == access.Anyone {
		o.Security = []map[string][]string{{}}
	}
	return o
}

// add registers an operation whose errors become problems.
func add[I, O any](a *api, o huma.Operation, do func(ctx context.Context, by access.Principal, in *I) (*O, error)) {
	a.routes = append(a.routes, access.Route{Method: o.Method, Pattern: o.Path})
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTime)
		defer cancel()
		by, _ := access.PrincipalFrom(ctx) // the zero one where anyone may
		out, err := do(ctx, by, in)
		if err != nil {
			p, header := problemOf(ctx, a.Log, err)
			return nil, huma.ErrorWithHeaders(p, header)
		}
		return out, nil
	})
}

// unknownRoute answers what no operation does, with 405 where another method would do.
func (a *api) unknownRoute(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != "/api/" && method != r.Method {
			w.Header().Add("Allow", method)
		}
	}
	if len(w.Header().Values("Allow")) > 0 {
		newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "This can't be done there.").write(w)
		return
	}
	newProblem(http.StatusNotFound, "not_found", "There is nothing of that name.").write(w)
}
