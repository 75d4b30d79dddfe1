package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/wire"
)

func TestEveryRoleIsKnownAndTheUnknownMayNothing(t *testing.T) {
	t.Parallel()
	for _, r := range access.Roles() {
		parsed, err := access.ParseRole(string(r))
		require.NoError(t, err)
		require.Equal(t, r, parsed)
		require.True(t, r.Has(access.SignedIn))
		require.False(t, r.Has("alarms.delete"), "a permission that does not exist")
	}
	for _, bad := range []string{"", "Admin", "root"} {
		_, err := access.ParseRole(bad)
		require.Error(t, err)
		for _, p := range access.Permissions() {
			require.False(t, access.Role(bad).Has(p))
		}
	}
	require.False(t, access.Operator.Has(access.TakeOver))
	require.True(t, access.Supervisor.Has(access.TakeOver))
	require.True(t, access.Admin.Has(access.TakeOver))
}

func TestEveryRoleBelongsToItsAudiences(t *testing.T) {
	t.Parallel()
	for _, r := range access.Roles() {
		require.Equal(t, []string{wire.Operators}, access.Audiences(r))
	}
	require.Empty(t, access.Audiences("guest"))
}

func TestEveryPermissionOfTheTablesExists(t *testing.T) {
	t.Parallel()
	for route, p := range access.RouteTable() {
		require.Contains(t, access.Permissions(), p, route)
		needed, ok := access.Needed(route.Method, route.Pattern)
		require.True(t, ok)
		require.Equal(t, p, needed)
	}
	_, ok := access.Needed("DELETE", "/api/alarms/{id}")
	require.False(t, ok, "what has no row is refused")
	require.False(t, access.MayReceive(access.Admin, "secret.revealed"))
}

// The names of frames are read from the source, so that a new one cannot be forgotten.
func TestEveryFrameTypeHasARowAndNoOther(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../wire/view.go", nil, parser.ParseComments)
	require.NoError(t, err)
	types := map[string]bool{}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST || !strings.Contains(group.Doc.Text(), "Types of frames") {
			continue
		}
		for _, s := range group.Specs {
			for _, v := range s.(*ast.ValueSpec).Values {
				name, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				require.NoError(t, err)
				types[name] = true
			}
		}
	}
	require.NotEmpty(t, types, "the constants of frame types were not found in wire")
	for name := range types {
		_, ok := access.FrameNeeds(name)
		require.True(t, ok, "frame type %s has no row", name)
		require.True(t, access.MayReceive(access.Operator, name))
	}
	for name := range access.FrameTable() {
		require.True(t, types[name], "the row %s has no frame type", name)
	}
}
