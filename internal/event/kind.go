package event

// Kind is what an event is about, and what alarms bundle by.
type Kind string

// The kinds.
const (
	Panic          Kind = "panic"
	Duress         Kind = "duress"
	Fire           Kind = "fire"
	Medical        Kind = "medical"
	Gas            Kind = "gas"
	CarbonMonoxide Kind = "carbon_monoxide"
	Burglary       Kind = "burglary"
	Tamper         Kind = "tamper"
	Technical      Kind = "technical"
	Temperature    Kind = "temperature"
	Link           Kind = "link"
	Mains          Kind = "mains"
	Battery        Kind = "battery"
	Trouble        Kind = "trouble"
	Test           Kind = "test"
	Arming         Kind = "arming"
	Access         Kind = "access"
	Bypass         Kind = "bypass"
	System         Kind = "system"
	MemoryGap      Kind = "memory_gap" // records of a panel that can't be read back
	Unreadable     Kind = "unreadable" // a message that nobody understands
	Station        Kind = "station"    // something is wrong with the station itself
	Unknown        Kind = "unknown"    // a code that no rule knows
	Other          Kind = "other"      // what a person reports and no other kind fits
)

// Priority is how pressing an event is, P1 the most.
type Priority int

// The priorities.
const (
	P1 Priority = 1 // danger to people
	P2 Priority = 2 // burglary, tamper, what is not understood
	P3 Priority = 3 // technical, temperature, lost links
	P4 Priority = 4 // trouble
	P5 Priority = 5 // information
)

// Source says where an event came from.
type Source string

// The sources.
const (
	FromPanel   Source = "panel"
	FromStation Source = "station"
	ByHand      Source = "hand" // a person was told of it
)
