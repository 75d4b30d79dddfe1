package satel

import "fmt"

// Command is the first byte of a frame. An answer repeats the command of its request, except that controls and refused
// requests are answered by CmdResult.
type Command byte

// Commands that read state: lists of zones, partitions, outputs and expanders, and troubles.
const (
	CmdZonesViolated             Command = 0x00
	CmdZonesTampered             Command = 0x01
	CmdZonesAlarm                Command = 0x02
	CmdZonesTamperAlarm          Command = 0x03
	CmdZonesAlarmMemory          Command = 0x04
	CmdZonesTamperAlarmMemory    Command = 0x05
	CmdZonesBypassed             Command = 0x06
	CmdZonesNoViolation          Command = 0x07
	CmdZonesLongViolation        Command = 0x08
	CmdArmedSuppressed           Command = 0x09 // what keypads may show; CmdArmed is the truth
	CmdArmed                     Command = 0x0A // set in every mode of arming
	CmdArmedMode2                Command = 0x0B
	CmdArmedMode3                Command = 0x0C
	CmdFirstCode                 Command = 0x0D // first of two codes entered
	CmdEntryTime                 Command = 0x0E
	CmdExitTimeLong              Command = 0x0F // more than 10 s left
	CmdExitTimeShort             Command = 0x10 // 10 s or less left
	CmdPartitionsBlocked         Command = 0x11 // for a time
	CmdPartitionsGuardRound      Command = 0x12 // blocked for a guard's round
	CmdPartitionsAlarm           Command = 0x13
	CmdPartitionsFireAlarm       Command = 0x14
	CmdPartitionsAlarmMemory     Command = 0x15
	CmdPartitionsFireAlarmMemory Command = 0x16
	CmdOutputs                   Command = 0x17
	CmdDoorsOpen                 Command = 0x18 // by expander address
	CmdDoorsLong                 Command = 0x19 // open too long, by expander address
	CmdClock                     Command = 0x1A
	CmdTroubles1                 Command = 0x1B
	CmdTroubles2                 Command = 0x1C
	CmdTroubles3                 Command = 0x1D
	CmdTroubles4                 Command = 0x1E
	CmdTroubles5                 Command = 0x1F
	CmdTroublesMemory1           Command = 0x20
	CmdTroublesMemory2           Command = 0x21
	CmdTroublesMemory3           Command = 0x22
	CmdTroublesMemory4           Command = 0x23
	CmdTroublesMemory5           Command = 0x24
	CmdPartitionsViolated        Command = 0x25 // with violated zones
	CmdZonesIsolated             Command = 0x26 // bypassed for good
	CmdPartitionsVerifiedAlarm   Command = 0x27
	CmdZonesMasked               Command = 0x28
	CmdZonesMaskedMemory         Command = 0x29
	CmdArmedMode1                Command = 0x2A
	CmdPartitionsWarning         Command = 0x2B
	CmdTroubles6                 Command = 0x2C
	CmdTroubles7                 Command = 0x2D
	CmdTroublesMemory6           Command = 0x2E
	CmdTroublesMemory7           Command = 0x2F
	CmdTroubles8                 Command = 0x30
	CmdTroublesMemory8           Command = 0x31
)

// CmdInvalid is the one byte that cannot be a command: it starts frames.
const CmdInvalid Command = byteSync

// Commands that read single values.
const (
	CmdOutputPower     Command = 0x7B
	CmdModuleVersion   Command = 0x7C
	CmdZoneTemperature Command = 0x7D
	CmdPanelVersion    Command = 0x7E
	CmdNewData         Command = 0x7F
	CmdEventRecord     Command = 0x8C
	CmdEventText       Command = 0x8F
	CmdSelf            Command = 0xE0 // own data of a code
	CmdUser            Command = 0xE1
	CmdUserList        Command = 0xE2
	CmdUserLocks       Command = 0xE3
	CmdSetUserLocks    Command = 0xE4
	CmdObjectName      Command = 0xEE
	CmdResult          Command = 0xEF // only as an answer
)

