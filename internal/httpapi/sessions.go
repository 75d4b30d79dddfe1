package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/ids"
	"dozor/internal/secret"
)

// Me is who is signed in.
type Me struct {
	ID    ids.UserID `json:"id"`
	Login string     `json:"login"`
	Name  string     `json:"name"`
	Role  string     `json:"role" enum:"admin,supervisor,operator"`
	// Orders are the kinds of commands to panels that the role may give.
	Orders []string `json:"orders"`
}

func me(p access.Principal) Me {
	return Me{ID: p.UserID, Login: p.Login, Name: p.Name, Role: string(p.Role), Orders: access.Orders(p.Role)}
}

type credentials struct {
	Login    string          `json:"login" maxLength:"256"`
	Password secret.Redacted `json:"password" maxLength:"1024"`
}

type callerKey struct{}

// caller is what signing in and out needs of the request itself.
type caller struct {
	request *http.Request
	address string
}

// withCaller gives an operation the request behind it.
func (a *api) withCaller(o huma.Operation) huma.Operation {
	o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(ctx)
		next(huma.WithValue(ctx, callerKey{}, caller{request: r, address: a.clientAddress(r)}))
	})
	return o
}

func callerFrom(ctx context.Context) caller { return ctx.Value(callerKey{}).(caller) }

// ServerInfo is what a client wants to know of the server.
type ServerInfo struct {
	Version  string    `json:"version"`
	Instance string    `json:"instance"`
	Time     time.Time `json:"time"`
}

type signInInput struct {
	UserAgent string `header:"User-Agent"`
	Body      credentials
}

type signInOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User Me `json:"user"`
	}
}

type sessionOutput struct {
	Body struct {
		User   Me         `json:"user"`
		Server ServerInfo `json:"server"`
	}
}

type signOutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type tokenOutput struct {
	Body struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type" enum:"Bearer"`
		ExpiresIn   int    `json:"expires_in" doc:"Seconds"`
	}
}

type ticketOutput struct {
	Body struct {
		Ticket    string `json:"ticket"`
		ExpiresIn int    `json:"expires_in" doc:"Seconds"`
	}
}

type sessionsInput struct {
	Paging
	User string `query:"user" maxLength:"20" pattern:"^(me|[1-9][0-9]*)$" default:"me" doc:"me or a user's number"`
}

type sessionsOutput struct {
	Body struct {
		Sessions   []auth.Session `json:"sessions"`
		NextCursor string         `json:"next_cursor,omitempty"`
	}
}

type sessionPath struct {
	ID uuid.UUID `path:"id"`
}

type ownPasswordInput struct {
	Body struct {
		Old secret.Redacted `json:"old" maxLength:"1024"`
		New secret.Redacted `json:"new" maxLength:"1024" doc:"8 to 256 bytes"`
	}
}

func (a *api) listSessions(ctx context.Context, by access.Principal, in *sessionsInput) (*sessionsOutput, error) {
	before, err := decodeCursor[uuid.UUID](in.Cursor)
	if err != nil {
		return nil, err
	}
	user := by.UserID
	if in.User != "me" {
		if user, err = ids.Parse[ids.UserID](in.User); err != nil {
			return nil, auth.ErrUserNotFound
		}
	}
	sessions, next, err := a.Auth.Sessions(ctx, by, user, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &sessionsOutput{}
	out.Body.Sessions = sessions
	if next != uuid.Nil {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) sessionRoutes() {
	signIn := a.withCaller(op(http.MethodPost, "/api/session", "sign-in", "Sign in with a browser"))
	add(a, signIn, func(ctx context.Context, _ access.Principal, in *signInInput) (*signInOutput, error) {
		from := callerFrom(ctx)
		p, token, err := a.Auth.SignIn(ctx, auth.Credentials{Login: in.Body.Login, Password: in.Body.Password, Address: from.address}, in.UserAgent)
		if err != nil {
			return nil, err
		}
		out := &signInOutput{SetCookie: *a.cookie(from.request, token)}
		out.Body.User = me(p)
		return out, nil
	})

	add(a, op(http.MethodGet, "/api/session", "get-session", "Who is signed in, and where"), func(ctx context.Context, by access.Principal, _ *struct{}) (*sessionOutput, error) {
		out := &sessionOutput{}
		out.Body.User = me(by)
		out.Body.Server = ServerInfo{Version: a.Version, Instance: a.Instance}
		if err := a.Pool.QueryRow(ctx, "SELECT dozor_now()").Scan(&out.Body.Server.Time); err != nil {
			return nil, fmt.Errorf("ask for the time: %w", err)
		}
		out.Body.Server.Time = out.Body.Server.Time.UTC()
		return out, nil
	})

	signOut := a.withCaller(op(http.MethodDelete, "/api/session", "sign-out", "Sign out: the session ends, and alarms that you have go back into the queue"))
	signOut.DefaultStatus = http.StatusNoContent
	add(a, signOut, func(ctx context.Context, by access.Principal, _ *struct{}) (*signOutOutput, error) {
		if err := a.Auth.SignOut(ctx, by); err != nil {
			return nil, err
		}
		a.releaseOrphans(ctx)
		return &signOutOutput{SetCookie: *a.cookie(callerFrom(ctx).request, "")}, nil
	})

	add(a, op(http.MethodGet, "/api/sessions", "list-sessions", "Sessions that have not ended, from the newest: one's own, or a user's for who manages users"), a.listSessions)
	end := op(http.MethodDelete, "/api/sessions/{id}", "end-session", "End a session, with its connections, at once")
	end.DefaultStatus = http.StatusNoContent
	add(a, end, func(ctx context.Context, by access.Principal, in *sessionPath) (*struct{}, error) {
		if err := a.Auth.EndSession(ctx, by, in.ID); err != nil {
			return nil, err
		}
		a.releaseOrphans(ctx)
		return nil, nil
	})
	own := a.withCaller(op(http.MethodPut, "/api/session/password", "change-password", "Change one's own password; one's other sessions end"))
	own.DefaultStatus = http.StatusNoContent
	add(a, own, func(ctx context.Context, by access.Principal, in *ownPasswordInput) (*struct{}, error) {
		return nil, a.Auth.ChangePassword(ctx, by, callerFrom(ctx).address, in.Body.Old, in.Body.New)
	})

	token := a.withCaller(op(http.MethodPost, "/api/tokens", "issue-token", "Sign in without a browser"))
	add(a, token, func(ctx context.Context, _ access.Principal, in *struct{ Body credentials }) (*tokenOutput, error) {
		signed, err := a.Auth.IssueToken(ctx, auth.Credentials{Login: in.Body.Login, Password: in.Body.Password, Address: callerFrom(ctx).address})
		if err != nil {
			return nil, err
		}
		out := &tokenOutput{}
		out.Body.AccessToken, out.Body.TokenType, out.Body.ExpiresIn = signed.Reveal(), "Bearer", int(auth.BearerLife.Seconds())
		return out, nil
	})

	add(a, op(http.MethodPost, "/api/ws/ticket", "get-stream-ticket", "A ticket for the stream at /api/ws: single use"), func(ctx context.Context, by access.Principal, _ *struct{}) (*ticketOutput, error) {
		ticket, err := a.Auth.Ticket(ctx, by)
		if err != nil {
			return nil, err
		}
		out := &ticketOutput{}
		out.Body.Ticket, out.Body.ExpiresIn = ticket.Reveal(), int(auth.TicketLife.Seconds())
		return out, nil
	})
}
