package access

import (
	"maps"
	"slices"

	"dozor/internal/wire"
)

// Route names an operation of the HTTP API: method and pattern as registered.
type Route struct {
	Method  string
	Pattern string
}

// routes is the permission table of the HTTP API. GET /api/ws stands as open to
// anyone because its ticket, which only somebody signed in gets, says who asks.
var routes = map[Route]Permission{
	{"POST", "/api/session"}:   Anyone,
	{"GET", "/api/session"}:    SignedIn,
	{"DELETE", "/api/session"}: SignedIn,
	{"POST", "/api/tokens"}:    Anyone,
	{"POST", "/api/ws/ticket"}: SignedIn,
	{"GET", "/api/ws"}:         Anyone,
	{"GET", "/api/stream"}:     SignedIn,

	{"GET", "/api/users"}:                ManageUsers,
	{"POST", "/api/users"}:               ManageUsers,
	{"GET", "/api/users/{id}"}:           ManageUsers,
	{"PATCH", "/api/users/{id}"}:         ManageUsers,
	{"POST", "/api/users/{id}/disable"}:  ManageUsers,
	{"POST", "/api/users/{id}/enable"}:   ManageUsers,
	{"POST", "/api/users/{id}/password"}: ManageUsers,
	{"GET", "/api/people"}:               ReadAlarms,
	{"PUT", "/api/session/password"}:     SignedIn,
	// One's own; others' with ManageUsers.
	{"GET", "/api/sessions"}:         SignedIn,
	{"DELETE", "/api/sessions/{id}"}: SignedIn,

	{"GET", "/api/alarms"}:                ReadAlarms,
	{"GET", "/api/alarms/{id}"}:           ReadAlarms,
	{"POST", "/api/alarms/{id}/claim"}:    WorkAlarms,
	{"POST", "/api/alarms/{id}/release"}:  WorkAlarms,
	{"POST", "/api/alarms/{id}/takeover"}: TakeOver,
	{"POST", "/api/alarms/{id}/ack"}:      WorkAlarms,
	{"POST", "/api/alarms/{id}/resolve"}:  WorkAlarms,
	{"POST", "/api/alarms/{id}/reopen"}:   WorkAlarms,
	{"POST", "/api/alarms/{id}/close"}:    WorkAlarms,
	{"POST", "/api/alarms/{id}/notes"}:    WorkAlarms,
	{"POST", "/api/alarms/{id}/pause"}:    WorkAlarms,
	{"POST", "/api/alarms/{id}/resume"}:   WorkAlarms,
	{"POST", "/api/alarms"}:               OpenAlarms,
	{"POST", "/api/alarms/batch"}:         WorkAlarms,

	{"GET", "/api/sites"}:      ReadSites,
	{"GET", "/api/sites/{id}"}: ReadSites,

	{"POST", "/api/sites"}:                    EditSites,
	{"PUT", "/api/sites/{id}"}:                EditSites,
	{"POST", "/api/sites/{id}/retire"}:        EditSites,
	{"POST", "/api/sites/{id}/contacts"}:      EditSites,
	{"PUT", "/api/sites/{id}/contacts/order"}: EditSites,
	{"PATCH", "/api/contacts/{id}"}:           EditSites,
	{"DELETE", "/api/contacts/{id}"}:          EditSites,
	{"POST", "/api/contacts/{id}/reveal"}:     RevealNumbers,
	{"POST", "/api/panels/probe"}:             EditPanels,
	{"POST", "/api/sites/{id}/panels"}:        EditPanels,
	{"PATCH", "/api/panels/{id}"}:             EditPanels,
	{"POST", "/api/panels/{id}/retire"}:       EditPanels,
	{"POST", "/api/panels/{id}/replace"}:      EditPanels,

	{"GET", "/api/panels"}:                ReadPanels,
	{"GET", "/api/panels/{id}"}:           ReadPanels,
	{"GET", "/api/panels/{id}/state"}:     ReadPanels,
	{"GET", "/api/panels/{id}/changes"}:   ReadPanels,
	{"POST", "/api/panels/{id}/commands"}: CommandPanels,
	{"GET", "/api/commands/{id}"}:         ReadPanels,
	{"GET", "/api/commands"}:              ReadPanels,
	{"GET", "/api/panels/snapshot"}:       ReadPanels,
	{"GET", "/api/events"}:                ReadEvents,

	{"GET", "/api/desks"}:  ReadStatus,
	{"GET", "/api/status"}: ReadStatus,

	{"GET", "/api/dead-letters"}:               HandleLetters,
	{"GET", "/api/dead-letters/{id}"}:          HandleLetters,
	{"POST", "/api/dead-letters/{id}/reveal"}:  HandleLetters,
	{"POST", "/api/dead-letters/{id}/replay"}:  HandleLetters,
	{"POST", "/api/dead-letters/{id}/dismiss"}: HandleLetters,
	{"POST", "/api/dead-letters/replay"}:       HandleLetters,
	{"GET", "/api/dead-letters/replays/{id}"}:  HandleLetters,
}

