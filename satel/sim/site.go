package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dozor/satel"
)

// Reaction is what a zone does when it is violated: the code that the panel gives with the zone's name.
type Reaction byte

// The reactions that simulated sites use most. Every other code of the panel is taken too.
const (
	EntryExit       Reaction = 0
	DelayedInterior Reaction = 3
	Perimeter       Reaction = 4
	Instant         Reaction = 5
	Tamper24h       Reaction = 9
	PanicAudible    Reaction = 12
	PanicSilent     Reaction = 13
	MedicalButton   Reaction = 14
	Fire24h         Reaction = 32
	Smoke24h        Reaction = 33
	NoAlarm         Reaction = 47
	Gas24h          Reaction = 49
	WaterLeak24h    Reaction = 52
	TooHot24h       Reaction = 55
	MainsLost       Reaction = 59
	Burglary24h     Reaction = 88
)

// Rights is what a user may do.
type Rights uint16

// The rights that the simulator knows.
const (
	MayArm Rights = 1 << iota
	MayDisarm
	MayClearAlarm
	MayBypass
	MaySetClock
	MayClearTroubles
	MaySwitchOutputs
	MayUseNetwork    // without it a code is answered as if it were not known
	MayGiveFirstCode // of the two that some partitions want
	MayEditUsers
	AllRights = MayArm | MayDisarm | MayClearAlarm | MayBypass | MaySetClock | MayClearTroubles | MaySwitchOutputs |
		MayUseNetwork | MayGiveFirstCode | MayEditUsers
)

var rightWords = map[string]Rights{
	"arm": MayArm, "disarm": MayDisarm, "clear_alarm": MayClearAlarm, "bypass": MayBypass, "set_clock": MaySetClock,
	"clear_troubles": MayClearTroubles, "outputs": MaySwitchOutputs, "network": MayUseNetwork,
	"first_code": MayGiveFirstCode, "edit_users": MayEditUsers, "all": AllRights,
}

// ParseRights reads rights by their words, "all" for every one.
func ParseRights(words ...string) (Rights, error) {
	var rights Rights
	for _, word := range words {
		right, known := rightWords[word]
		if !known {
			known := slices.Sorted(maps.Keys(rightWords))
			return 0, fmt.Errorf("%w: right %q, there are %s", ErrInvalid, word, strings.Join(known, ", "))
		}
		rights |= right
	}
	return rights, nil
}

// Partition is a part of the site that is armed and disarmed as one.
type Partition struct {
	Number int // from 1
	Name   string
	Type   byte // as the panel gives it with the name

	// EntryDelay and ExitDelay are used as they stand: 0 means none.
	EntryDelay time.Duration
	ExitDelay  time.Duration

	// FailOnViolated ends arming with "arming did not succeed" when a zone is violated at the end of the exit time.
	FailOnViolated bool
	// NoForce refuses forced arming too when something stands against arming.
	NoForce bool
	// TwoCodes arms and disarms over the network only with the code of a second user, after a first one gave its own.
	TwoCodes bool
}

// Zone is an input of the panel.
type Zone struct {
	Number    int // from 1
	Name      string
	Partition int
	Reaction  Reaction
	// Priority refuses arming while the zone is violated.
	Priority bool
}

// Output is an output of the panel.
type Output struct {
	Number   int // from 1
	Name     string
	Function byte // as the panel gives it with the name: 1 burglary siren, 21 armed, 24 and 25 switches, ...
	// Partition whose alarms and arming the output shows, 0 for all.
	Partition int
	// Watts is what the device on the output takes while it is on.
	Watts float64
}

// Object is a module, timer or whatever else has a name and a number.
type Object struct {
	Number int
	Name   string
	Type   byte // as the panel gives it with the name
}

// User is somebody who has a code.
type User struct {
	Number int // 1-240, masters from 241
	Name   string
	Code   string // 4 to 8 digits
	Rights Rights
	// Partitions that the user may control, none for all.
	Partitions []int
	// Duress raises a duress alarm whenever the user disarms.
	Duress bool
	// Locks that the user may open, by address of the expander, from 0.
	Locks []int
	// Serial tells apart the persons who had the number one after the other, 0 to 31.
	Serial int
}

// Site is what an installer has set in a panel. Every list may have holes in its numbers.
type Site struct {
	Name       string
	Partitions []Partition
	Zones      []Zone
	Outputs    []Output
	Users      []User

	// Devices are the modules on the buses: expanders 129-192, keypads 193-210. None means one expander, one keypad and
	// the network module.
	Devices []Object
	Timers  []Object
	Phones  []Object
	// Objects are groups of partitions. None means one.
	Objects []Object

	// EventTexts are what the firmware calls events that satel's table lacks, by code; with the restore bit of a record
	// 1024 more.
	EventTexts map[int]string

	// SirenTime is how long an alarm sounds; 0 means 3 minutes.
	SirenTime time.Duration
	// MainsDelay is how long mains power may be away before the panel records it.
	MainsDelay time.Duration
	// TroublesBlockArming refuses arming while the panel has a trouble.
	TroublesBlockArming bool
}

