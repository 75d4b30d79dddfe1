package httpapi

import (
	"context"
	"net/http"

	"dozor/internal/access"
	"dozor/internal/outbox"
	"dozor/internal/site"
	"dozor/internal/wire"
)

type snapshotOutput struct {
	Body struct {
		Panels []site.Cell         `json:"panels"`
		Stream wire.StreamPosition `json:"stream"`
	}
}

func (a *api) snapshotRoutes() {
	add(a, op(http.MethodGet, "/api/panels/snapshot", "snapshot-panels", "All panels at once with their live state"), a.snapshotPanels)
}

func (a *api) snapshotPanels(ctx context.Context, _ access.Principal, _ *struct{}) (*snapshotOutput, error) {
	out := &snapshotOutput{}
	var err error
	// The head comes first: of what is newer, frames will come.
	if out.Body.Stream, err = outbox.Head(ctx, a.Pool); err != nil {
		return nil, err
	}
	out.Body.Panels, err = a.Sites.Snapshot(ctx)
	return out, err
}