// frames is the permission table of the stream.
var frames = map[string]Permission{
	wire.AlarmNew:      ReadAlarms,
	wire.AlarmUpdated:  ReadAlarms,
	wire.EventRecorded: ReadEvents,
	wire.PanelArmed:    ReadEvents,
	wire.PanelDisarmed: ReadEvents,
	wire.PanelLink:     ReadPanels,
	wire.PanelState:    ReadPanels,
	wire.DeskList:      ReadStatus,
	wire.StationState:  ReadStatus,
	wire.CommandResult: ReadPanels,
	wire.AccessChanged: SignedIn,
}

// commands is the permission table of orders to panels, by kind.
var commands = map[string]Permission{
	"arm":            CommandPanels,
	"disarm":         CommandPanels,
	"clear_alarm":    CommandPanels,
	"force_arm":      ForceArm,
	"bypass":         BypassZones,
	"unbypass":       BypassZones,
	"isolate":        BypassZones,
	"outputs_on":     SwitchOutputs,
	"outputs_off":    SwitchOutputs,
	"outputs_switch": SwitchOutputs,
	"open_door":      SwitchOutputs,
	"clear_troubles": ServicePanels,
	"set_clock":      ServicePanels,
}

// MayOrder reports whether a role may give a panel a command of a kind; one that the
// table has no row for, nobody may.
func MayOrder(role Role, kind string) bool {
	p, ok := commands[kind]
	return ok && role.Has(p)
}

// Orders returns the kinds of commands that a role may give, in order.
func Orders(role Role) []string {
	kinds := []string{}
	for kind := range commands {
		if MayOrder(role, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// CommandTable returns a copy of the table of orders to panels.
func CommandTable() map[string]Permission {
	return maps.Clone(commands)
}

// Needed returns the permission that a route needs; false where the table has no row,
// which means that nobody may.
func Needed(method, pattern string) (Permission, bool) {
	p, ok := routes[Route{method, pattern}]
	return p, ok
}

// FrameNeeds returns the permission that a frame's type needs; false where the table
// has no row, which means that nobody may see it.
func FrameNeeds(frameType string) (Permission, bool) {
	p, ok := frames[frameType]
	return p, ok
}

// MayReceive reports whether a role may see frames of a type.
func MayReceive(role Role, frameType string) bool {
	p, ok := frames[frameType]
	return ok && role.Has(p)
}

// audiences says which frames of the outbox are for whom: an audience is for every role
// that has the permission.
var audiences = map[string]Permission{
	wire.Operators: ReadAlarms,
}

// Audiences returns the audiences that a role belongs to, in order.
func Audiences(role Role) []string {
	var belongs []string
	for audience, needed := range audiences {
		if role.Has(needed) {
			belongs = append(belongs, audience)
		}
	}
	slices.Sort(belongs)
	return belongs
}

// RouteTable returns a copy of the table of the HTTP API.
func RouteTable() map[Route]Permission {
	return maps.Clone(routes)
}

// FrameTable returns a copy of the table of the stream.
func FrameTable() map[string]Permission {
	return maps.Clone(frames)
}
