package httpapi

import (
	"context"
	"net/http"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/desk"
	"dozor/internal/ids"
	"dozor/internal/site"
	"dozor/internal/wire"
)

type alarmsInput struct {
	Paging
	State string `query:"state" enum:"open,closed,all" default:"open" doc:"open is everything that is not closed"`
}

type alarmsOutput struct {
	Body struct {
		Alarms     []wire.Alarm        `json:"alarms"`
		NextCursor string              `json:"next_cursor,omitempty"`
		Stream     wire.StreamPosition `json:"stream"`
	}
}

// AlarmPath is the number in the path.
type AlarmPath struct {
	ID ids.AlarmID `path:"id" minimum:"1"`
}

type alarmDetailOutput struct {
	Body struct {
		Alarm   wire.Alarm          `json:"alarm"`
		Events  []wire.Event        `json:"events" doc:"The newest 200, in log order"`
		Actions []desk.Action       `json:"actions"`
		Site    site.Site           `json:"site"`
		Stream  wire.StreamPosition `json:"stream"`
	}
}

type alarmOutput struct {
	Body struct {
		Alarm wire.Alarm `json:"alarm"`
	}
}

type stepInput struct {
	AlarmPath
	Body struct {
		Version int64 `json:"version" minimum:"1" doc:"The version that you saw"`
	}
}

type resolveInput struct {
	AlarmPath
	Body struct {
		Version int64  `json:"version" minimum:"1" doc:"The version that you saw"`
		Outcome string `json:"outcome" enum:"real,false_user,false_technical,test,unknown"`
		Text    string `json:"text" minLength:"1" maxLength:"2000"`
	}
}

type noteInput struct {
	AlarmPath
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"2000"`
	}
}

func (a *api) alarmRoutes() {
	add(a, op(http.MethodGet, "/api/alarms", "list-alarms", "Alarms: the open ones by priority and age, others from the newest"), a.listAlarms)
	add(a, op(http.MethodGet, "/api/alarms/{id}", "get-alarm", "An alarm with its events and history"), a.getAlarm)

	for act, summary := range map[alarm.Act]string{
		alarm.Claim:    "Take a new alarm",
		alarm.Release:  "Put an alarm back into the queue",
		alarm.Takeover: "Take an alarm from whoever has it",
		alarm.Ack:      "Acknowledge: the work has begun",
		alarm.Reopen:   "Go on with a resolved alarm",
		alarm.Close:    "Close a resolved alarm for good",
	} {
		path := "/api/alarms/{id}/" + string(act)
		add(a, keyed(op(http.MethodPost, path, string(act)+"-alarm", summary)), func(ctx context.Context, by access.Principal, in *stepInput) (*alarmOutput, error) {
			return a.step(ctx, by, in.ID, desk.Step{Act: act, Version: in.Body.Version})
		})
	}
	add(a, keyed(op(http.MethodPost, "/api/alarms/{id}/resolve", "resolve-alarm", "Say how it ended")), func(ctx context.Context, by access.Principal, in *resolveInput) (*alarmOutput, error) {
		return a.step(ctx, by, in.ID, desk.Step{Act: alarm.Resolve, Version: in.Body.Version, Outcome: in.Body.Outcome, Text: in.Body.Text})
	})
	add(a, keyed(op(http.MethodPost, "/api/alarms/{id}/notes", "note-alarm", "Write something down, in any state")), func(ctx context.Context, by access.Principal, in *noteInput) (*alarmOutput, error) {
		return a.step(ctx, by, in.ID, desk.Step{Act: alarm.Note, Text: in.Body.Text})
	})
}

func (a *api) step(ctx context.Context, by access.Principal, id ids.AlarmID, s desk.Step) (*alarmOutput, error) {
	view, err := a.Desk.Do(ctx, by, id, s)
	if err != nil {
		return nil, err
	}
	out := &alarmOutput{}
	out.Body.Alarm = view
	return out, nil
}

func (a *api) listAlarms(ctx context.Context, _ access.Principal, in *alarmsInput) (*alarmsOutput, error) {
	place, err := decodeCursor[desk.Place](in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := a.Desk.List(ctx, desk.Which(in.State), place, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &alarmsOutput{}
	out.Body.Alarms, out.Body.NextCursor, out.Body.Stream = page.Alarms, encodeCursor(page.Next), page.Stream
	return out, nil
}

func (a *api) getAlarm(ctx context.Context, _ access.Principal, in *AlarmPath) (*alarmDetailOutput, error) {
	detail, err := a.Desk.Detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &alarmDetailOutput{}
	if out.Body.Site, err = a.Sites.Get(ctx, detail.Alarm.Site.ID); err != nil {
		return nil, err
	}
	out.Body.Alarm, out.Body.Events, out.Body.Actions, out.Body.Stream = detail.Alarm, detail.Events, detail.Actions, detail.Stream
	return out, nil
}