// Commands that change something. Their data begin with a user code of eight bytes; CmdResult answers them.
const (
	CmdArm0            Command = 0x80 // full
	CmdArm1            Command = 0x81 // full, with the zones bypassed that are "bypassed if no exit"
	CmdArm2            Command = 0x82 // without interior zones
	CmdArm3            Command = 0x83 // as 2, without entry delay
	CmdDisarm          Command = 0x84
	CmdClearAlarm      Command = 0x85
	CmdBypass          Command = 0x86
	CmdUnbypass        Command = 0x87
	CmdOutputsOn       Command = 0x88
	CmdOutputsOff      Command = 0x89
	CmdOpenDoor        Command = 0x8A
	CmdClearTroubles   Command = 0x8B // clears the trouble memory
	CmdFirstCodeEnter  Command = 0x8D
	CmdSetClock        Command = 0x8E
	CmdIsolate         Command = 0x90
	CmdOutputsSwitch   Command = 0x91
	CmdForceArm0       Command = 0xA0
	CmdForceArm1       Command = 0xA1
	CmdForceArm2       Command = 0xA2
	CmdForceArm3       Command = 0xA3
	CmdUserRemove      Command = 0xE5
	CmdUserCreate      Command = 0xE6
	CmdUserChange      Command = 0xE7
	CmdUserDevices     Command = 0xE8 // cards and key fobs
	CmdChangeOwnCode   Command = 0xE9
	CmdChangePhoneCode Command = 0xEA
)

var commandNames = map[Command]string{
	CmdZonesViolated: "zones violated", CmdZonesTampered: "zones tampered", CmdZonesAlarm: "zones in alarm",
	CmdZonesTamperAlarm: "zones in tamper alarm", CmdZonesAlarmMemory: "zone alarm memory",
	CmdZonesTamperAlarmMemory: "zone tamper alarm memory", CmdZonesBypassed: "zones bypassed",
	CmdZonesNoViolation: "zones without violation", CmdZonesLongViolation: "zones violated too long",
	CmdArmedSuppressed: "armed partitions, as shown", CmdArmed: "armed partitions",
	CmdArmedMode1: "partitions armed in mode 1", CmdArmedMode2: "partitions armed in mode 2",
	CmdArmedMode3: "partitions armed in mode 3", CmdFirstCode: "partitions with a first code",
	CmdEntryTime: "entry time", CmdExitTimeLong: "exit time over 10 s", CmdExitTimeShort: "exit time under 10 s",
	CmdPartitionsBlocked: "partitions blocked", CmdPartitionsGuardRound: "partitions blocked for a guard round",
	CmdPartitionsAlarm: "partitions in alarm", CmdPartitionsFireAlarm: "partitions in fire alarm",
	CmdPartitionsAlarmMemory: "partition alarm memory", CmdPartitionsFireAlarmMemory: "partition fire alarm memory",
	CmdOutputs: "outputs", CmdDoorsOpen: "doors open", CmdDoorsLong: "doors open too long", CmdClock: "clock",
	CmdTroubles1: "troubles 1", CmdTroubles2: "troubles 2", CmdTroubles3: "troubles 3", CmdTroubles4: "troubles 4",
	CmdTroubles5: "troubles 5", CmdTroubles6: "troubles 6", CmdTroubles7: "troubles 7", CmdTroubles8: "troubles 8",
	CmdTroublesMemory1: "trouble memory 1", CmdTroublesMemory2: "trouble memory 2", CmdTroublesMemory3: "trouble memory 3",
	CmdTroublesMemory4: "trouble memory 4", CmdTroublesMemory5: "trouble memory 5", CmdTroublesMemory6: "trouble memory 6",
	CmdTroublesMemory7: "trouble memory 7", CmdTroublesMemory8: "trouble memory 8",
	CmdPartitionsViolated: "partitions with violated zones", CmdZonesIsolated: "zones isolated",
	CmdPartitionsVerifiedAlarm: "partitions in verified alarm", CmdZonesMasked: "zones masked",
	CmdZonesMaskedMemory: "zone masking memory", CmdPartitionsWarning: "partitions in warning alarm",
	CmdOutputPower: "output power", CmdModuleVersion: "module version", CmdZoneTemperature: "zone temperature",
	CmdPanelVersion: "panel version", CmdNewData: "new data", CmdEventRecord: "event record", CmdEventText: "event text",
	CmdSelf: "own user data", CmdUser: "user data", CmdUserList: "user list", CmdUserLocks: "user locks",
	CmdSetUserLocks: "set user locks", CmdObjectName: "object name", CmdResult: "result",
	CmdArm0: "arm in mode 0", CmdArm1: "arm in mode 1", CmdArm2: "arm in mode 2", CmdArm3: "arm in mode 3",
	CmdForceArm0: "force arm in mode 0", CmdForceArm1: "force arm in mode 1", CmdForceArm2: "force arm in mode 2",
	CmdForceArm3: "force arm in mode 3", CmdDisarm: "disarm", CmdClearAlarm: "clear alarm", CmdBypass: "bypass zones",
	CmdUnbypass: "unbypass zones", CmdIsolate: "isolate zones", CmdOutputsOn: "outputs on", CmdOutputsOff: "outputs off",
	CmdOutputsSwitch: "switch outputs", CmdOpenDoor: "open door", CmdClearTroubles: "clear trouble memory",
	CmdFirstCodeEnter: "enter first code", CmdSetClock: "set clock", CmdUserRemove: "remove user",
	CmdUserCreate: "create user", CmdUserChange: "change user", CmdUserDevices: "cards and key fobs",
	CmdChangeOwnCode: "change own code", CmdChangePhoneCode: "change own phone code",
}

