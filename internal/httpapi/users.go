package httpapi

import (
	"context"
	"net/http"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/ids"
	"dozor/internal/secret"
)

type usersInput struct {
	Paging
	State string `query:"state" enum:"active,disabled,all" default:"active"`
	Query string `query:"q" maxLength:"200" doc:"A part of the login or the name"`
}

type usersOutput struct {
	Body struct {
		Users      []auth.User `json:"users"`
		NextCursor string      `json:"next_cursor,omitempty"`
	}
}

// UserPath is the number in the path.
type UserPath struct {
	ID ids.UserID `path:"id" minimum:"1"`
}

type userOutput struct {
	Versioned
	Body struct {
		User auth.User `json:"user"`
	}
}

type newUserInput struct {
	Body struct {
		Login    string          `json:"login" maxLength:"256" doc:"1 to 64 characters without spaces"`
		Name     string          `json:"name" maxLength:"400" doc:"1 to 200 characters"`
		Role     access.Role     `json:"role" enum:"admin,supervisor,operator"`
		Password secret.Redacted `json:"password" maxLength:"1024" doc:"8 to 256 bytes"`
	}
}

type userEditInput struct {
	UserPath
	IfMatch
	Body struct {
		Name *string      `json:"name,omitempty" maxLength:"400" doc:"1 to 200 characters"`
		Role *access.Role `json:"role,omitempty" enum:"admin,supervisor,operator"`
	}
}

type userStepInput struct {
	UserPath
	IfMatch
}

type resetPasswordInput struct {
	UserPath
	Body struct {
		Password secret.Redacted `json:"password" maxLength:"1024" doc:"8 to 256 bytes"`
	}
}

type peopleOutput struct {
	Body struct {
		People []auth.Person `json:"people"`
	}
}

func (a *api) userRoutes() {
	add(a, op(http.MethodGet, "/api/users", "list-users", "Users by login"), a.listUsers)
	create := keyed(op(http.MethodPost, "/api/users", "create-user", "Add a user"))
	create.DefaultStatus = http.StatusCreated
	add(a, create, a.createUser)
	add(a, op(http.MethodGet, "/api/users/{id}", "get-user", "A user, with the version for edits"), func(ctx context.Context, _ access.Principal, in *UserPath) (*userOutput, error) {
		return userAnswer(a.Auth.User(ctx, in.ID))
	})
	add(a, op(http.MethodPatch, "/api/users/{id}", "change-user", "Change a user's name or role; another role ends their sessions"), a.changeUser)
	for path, o := range map[string]struct {
		id, summary string
		do          func(context.Context, access.Principal, ids.UserID, int64) (auth.User, error)
	}{
		"/api/users/{id}/disable": {"disable-user", "Keep a user out: their sessions end, their alarms go back into the queue", a.Auth.DisableUser},
		"/api/users/{id}/enable":  {"enable-user", "Let a disabled user in again", a.Auth.EnableUser},
	} {
		add(a, keyed(op(http.MethodPost, path, o.id, o.summary)), func(ctx context.Context, by access.Principal, in *userStepInput) (*userOutput, error) {
			seen, err := in.Seen()
			if err != nil {
				return nil, err
			}
			user, err := o.do(ctx, by, in.ID, seen)
			if err != nil {
				return nil, err
			}
			a.releaseOrphans(ctx)
			return userAnswer(user, nil)
		})
	}
	reset := keyed(op(http.MethodPost, "/api/users/{id}/password", "reset-password", "Give another user a new password; their sessions end"))
	reset.DefaultStatus = http.StatusNoContent
	add(a, reset, func(ctx context.Context, by access.Principal, in *resetPasswordInput) (*struct{}, error) {
		if err := a.Auth.ResetPassword(ctx, by, in.ID, in.Body.Password); err != nil {
			return nil, err
		}
		a.releaseOrphans(ctx)
		return nil, nil
	})
	add(a, op(http.MethodGet, "/api/people", "list-people", "Who works here: active users by name"), func(ctx context.Context, _ access.Principal, _ *struct{}) (*peopleOutput, error) {
		people, err := a.Auth.People(ctx)
		if err != nil {
			return nil, err
		}
		out := &peopleOutput{}
		out.Body.People = people
		return out, nil
	})
}

func userAnswer(user auth.User, err error) (*userOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &userOutput{Versioned: versioned(user.Version)}
	out.Body.User = user
	return out, nil
}

func (a *api) listUsers(ctx context.Context, _ access.Principal, in *usersInput) (*usersOutput, error) {
	after, err := decodeCursor[string](in.Cursor)
	if err != nil {
		return nil, err
	}
	users, next, err := a.Auth.Users(ctx, auth.UserFilter{State: in.State, Query: in.Query, After: after}, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Users = users
	if next != "" {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) createUser(ctx context.Context, by access.Principal, in *newUserInput) (*userOutput, error) {
	id, err := a.Auth.CreateUser(ctx, by, auth.NewUser{Login: in.Body.Login, Name: in.Body.Name, Role: in.Body.Role, Password: in.Body.Password})
	if err != nil {
		return nil, err
	}
	return userAnswer(a.Auth.User(ctx, id))
}

func (a *api) changeUser(ctx context.Context, by access.Principal, in *userEditInput) (*userOutput, error) {
	seen, err := in.Seen()
	if err != nil {
		return nil, err
	}
	user, err := a.Auth.ChangeUser(ctx, by, in.ID, seen, auth.UserChange{Name: in.Body.Name, Role: in.Body.Role})
	if err != nil {
		return nil, err
	}
	if in.Body.Role != nil {
		a.releaseOrphans(ctx)
	}
	return userAnswer(user, nil)
}

// releaseOrphans puts alarms back into the queue whose owner has just lost access. Who is
// signed in elsewhere keeps them. A failure here is made good by the look that goes over
// all alarms every few seconds.
func (a *api) releaseOrphans(ctx context.Context) {
	if _, err := a.Desk.ReleaseOrphans(ctx); err != nil {
		a.Log.WarnContext(ctx, "alarms were not released at once", "err", err, "request_id", access.RequestID(ctx))
	}
}
