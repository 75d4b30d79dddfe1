package httpapi

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
)

var update = flag.Bool("update", false, "write what is in api/ anew")

func TestOpenAPIIsAsCommitted(t *testing.T) {
	t.Parallel()
	for file, render := range map[string]func() ([]byte, error){"openapi.yaml": RenderOpenAPI, "openapi-3.0.json": RenderOpenAPI30} {
		golden := filepath.Join("../../api", file)
		rendered, err := render()
		require.NoError(t, err)
		again, err := render()
		require.NoError(t, err)
		require.Equal(t, string(rendered), string(again), "rendering depends on nothing but the code")
		if *update {
			require.NoError(t, os.WriteFile(golden, rendered, 0o644))
		}
		committed, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(committed), string(rendered), "api/%s is old: make openapi", file)
	}
}

var described = sync.OnceValue(func() *api { return build(Deps{Log: slog.New(slog.DiscardHandler)}) })

// Described says where an answer is not what the description of its operation promises.
// The tests of this package ask it about every answer that they get.
func Described(r *http.Request, status int, body []byte) error {
	a := described()
	_, pattern := a.mux.Handler(r)
	method, path, _ := strings.Cut(pattern, " ")
	item := a.huma.OpenAPI().Paths[path]
	if item == nil {
		return nil // no operation: refused before one was found
	}
	operation := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[method]
	response := operation.Responses[strconv.Itoa(status)]
	if response == nil {
		response = operation.Responses["default"]
	}
	if status < http.StatusBadRequest && response == operation.Responses["default"] {
		return fmt.Errorf("%s does not answer %d by its description", pattern, status)
	}
	for kind, media := range response.Content {
		if !strings.HasSuffix(kind, "json") {
			return nil
		}
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			return fmt.Errorf("%s answers what is no JSON: %w", pattern, err)
		}
		var found huma.ValidateResult
		huma.Validate(a.huma.OpenAPI().Components.Schemas, media.Schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, &found)
		for _, err := range found.Errors {
			var at *huma.ErrorDetail
			if !errors.As(err, &at) || at.Value != nil || !mayBeNull(at.Location) {
				return fmt.Errorf("%s answers %d otherwise than described: %w", pattern, status, err)
			}
		}
		return nil
	}
	if len(body) > 0 {
		return fmt.Errorf("%s answers %d with a body, which is not described", pattern, status)
	}
	return nil
}

func mayBeNull(location string) bool {
	name := location[strings.LastIndexByte(location, '.')+1:]
	return slices.ContainsFunc(nullable, func(n struct{ schema, property string }) bool { return n.property == name })
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
