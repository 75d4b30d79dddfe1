package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"dozor/internal/access"
	"dozor/internal/command"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

type commandRequestInput struct {
	PanelPath
	Body struct {
		Kind       string      `json:"kind" enum:"arm,force_arm,disarm,clear_alarm,bypass,unbypass,isolate,outputs_on,outputs_off,outputs_switch,open_door,clear_troubles,set_clock"`
		Partitions []int       `json:"partitions,omitempty" maxItems:"32" uniqueItems:"true" doc:"Numbers of 1 to 32: to arm, disarm and clear alarms"`
		Zones      []int       `json:"zones,omitempty" maxItems:"256" uniqueItems:"true" doc:"Numbers of 1 to 256: to bypass, unbypass and isolate"`
		Outputs    []int       `json:"outputs,omitempty" maxItems:"256" uniqueItems:"true" doc:"Numbers of 1 to 256: to switch outputs and open doors"`
		Expanders  []int       `json:"expanders,omitempty" maxItems:"64" uniqueItems:"true" doc:"Addresses of 0 to 63: to open doors"`
		ArmMode    int         `json:"arm_mode,omitempty" minimum:"0" maximum:"3" doc:"Only to arm: 0 full, 1 to 3 the panel's modes"`
		DeadlineS  int         `json:"deadline_s,omitempty" minimum:"5" maximum:"60" default:"15" doc:"Seconds until it must have been sent"`
		AlarmID    ids.AlarmID `json:"alarm_id,omitempty" minimum:"1" doc:"The alarm that it belongs to"`
	}
}

type commandInput struct {
	ID ids.CommandID `path:"id" format:"uuid"`
}

type commandOutput struct {
	Body struct {
		Command wire.Command `json:"command"`
	}
}

type commandsInput struct {
	Paging
	Panel ids.PanelID `query:"panel" minimum:"1" doc:"Only to that panel"`
	Site  ids.SiteID  `query:"site" minimum:"1" doc:"Only to panels of that site"`
	User  ids.UserID  `query:"user" minimum:"1" doc:"Only those that this user asked for"`
	State string      `query:"state" enum:"queued,executing,done,refused,expired,unknown"`
}

type commandsOutput struct {
	Body struct {
		Commands   []wire.Command `json:"commands"`
		NextCursor string         `json:"next_cursor,omitempty"`
	}
}

func (a *api) listCommands(ctx context.Context, _ access.Principal, in *commandsInput) (*commandsOutput, error) {
	before, err := decodeCursor[ids.CommandID](in.Cursor)
	if err != nil {
		return nil, err
	}
	list, next, err := a.Commands.List(ctx, command.Filter{
		PanelID: in.Panel, SiteID: in.Site, UserID: in.User, State: in.State, Before: before,
	}, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &commandsOutput{}
	out.Body.Commands = list
	if next != uuid.Nil {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) commandRoutes() {
	add(a, op(http.MethodGet, "/api/commands", "list-commands", "Commands from the newest"), a.listCommands)
	request := keyed(op(http.MethodPost, "/api/panels/{id}/commands", "request-command", "Order a panel; the result comes in the stream"))
	request.DefaultStatus = http.StatusAccepted
	add(a, request, func(ctx context.Context, by access.Principal, in *commandRequestInput) (*commandOutput, error) {
		view, err := a.Commands.Request(ctx, by, command.Order{
			PanelID: in.ID, Kind: command.Kind(in.Body.Kind), ArmMode: in.Body.ArmMode,
			Targets: command.Targets{
				Partitions: in.Body.Partitions, Zones: in.Body.Zones, Outputs: in.Body.Outputs, Expanders: in.Body.Expanders,
			},
			Within: time.Duration(in.Body.DeadlineS) * time.Second, AlarmID: in.Body.AlarmID,
		})
		if err != nil {
			return nil, err
		}
		out := &commandOutput{}
		out.Body.Command = view
		return out, nil
	})
	add(a, op(http.MethodGet, "/api/commands/{id}", "get-command", "A command and its result"), func(ctx context.Context, _ access.Principal, in *commandInput) (*commandOutput, error) {
		view, err := a.Commands.Get(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		out := &commandOutput{}
		out.Body.Command = view
		return out, nil
	})
}
