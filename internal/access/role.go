package access

import (
	"fmt"
	"slices"
)

// Role is what a person is to the station.
type Role string

// The roles.
const (
	Admin      Role = "admin"
	Supervisor Role = "supervisor"
	Operator   Role = "operator"
)

// Roles returns every role.
func Roles() []Role { return []Role{Admin, Supervisor, Operator} }

// ParseRole reads a role as it stands in the database or a flag.
func ParseRole(s string) (Role, error) {
	for _, r := range Roles() {
		if string(r) == s {
			return r, nil
		}
	}
	return "", fmt.Errorf("role %q is not one of admin, supervisor, operator", s)
}

// Permission is one thing that a role may do.
type Permission string

// The permissions. Anyone needs no sign-in; SignedIn any.
const (
	Anyone        Permission = "anyone"
	SignedIn      Permission = "signed_in"
	ReadAlarms    Permission = "alarms.read"
	WorkAlarms    Permission = "alarms.work"
	OpenAlarms    Permission = "alarms.open"     // by hand
	TakeOver      Permission = "alarms.takeover" // also: release what another one holds
	ReadSites     Permission = "sites.read"
	EditSites     Permission = "sites.edit"      // and their contacts
	RevealNumbers Permission = "contacts.reveal" // the whole numbers; audited
	ReadPanels    Permission = "panels.read"
	EditPanels    Permission = "panels.edit"
	CommandPanels Permission = "panels.command"   // arm, disarm, clear alarms
	ForceArm      Permission = "panels.force_arm" // although zones are violated: they guard nothing then
	BypassZones   Permission = "panels.bypass"    // also: isolate them, and take either back
	SwitchOutputs Permission = "panels.outputs"   // also: open doors
	ServicePanels Permission = "panels.service"   // clear trouble memories, set clocks
	ReadEvents    Permission = "events.read"
	ReadStatus    Permission = "status.read"    // who sits where, how the station itself is
	ManageUsers   Permission = "users.manage"   // also: end sessions of others
	HandleLetters Permission = "letters.handle" // what was set aside as unreadable; it holds data of sites
)

// Permissions returns every permission.
func Permissions() []Permission {
	return []Permission{Anyone, SignedIn, ReadAlarms, WorkAlarms, OpenAlarms, TakeOver, ReadSites, EditSites, RevealNumbers, ReadPanels, EditPanels, CommandPanels, ForceArm, BypassZones, SwitchOutputs, ServicePanels, ReadEvents, ReadStatus, ManageUsers, HandleLetters}
}

var operatorMay = []Permission{Anyone, SignedIn, ReadAlarms, WorkAlarms, OpenAlarms, ReadSites, RevealNumbers, ReadPanels, CommandPanels, ReadEvents, ReadStatus}

// What leaves a part of a site without guard, lets somebody in, forgets a trouble or moves
// the time of what a panel records, takes a second pair of eyes: it is the supervisor's.
var supervisorMay = append(slices.Clone(operatorMay), TakeOver, EditSites, ForceArm, BypassZones, SwitchOutputs, ServicePanels)

var grants = map[Role]map[Permission]bool{
	Operator:   set(operatorMay),
	Supervisor: set(supervisorMay),
	Admin:      set(supervisorMay, EditPanels, ManageUsers, HandleLetters),
}

func set(base []Permission, more ...Permission) map[Permission]bool {
	m := make(map[Permission]bool, len(base)+len(more))
	for _, p := range base {
		m[p] = true
	}
	for _, p := range more {
		m[p] = true
	}
	return m
}

// Has reports whether the role has a permission. An unknown role has none.
func (r Role) Has(p Permission) bool { return grants[r][p] }