// clone returns a site that shares nothing that a panel changes.
func (s *Site) clone() *Site {
	out := *s
	out.Partitions, out.Zones, out.Outputs = slices.Clone(s.Partitions), slices.Clone(s.Zones), slices.Clone(s.Outputs)
	out.Users, out.Devices, out.Timers = slices.Clone(s.Users), slices.Clone(s.Devices), slices.Clone(s.Timers)
	out.Phones, out.Objects = slices.Clone(s.Phones), slices.Clone(s.Objects)
	if out.Devices == nil {
		out.Devices = []Object{
			{Number: 129, Name: "Ekspander wejść", Type: 2},
			{Number: 193, Name: "Manipulator", Type: 10},
			{Number: 194, Name: "ETHM-1 Plus", Type: satel.KeypadETHM1GSM},
		}
	}
	if out.Objects == nil {
		out.Objects = []Object{{Number: 1, Name: "Obiekt 1"}}
	}
	return &out
}

// object finds one of the things that have nothing but a name and a type; nil when there is none.
func (s *Site) object(kind satel.ObjectType, number int) *Object {
	list := map[satel.ObjectType][]Object{
		satel.NameDevice: s.Devices, satel.NameTimer: s.Timers, satel.NamePhone: s.Phones, satel.NameObject: s.Objects,
	}[kind]
	if i := slices.IndexFunc(list, func(o Object) bool { return o.Number == number }); i >= 0 {
		return &list[i]
	}
	return nil
}

// DefaultSite is a small shop with a flat above it: two partitions, sixteen zones of every common kind, two sirens, a
// switch, and one user who may do everything with the given code. Entry takes 30 s, exit 20 s.
func DefaultSite(code string) Site {
	return Site{
		Name: "Sklep z mieszkaniem",
		Partitions: []Partition{
			{Number: 1, Name: "Sklep", EntryDelay: 30 * time.Second, ExitDelay: 20 * time.Second},
			{Number: 2, Name: "Mieszkanie", EntryDelay: 30 * time.Second, ExitDelay: 20 * time.Second},
		},
		Zones: []Zone{
			{Number: 1, Name: "Drzwi wejściowe", Partition: 1, Reaction: EntryExit},
			{Number: 2, Name: "Sala sprzedaży", Partition: 1, Reaction: DelayedInterior},
			{Number: 3, Name: "Okno wystawowe", Partition: 1, Reaction: Perimeter},
			{Number: 4, Name: "Zaplecze", Partition: 1, Reaction: Instant},
			{Number: 5, Name: "Drzwi tylne", Partition: 1, Reaction: Instant, Priority: true},
			{Number: 6, Name: "Magazyn", Partition: 1, Reaction: Instant},
			{Number: 7, Name: "Przycisk kasa", Partition: 1, Reaction: PanicSilent},
			{Number: 8, Name: "Dym w magazynie", Partition: 1, Reaction: Smoke24h},
			{Number: 9, Name: "Drzwi mieszkania", Partition: 2, Reaction: EntryExit},
			{Number: 10, Name: "Salon", Partition: 2, Reaction: DelayedInterior},
			{Number: 11, Name: "Sypialnia", Partition: 2, Reaction: Instant},
			{Number: 12, Name: "Okno kuchenne", Partition: 2, Reaction: Perimeter},
			{Number: 13, Name: "Czujnik gazu", Partition: 2, Reaction: Gas24h},
			{Number: 14, Name: "Napad, sypialnia", Partition: 2, Reaction: PanicAudible},
			{Number: 15, Name: "Obudowa syreny", Partition: 1, Reaction: Tamper24h},
			{Number: 16, Name: "Zalanie łazienki", Partition: 2, Reaction: WaterLeak24h},
		},
		Outputs: []Output{
			{Number: 1, Name: "Syrena zewn.", Function: 2},
			{Number: 2, Name: "Syrena wewn.", Function: 1, Partition: 2},
			{Number: 3, Name: "Alarm cichy", Function: 12},
			{Number: 4, Name: "Stan czuwania", Function: 21},
			{Number: 5, Name: "Oświetlenie", Function: 25},
		},
		Users: []User{{Number: 1, Name: "Stacja", Code: code, Rights: AllRights}},
	}
}
