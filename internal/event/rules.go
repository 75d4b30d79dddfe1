package event

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"dozor/satel"
)

// Rule says how one code of a panel with one value of its restore bit is judged.
type Rule struct {
	Code     int
	Restore  bool // the record's bit; it is an end only where Ends says so
	Kind     Kind
	Category string
	Priority Priority
	// Raises: the event opens an alarm or joins one.
	Raises bool
	// Ends: the event is the end of what the same code without the bit raises.
	Ends bool
	// Arming is what the event says about arming, empty for most.
	Arming ArmingChange
}

// ArmingChange is what an event changes about arming.
type ArmingChange string

// The changes.
const (
	NoChange ArmingChange = ""
	Armed    ArmingChange = "armed"
	Disarmed ArmingChange = "disarmed"
)

const restoreBit = 1 << 10

// Rules judge codes of panels. They never change; safe for concurrent use.
type Rules struct {
	// Version is the number under which the rules are installed in the database, 0
	// while they are not.
	Version int
	table   *[2 * restoreBit]Rule
}

// Shipped returns the rules that come with the program, not installed.
func Shipped() *Rules { return &Rules{table: shippedTable()} }

// Installed returns the same rules under their number in the database.
func (r *Rules) Installed(version int) *Rules { return &Rules{Version: version, table: r.table} }

// Lookup returns the rule of a code, false where there is none.
func (r *Rules) Lookup(code int, restore bool) (Rule, bool) {
	if code < 0 || code >= restoreBit {
		return Rule{}, false
	}
	if restore {
		code |= restoreBit
	}
	rule := r.table[code]
	return rule, rule.Kind != ""
}

// List returns all rules by rising code, without the restore bit first.
func (r *Rules) List() []Rule {
	var list []Rule
	for code := range restoreBit {
		for _, full := range [...]int{code, code | restoreBit} {
			if r.table[full].Kind != "" {
				list = append(list, r.table[full])
			}
		}
	}
	return list
}

// Digest tells two sets of rules apart.
func (r *Rules) Digest() [32]byte {
	var b []byte
	for _, rule := range r.List() {
		b = binary.BigEndian.AppendUint16(b, uint16(rule.Code))
		b = append(b, bit(rule.Restore), byte(rule.Priority), bit(rule.Raises))
		b = append(b, rule.Kind...)
		b = append(b, 0)
		b = append(b, rule.Category...)
		b = append(b, 0)
	}
	return sha256.Sum256(b)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

var shippedTable = sync.OnceValue(func() *[2 * restoreBit]Rule {
	table := new([2 * restoreBit]Rule)
	for _, info := range satel.Events() {
		table[full(info)] = ruleOf(info)
	}
	for code := range restoreBit {
		begin, end := table[code], &table[code|restoreBit]
		if begin.Raises && end.Kind != "" && end.Priority == P5 {
			end.Ends, end.Kind = true, begin.Kind
		}
	}
	return table
})

func full(info satel.EventInfo) int {
	if info.Restore {
		return info.Code | restoreBit
	}
	return info.Code
}

func ruleOf(info satel.EventInfo) Rule {
	return Rule{
		Code: info.Code, Restore: info.Restore, Kind: kindOf(info), Category: string(info.Category),
		Priority: Priority(info.Priority),
		Raises:   Priority(info.Priority) < P5 && !onlyRecorded[full(info)],
		Arming:   armingOf(info),
	}
}

// onlyRecorded are codes of priority P4 that ask for nothing to be done: an alarm is a
// task with a clock. What the installer does, what was forced or interrupted and what is
// broken is a task; these are not.
var onlyRecorded = map[int]bool{
	0x194:              true, // late disarming: it has happened, by a user who was there
	0x194 | restoreBit: true, // late arming
	0x26F:              true, // the log is 90 % full since the panel's own last report: we read it anyway
	0x3EB:              true, // arming interrupted by the user at the keypad
}

// kindByCode are the codes whose kind is finer than their category. Each is what people
// are sent for in another way, or what comes in dozens and must not bury the rest.
var kindByCode = map[int]Kind{
	0x097: Gas,
	0x0A2: CarbonMonoxide,

	0x098: Temperature, // refrigeration
	0x099: Temperature, // heating lost
	0x09E: Temperature,
	0x09F: Temperature,

	0x12D: Mains,

	0x12E: Battery, // voltage low
	0x135: Battery, // resistance too high
	0x151: Battery, // charging
	0x180: Battery, // of a radio device
	0x3C9: Battery, // of a keypad
	0x3E3: Battery, // of a key fob
	0x3E4: Battery,
	0x3EE: Battery, // test of it

	0x04E: Link, // LAN cable
	0x058: Link, // GSM module
	0x15E: Link, // no reporting to the station
	0x15F: Link, // telephone line
	0x3C6: Link, // IP address conflict
	0x3C8: Link,
	0x3D3: Link, // refused by the maker's server
	0x3D4: Link, // no connection to it
	0x3EA: Link, // ping

	0x131: Trouble, // the panel restarted
	0x153: Trouble, // a module restarted
}

var kindByCategory = map[satel.Category]Kind{
	satel.CategoryPanic:     Panic,
	satel.CategoryFire:      Fire,
	satel.CategoryMedical:   Medical,
	satel.CategoryBurglary:  Burglary,
	satel.CategoryTamper:    Tamper,
	satel.CategoryDuress:    Duress,
	satel.CategoryTechnical: Technical,
	satel.CategoryTrouble:   Trouble,
	satel.CategoryTest:      Test,
	satel.CategoryArming:    Arming,
	satel.CategoryAccess:    Access,
	satel.CategoryBypass:    Bypass,
	satel.CategorySystem:    System,
}

func kindOf(info satel.EventInfo) Kind {
	if kind, ok := kindByCode[info.Code]; ok {
		return kind
	}
	if kind, ok := kindByCategory[info.Category]; ok {
		return kind
	}
	return Unknown
}

// armingCodes say by the restore bit that something was armed (set) or disarmed.
var armingCodes = map[int]bool{
	0x190: true, 0x191: true, 0x192: true, 0x193: true, 0x194: true, 0x197: true,
	0x198: true, 0x199: true, 0x1B9: true, 0x1BA: true,
}

func armingOf(info satel.EventInfo) ArmingChange {
	switch {
	case !armingCodes[info.Code]:
		return NoChange
	case info.Restore:
		return Armed
	default:
		return Disarmed
	}
}
