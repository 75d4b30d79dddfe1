package httpapi

import (
	"flag"
	"os"
	"testing"

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