// String returns the command's name and number, as for a log.
func (c Command) String() string {
	if name, ok := commandNames[c]; ok {
		return fmt.Sprintf("%s (0x%02X)", name, byte(c))
	}
	return fmt.Sprintf("command 0x%02X", byte(c))
}

// IsControl tells whether the command changes something in the panel and is answered by CmdResult.
func (c Command) IsControl() bool {
	switch {
	case c >= CmdArm0 && c <= CmdClearTroubles, c == CmdFirstCodeEnter, c == CmdSetClock, c == CmdIsolate,
		c == CmdOutputsSwitch, c >= CmdForceArm0 && c <= CmdForceArm3, c >= CmdSetUserLocks && c <= CmdChangePhoneCode:
		return true
	default:
		return false
	}
}

// ListKind says what the bits of a state list count.
type ListKind uint8

// What a list counts. Zones, outputs and partitions count from 1, expanders are addresses from 0.
const (
	ListNone ListKind = iota
	ListZones
	ListOutputs
	ListPartitions
	ListExpanders
)

// List tells what kind of list the command reads, ListNone when it reads none.
func (c Command) List() ListKind {
	switch c {
	case CmdZonesViolated, CmdZonesTampered, CmdZonesAlarm, CmdZonesTamperAlarm, CmdZonesAlarmMemory,
		CmdZonesTamperAlarmMemory, CmdZonesBypassed, CmdZonesNoViolation, CmdZonesLongViolation, CmdZonesIsolated,
		CmdZonesMasked, CmdZonesMaskedMemory:
		return ListZones
	case CmdOutputs:
		return ListOutputs
	case CmdDoorsOpen, CmdDoorsLong:
		return ListExpanders
	case CmdArmedSuppressed, CmdArmed, CmdArmedMode1, CmdArmedMode2, CmdArmedMode3, CmdFirstCode, CmdEntryTime,
		CmdExitTimeLong, CmdExitTimeShort, CmdPartitionsBlocked, CmdPartitionsGuardRound, CmdPartitionsAlarm,
		CmdPartitionsFireAlarm, CmdPartitionsAlarmMemory, CmdPartitionsFireAlarmMemory, CmdPartitionsViolated,
		CmdPartitionsVerifiedAlarm, CmdPartitionsWarning:
		return ListPartitions
	default:
		return ListNone
	}
}

// Size returns the bytes of a list of this kind, in the form for up to 128 numbers or in the wide one for 256. The
// width makes no difference for partitions and expanders.
func (k ListKind) Size(wide bool) int {
	switch k {
	case ListZones, ListOutputs:
		if wide {
			return 32
		}
		return 16
	case ListPartitions:
		return 4
	case ListExpanders:
		return 8
	default:
		return 0
	}
}
