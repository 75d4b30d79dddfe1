package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/ids"
)

// Every route with every role, and with nobody, made from the permission table: nobody
// is let in where the table does not say so, and everybody who may gets past the guard.
func TestPermissionMatrix(t *testing.T) {
	t.Parallel()
	s := open(t)
	people := map[access.Role]string{access.Operator: "anna", access.Supervisor: "ewa", access.Admin: "adam"}
	require.Len(t, people, len(access.Roles()), "a role without a person")
	for route, needed := range access.RouteTable() {
		if route.Pattern == "/api/ws" {
			continue // mounted by others; its ticket is the permission
		}
		path := strings.ReplaceAll(route.Pattern, "{id}", "999999")
		if strings.HasPrefix(route.Pattern, "/api/commands/") {
			path = "/api/commands/" + ids.NewCommandID().String()
		}
		if strings.HasPrefix(route.Pattern, "/api/sessions/") {
			path = "/api/sessions/" + uuid.NewString()
		}
		if strings.HasPrefix(route.Pattern, "/api/dead-letters/replays/") {
			path = "/api/dead-letters/replays/" + uuid.NewString()
		}
		var body any
		if route.Method == http.MethodPost || route.Method == http.MethodPut || route.Method == http.MethodPatch {
			body = map[string]any{}
		}
		name := route.Method + " " + route.Pattern
		a := s.anonymous().send(route.Method, path, body)
		if needed == access.Anyone {
			require.NotEqual(t, 403, a.status, name)
			require.NotEqual(t, "not_signed_in", a.json("code"), name)
		} else {
			a.problem(401, "not_signed_in")
		}
		for role, login := range people {
			a := s.signIn(login).send(route.Method, path, body)
			if !role.Has(needed) {
				a.problem(403, "forbidden")
				continue
			}
			require.NotContains(t, []int{401, 403, 500}, a.status, "%s as %s: %s", name, role, a.body)
		}
	}
}
