package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// nullable are the members that have a null of their own, which huma can't say of a
// reference.
var nullable = []struct{ schema, property string }{
	{"Panel", "state"}, {"Cell", "state"}, {"Action", "actor"}, {"Status", "stream"}, {"Status", "panels"},
}

// RenderOpenAPI returns the description of the interface as YAML, by OpenAPI 3.1.
func RenderOpenAPI() ([]byte, error) {
	out, err := describe(func(ref *huma.Schema) *huma.Schema {
		return &huma.Schema{OneOf: []*huma.Schema{ref, {Type: "null"}}}
	}).YAML()
	if err != nil {
		return nil, fmt.Errorf("render the OpenAPI: %w", err)
	}
	return out, nil
}

// RenderOpenAPI30 returns the same as JSON by OpenAPI 3.0, for generators that know no
// later one.
func RenderOpenAPI30() ([]byte, error) {
	raw, err := describe(func(ref *huma.Schema) *huma.Schema {
		return &huma.Schema{AllOf: []*huma.Schema{ref}, Extensions: map[string]any{"nullable": true}}
	}).Downgrade()
	if err != nil {
		return nil, fmt.Errorf("render the OpenAPI 3.0: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		return nil, fmt.Errorf("render the OpenAPI 3.0: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// describe returns the description of all operations; orNull says that a reference may be
// null.
func describe(orNull func(ref *huma.Schema) *huma.Schema) *huma.OpenAPI {
	o := build(Deps{Log: slog.New(slog.DiscardHandler)}).huma.OpenAPI()
	schemas := o.Components.Schemas.Map()
	for _, n := range nullable {
		s := schemas[n.schema]
		s.Properties[n.property] = orNull(s.Properties[n.property])
	}
	// Answers gain members as time goes on; a client that refuses those would end with the
	// next version. What is asked has exactly what is described.
	asked := map[*huma.Schema]bool{}
	for _, item := range o.Paths {
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if operation != nil && operation.RequestBody != nil {
				for _, media := range operation.RequestBody.Content {
					reach(o.Components.Schemas, media.Schema, asked)
				}
			}
		}
	}
	for _, s := range schemas {
		if !asked[s] && s.AdditionalProperties == false {
			s.AdditionalProperties = nil
		}
	}
	return o
}

// reach notes a schema and all that it is made of.
func reach(r huma.Registry, s *huma.Schema, seen map[*huma.Schema]bool) {
	if s != nil && s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	reach(r, s.Items, seen)
	for _, part := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf, slices.Collect(maps.Values(s.Properties))) {
		reach(r, part, seen)
	}
}
