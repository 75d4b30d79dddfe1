package httpapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"dozor/internal/access"
	"dozor/internal/desk"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/site"
	"dozor/internal/wire"
)

type sitesOutput struct {
	Body struct {
		Sites      []site.Site `json:"sites"`
		NextCursor string      `json:"next_cursor,omitempty"`
	}
}

type siteInput struct {
	ID ids.SiteID `path:"id" minimum:"1"`
}

type siteOutput struct {
	Body struct {
		Site   site.Site    `json:"site"`
		Panels []site.Panel `json:"panels"`
	}
}

type panelsOutput struct {
	Body struct {
		Panels     []site.Panel        `json:"panels"`
		NextCursor string              `json:"next_cursor,omitempty"`
		Stream     wire.StreamPosition `json:"stream"`
	}
}

// PanelPath is the number in the path.
type PanelPath struct {
	ID ids.PanelID `path:"id" minimum:"1"`
}

type panelOutput struct {
	Body struct {
		Panel    site.Panel          `json:"panel"`
		Objects  []site.Object       `json:"objects"`
		Commands []wire.Command      `json:"commands" doc:"The newest 20"`
		Stream   wire.StreamPosition `json:"stream"`
	}
}

type panelStateOutput struct {
	Body live.PanelState
}

type eventsInput struct {
	Paging
	Site  ids.SiteID  `query:"site" minimum:"1" doc:"Only of that site"`
	Panel ids.PanelID `query:"panel" minimum:"1" doc:"Only of that panel"`
}

type eventsOutput struct {
	Body struct {
		Events     []wire.Event `json:"events"`
		NextCursor string       `json:"next_cursor,omitempty"`
	}
}

const recentCommands = 20

func (a *api) siteRoutes() {
	add(a, op(http.MethodGet, "/api/sites", "list-sites", "Sites by name"), a.listSites)
	add(a, op(http.MethodGet, "/api/sites/{id}", "get-site", "A site with its panels"), a.getSite)
	add(a, op(http.MethodGet, "/api/panels", "list-panels", "Panels with their live state"), a.listPanels)
	add(a, op(http.MethodGet, "/api/panels/{id}", "get-panel", "A panel with its parts and last commands"), a.getPanel)
	add(a, op(http.MethodGet, "/api/panels/{id}/state", "get-panel-state", "What is true of a panel right now"), a.getPanelState)
	add(a, op(http.MethodGet, "/api/events", "list-events", "Events from the newest"), a.listEvents)
}

func (a *api) listSites(ctx context.Context, _ access.Principal, in *Paging) (*sitesOutput, error) {
	place, err := decodeCursor[site.Place](in.Cursor)
	if err != nil {
		return nil, err
	}
	sites, next, err := a.Sites.List(ctx, place, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &sitesOutput{}
	out.Body.Sites, out.Body.NextCursor = sites, encodeCursor(next)
	return out, nil
}

func (a *api) getSite(ctx context.Context, _ access.Principal, in *siteInput) (*siteOutput, error) {
	out := &siteOutput{}
	var err error
	if out.Body.Site, err = a.Sites.Get(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Body.Panels, err = a.Sites.PanelsOf(ctx, in.ID)
	return out, err
}

func (a *api) listPanels(ctx context.Context, _ access.Principal, in *Paging) (*panelsOutput, error) {
	after, err := decodeCursor[ids.PanelID](in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &panelsOutput{}
	if out.Body.Stream, err = outbox.Head(ctx, a.Pool); err != nil {
		return nil, err
	}
	var next ids.PanelID
	if out.Body.Panels, next, err = a.Sites.Panels(ctx, after, in.Limit); err != nil {
		return nil, err
	}
	if next != 0 {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) getPanel(ctx context.Context, _ access.Principal, in *PanelPath) (*panelOutput, error) {
	out := &panelOutput{}
	var err error
	if out.Body.Stream, err = outbox.Head(ctx, a.Pool); err != nil {
		return nil, err
	}
	if out.Body.Panel, err = a.Sites.Panel(ctx, in.ID); err != nil {
		return nil, err
	}
	if out.Body.Objects, err = a.Sites.Objects(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Body.Commands, err = a.Commands.Recent(ctx, in.ID, recentCommands)
	return out, err
}

// getPanelState says "none" of a panel that no worker has tried yet.
func (a *api) getPanelState(ctx context.Context, _ access.Principal, in *PanelPath) (*panelStateOutput, error) {
	panel, err := a.Sites.Panel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if panel.State == nil {
		return &panelStateOutput{Body: live.PanelState{PanelID: in.ID, Link: live.LinkNone}}, nil
	}
	return &panelStateOutput{Body: *panel.State}, nil
}

func (a *api) listEvents(ctx context.Context, _ access.Principal, in *eventsInput) (*eventsOutput, error) {
	before, err := decodeCursor[ids.EventID](in.Cursor)
	if err != nil {
		return nil, err
	}
	events, next, err := a.Desk.Events(ctx, desk.EventFilter{SiteID: in.Site, PanelID: in.Panel, Before: before}, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventsOutput{}
	out.Body.Events = events
	if next != uuid.Nil {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}
