package httpapi

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
)

var update = flag.Bool("update", false, "write api/openapi.yaml anew")

const golden = "../../api/openapi.yaml"

func TestOpenAPIIsAsCommitted(t *testing.T) {
	t.Parallel()
	rendered, err := RenderOpenAPI()
	require.NoError(t, err)
	again, err := RenderOpenAPI()
	require.NoError(t, err)
	require.Equal(t, string(rendered), string(again), "rendering depends on nothing but the code")
	if *update {
		require.NoError(t, os.WriteFile(golden, rendered, 0o644))
	}
	committed, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(committed), string(rendered), "api/openapi.yaml is old: go test ./internal/httpapi -run OpenAPI -update")
}

// An embedded struct that is not exported would be passed over, and its parameters be
// zero without a word.
func TestEveryPathParameterIsRead(t *testing.T) {
	t.Parallel()
	for path, item := range build(Deps{}).huma.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if o == nil {
				continue
			}
			read := slices.ContainsFunc(o.Parameters, func(p *huma.Param) bool { return p.In == "path" && p.Name == "id" })
			require.Equal(t, strings.Contains(path, "{id}"), read, "%s %s", o.Method, path)
		}
	}
}

func TestEveryRouteHasARowAndEveryRowARoute(t *testing.T) {
	t.Parallel()
	registered := map[access.Route]bool{}
	for _, r := range build(Deps{}).routes {
		require.False(t, registered[r], "%v is registered twice", r)
		registered[r] = true
		_, ok := access.Needed(r.Method, r.Pattern)
		require.True(t, ok, "%v has no row in the permission table", r)
	}
	for r := range access.RouteTable() {
		require.True(t, registered[r], "the row %v has no route", r)
	}
}
