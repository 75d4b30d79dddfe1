package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/desk"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/site"
	"dozor/internal/wire"
)

type alarmsInput struct {
	Paging
	Priorities
	Span
	State string     `query:"state" enum:"open,closed,all,new,claimed,acknowledged,resolved" default:"open" doc:"open is everything that is not closed"`
	Kind  string     `query:"kind" maxLength:"40"`
	Site  ids.SiteID `query:"site" minimum:"1" doc:"Only of that site"`
	Owner string     `query:"owner" maxLength:"20" doc:"me, none, or the number of a user"`
	Q     string     `query:"q" maxLength:"100" doc:"A part of a site's name or address, of a zone's name, or an alarm's number"`
}

type openAlarmInput struct {
	Body struct {
		SiteID ids.SiteID `json:"site_id" minimum:"1"`
		Kind   string     `json:"kind" enum:"panic,duress,fire,medical,gas,burglary,tamper,technical,temperature,other"`
		Text   string     `json:"text" minLength:"1" maxLength:"2000" doc:"What was told"`
		Caller string     `json:"caller,omitempty" maxLength:"200" doc:"Who told it"`
	}
}

type openAlarmOutput struct {
	Body struct {
		Alarm  wire.Alarm `json:"alarm"`
		Joined bool       `json:"joined" doc:"The alarm was there before"`
	}
}

type batchInput struct {
	Body struct {
		Act     string      `json:"act" enum:"claim,ack,resolve,close"`
		Alarms  []desk.Seen `json:"alarms" minItems:"1" maxItems:"200"`
		Outcome string      `json:"outcome,omitempty" enum:"real,false_user,false_technical,test,unknown" doc:"Of a resolve"`
		Text    string      `json:"text,omitempty" maxLength:"2000" doc:"Of a resolve"`
	}
}

type batchOutput struct {
	Body struct {
		Results []desk.Result `json:"results" doc:"One for each, in the order of the request"`
	}
}

type pauseInput struct {
	AlarmPath
	Body struct {
		Version int64  `json:"version" minimum:"1" doc:"The version that you saw"`
		Minutes int    `json:"minutes" minimum:"1" maximum:"60"`
		Text    string `json:"text" minLength:"1" maxLength:"2000" doc:"What is waited for"`
	}
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
		Alarm    wire.Alarm          `json:"alarm"`
		Events   []wire.Event        `json:"events" doc:"The newest 200, in log order"`
		Actions  []desk.Action       `json:"actions"`
		Earlier  []wire.Alarm        `json:"earlier" doc:"The site's 10 before this one, from the newest"`
		Site     site.Site           `json:"site"`
		Contacts []site.Contact      `json:"contacts" doc:"Whom to call, in this order"`
		Stream   wire.StreamPosition `json:"stream"`
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
	add(a, op(http.MethodGet, "/api/alarms", "list-alarms", "Alarms: what is not closed by priority, confirmed first, then age; others from the newest"), a.listAlarms)
	add(a, op(http.MethodGet, "/api/alarms/{id}", "get-alarm", "An alarm with its events and history"), a.getAlarm)

	for act, summary := range map[alarm.Act]string{
		alarm.Claim:    "Take a new alarm",
		alarm.Release:  "Put an alarm back into the queue",
		alarm.Takeover: "Take an alarm from whoever has it",
		alarm.Ack:      "Acknowledge: the work has begun",
		alarm.Reopen:   "Go on with a resolved alarm",
		alarm.Close:    "Close a resolved alarm for good",
		alarm.Resume:   "End a pause now",
	} {
		path := "/api/alarms/{id}/" + string(act)
		add(a, keyed(op(http.MethodPost, path, string(act)+"-alarm", summary)), func(ctx context.Context, by access.Principal, in *stepInput) (*alarmOutput, error) {
			return a.step(ctx, by, in.ID, desk.Step{Act: act, Version: in.Body.Version})
		})
	}
	add(a, keyed(op(http.MethodPost, "/api/alarms/{id}/pause", "pause-alarm", "Let one's own alarm rest; it rings when the time is over, or something rings in it")), func(ctx context.Context, by access.Principal, in *pauseInput) (*alarmOutput, error) {
		return a.step(ctx, by, in.ID, desk.Step{Act: alarm.Pause, Version: in.Body.Version, Text: in.Body.Text, Pause: time.Duration(in.Body.Minutes) * time.Minute})
	})
	add(a, keyed(op(http.MethodPost, "/api/alarms/{id}/resolve", "resolve-alarm", "Say how it ended")), func(ctx context.Context, by access.Principal, in *resolveInput) (*alarmOutput, error) {
		return a.step(ctx, by, in.ID, desk.Step{Act: alarm.Resolve, Version: in.Body.Version, Outcome: in.Body.Outcome, Text: in.Body.Text})
	})
	add(a, keyed(op(http.MethodPost, "/api/alarms/{id}/notes", "note-alarm", "Write something down, in any state")), func(ctx context.Context, by access.Principal, in *noteInput) (*alarmOutput, error) {
		return a.step(ctx, by, in.ID, desk.Step{Act: alarm.Note, Text: in.Body.Text})
	})
	open := keyed(op(http.MethodPost, "/api/alarms", "open-alarm", "Open an alarm by hand, or join the one that stands"))
	open.DefaultStatus = http.StatusCreated
	add(a, open, a.openAlarm)
	add(a, keyed(op(http.MethodPost, "/api/alarms/batch", "batch-alarms", "One step for many alarms of P4 and P5, each by its own version")), a.batchAlarms)
}

func (a *api) openAlarm(ctx context.Context, by access.Principal, in *openAlarmInput) (*openAlarmOutput, error) {
	out := &openAlarmOutput{}
	var err error
	out.Body.Alarm, out.Body.Joined, err = a.Desk.Open(ctx, by, desk.Report{
		SiteID: in.Body.SiteID, Kind: event.Kind(in.Body.Kind), Text: in.Body.Text, Caller: in.Body.Caller,
	})
	return out, err
}

// batchAlarms answers with what was done also where something broke on the way.
func (a *api) batchAlarms(ctx context.Context, by access.Principal, in *batchInput) (*batchOutput, error) {
	results, err := a.Desk.Batch(ctx, by, desk.Step{Act: alarm.Act(in.Body.Act), Outcome: in.Body.Outcome, Text: in.Body.Text}, in.Body.Alarms)
	if results == nil {
		return nil, err
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a batch broke off", "err", err, "request_id", access.RequestID(ctx))
	}
	out := &batchOutput{}
	out.Body.Results = results
	return out, nil
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

func (a *api) listAlarms(ctx context.Context, by access.Principal, in *alarmsInput) (*alarmsOutput, error) {
	place, err := decodeCursor[desk.Place](in.Cursor)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(in.Priorities.check(), in.Span.check()); err != nil {
		return nil, err
	}
	f := desk.Filter{
		Which: desk.Which(in.State), Priorities: in.Priority, Kind: in.Kind, SiteID: in.Site,
		Search: strings.TrimSpace(in.Q), From: in.From, To: in.To,
	}
	if f.OwnerID, f.NoOwner, err = owner(in.Owner, by); err != nil {
		return nil, err
	}
	page, err := a.Desk.List(ctx, f, place, in.Limit)
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
	if out.Body.Contacts, err = a.Sites.Contacts(ctx, detail.Alarm.Site.ID); err != nil {
		return nil, err
	}
	out.Body.Alarm, out.Body.Events, out.Body.Actions, out.Body.Earlier, out.Body.Stream = detail.Alarm, detail.Events, detail.Actions, detail.Earlier, detail.Stream
	return out, nil
}
