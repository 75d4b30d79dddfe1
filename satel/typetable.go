package satel

import (
	_ "embed" // the table below is a data file
	"fmt"
	"strconv"
	"sync"
)

//go:embed data/types.csv
var typesCSV string

// TypeKind says which numbering a type code belongs to.
type TypeKind string

// Kinds of type codes.
const (
	TypePanel        TypeKind = "panel"
	TypeZoneReaction TypeKind = "zone_reaction"
	TypePartition    TypeKind = "partition"
	TypeExpander     TypeKind = "expander"
	TypeKeypad       TypeKind = "keypad"
	TypeOutput       TypeKind = "output"
)

// Control says how an output of some function can be switched from outside.
type Control string

// Ways to switch an output.
const (
	ControlNone   Control = "no"
	ControlSwitch Control = "yes"  // by CmdOutputsOn, CmdOutputsOff, CmdOutputsSwitch
	ControlDoor   Control = "door" // by CmdOpenDoor
)

// TypeInfo is what is known about one type code.
type TypeInfo struct {
	Kind       TypeKind
	Code       byte
	NameEN     string
	NamePL     string
	AlarmEvent int     // of a zone reaction: the event that an alarm of the zone raises, 0 when none
	Control    Control // of an output function; else empty
}

type typeKey struct {
	kind TypeKind
	code byte
}

// LookupType returns what is known about a type code, or false when the table does not have it.
func LookupType(kind TypeKind, code byte) (TypeInfo, bool) {
	info, ok := typeTable()[typeKey{kind, code}]
	return info, ok
}

// ZoneReactionAlarmEvent returns the code of the event that a zone of the given reaction raises when it alarms, or false
// for a reaction without an alarm.
func ZoneReactionAlarmEvent(reaction byte) (code int, ok bool) {
	info, ok := LookupType(TypeZoneReaction, reaction)
	return info.AlarmEvent, ok && info.AlarmEvent != 0
}

var typeTable = sync.OnceValue(func() map[typeKey]TypeInfo {
	table, err := buildTypeTable(typesCSV)
	if err != nil {
		panic("satel: embedded type table: " + err.Error())
	}
	return table
})

func buildTypeTable(text string) (map[typeKey]TypeInfo, error) {
	rows, err := readTable(text, 6)
	if err != nil {
		return nil, err
	}
	table := make(map[typeKey]TypeInfo, len(rows))
	for _, row := range rows {
		code, err := strconv.ParseUint(row[1], 10, 8)
		if err != nil {
			return nil, fmt.Errorf("type %s %q: %w", row[0], row[1], ErrValue)
		}
		info := TypeInfo{
			Kind: TypeKind(row[0]), Code: byte(code), NameEN: row[2], NamePL: row[3], Control: Control(row[5]),
		}
		if row[4] != "" {
			if info.AlarmEvent, err = strconv.Atoi(row[4]); err != nil {
				return nil, fmt.Errorf("alarm event of %s %s: %w", row[0], row[1], ErrValue)
			}
		}
		table[typeKey{info.Kind, info.Code}] = info
	}
	return table, nil
}
