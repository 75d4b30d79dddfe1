package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"dozor/internal/access"
	"dozor/internal/desk"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

type eventsInput struct {
	Paging
	Priorities
	Span
	Site   ids.SiteID  `query:"site" minimum:"1" doc:"Only of that site"`
	Panel  ids.PanelID `query:"panel" minimum:"1" doc:"Only of that panel"`
	Alarm  ids.AlarmID `query:"alarm" minimum:"1" doc:"Only of that alarm"`
	Kind   string      `query:"kind" maxLength:"40"`
	Source string      `query:"source" enum:"panel,station,sms,hand"`
}

type eventsOutput struct {
	Body struct {
		Events     []wire.Event `json:"events"`
		NextCursor string       `json:"next_cursor,omitempty"`
	}
}

func (a *api) eventRoutes() {
	o := op(http.MethodGet, "/api/events", "list-events", "Events from the newest")
	o.Description = "In the order of recording, which is also what `from` and `to` are about: what a panel's memory gave late stands where it was recorded, with the time when it happened in `at`."
	add(a, o, a.listEvents)
}

func (a *api) listEvents(ctx context.Context, _ access.Principal, in *eventsInput) (*eventsOutput, error) {
	before, err := decodeCursor[ids.EventID](in.Cursor)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(in.Priorities.check(), in.Span.check()); err != nil {
		return nil, err
	}
	events, next, err := a.Desk.Events(ctx, desk.EventFilter{
		SiteID: in.Site, PanelID: in.Panel, AlarmID: in.Alarm, Kind: in.Kind, Source: in.Source, Priorities: in.Priority,
		From: in.From, To: in.To, Before: before,
	}, in.Limit)
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
