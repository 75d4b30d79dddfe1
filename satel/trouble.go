package satel

import (
	"fmt"
	"strconv"
)

// Trouble is one thing that is wrong, or was.
type Trouble struct {
	Group string // what it is, as "expander_ac"
	// Item is where: an address or number, for the system and for modules a name. It is empty for nothing.
	Item string
	// Memory tells that the panel remembers it, whether or not it still is so.
	Memory bool
}

// Name returns group and item with a point between them.
func (t Trouble) Name() string { return t.Group + "." + t.Item }

// Level is a number that comes along with the troubles.
type Level struct {
	Group  string
	Item   int // 0 for values of which there is one
	Value  int
	Memory bool
}

// Troubles is what one command of the trouble group says.
type Troubles struct {
	Active []Trouble
	Levels []Level // those above zero
}

// Names returns the names of the active troubles, in the order of the answer.
func (t Troubles) Names() []string {
	out := make([]string, 0, len(t.Active))
	for _, a := range t.Active {
		out = append(out, a.Name())
	}
	return out
}

// TroublesSize returns the length of an answer to a command of the trouble group, or false for another command.
func TroublesSize(cmd Command) (int, bool) {
	l, ok := troubleLayouts[cmd]
	return l.size, ok
}

// ParseTroubles reads the data of an answer to CmdTroubles1 to CmdTroubles8 and to those of the memory.
func ParseTroubles(cmd Command, data []byte) (Troubles, error) {
	l, ok := troubleLayouts[cmd]
	if !ok {
		return Troubles{}, fmt.Errorf("troubles: %s: %w", cmd, ErrValue)
	}
	if len(data) != l.size {
		return Troubles{}, fmt.Errorf("%s: %w: %d bytes", cmd, ErrLength, len(data))
	}
	var out Troubles
	for _, f := range l.fields {
		part := data[f.offset : f.offset+f.length]
		if f.valueSize > 0 {
			out.Levels = f.levels(out.Levels, part)
			continue
		}
		for _, a := range Bits(part).Addresses() {
			out.Active = append(out.Active, Trouble{Group: f.group, Item: f.item(a), Memory: f.memory})
		}
	}
	return out, nil
}

// AppendTroubles appends the data of an answer to a command of the trouble group that says what t holds. It wraps
// ErrValue when the command has no place for one of them.
func AppendTroubles(dst []byte, cmd Command, t Troubles) ([]byte, error) {
	l, ok := troubleLayouts[cmd]
	if !ok {
		return nil, fmt.Errorf("troubles: %s: %w", cmd, ErrValue)
	}
	data := make([]byte, l.size)
	for _, a := range t.Active {
		if !l.set(data, a) {
			return nil, fmt.Errorf("%s: trouble %q: %w", cmd, a.Name(), ErrValue)
		}
	}
	for _, v := range t.Levels {
		if !l.setLevel(data, v) {
			return nil, fmt.Errorf("%s: level %q of %d: %w", cmd, v.Group, v.Item, ErrValue)
		}
	}
	return append(dst, data...), nil
}

// troubleField is a run of bytes in an answer: bits, or values of valueSize bytes each.
type troubleField struct {
	offset, length int
	group          string
	first          int      // number of the first bit or value
	items          []string // names of the bits, when they have some
	memory         bool
	valueSize      int
}

type troubleLayout struct {
	size   int
	fields []troubleField
}

func (f troubleField) item(bit int) string {
	if bit < len(f.items) {
		return f.items[bit]
	}
	return strconv.Itoa(bit + f.first)
}

func (f troubleField) levels(out []Level, part []byte) []Level {
	for i := 0; i+f.valueSize <= len(part); i += f.valueSize {
		v := 0
		for _, b := range part[i : i+f.valueSize] {
			v = v<<8 | int(b)
		}
		if v != 0 {
			out = append(out, Level{Group: f.group, Item: f.first + i/f.valueSize, Value: v, Memory: f.memory})
		}
	}
	return out
}

func (l troubleLayout) set(data []byte, t Trouble) bool {
	for _, f := range l.fields {
		if f.valueSize > 0 || f.group != t.Group || f.memory != t.Memory {
			continue
		}
		for bit := range f.length * 8 {
			if f.item(bit) == t.Item {
				Bits(data[f.offset : f.offset+f.length]).SetAddress(bit)
				return true
			}
		}
	}
	return false
}

func (l troubleLayout) setLevel(data []byte, v Level) bool {
	for _, f := range l.fields {
		if f.valueSize == 0 || f.group != v.Group || f.memory != v.Memory {
			continue
		}
		at := (v.Item - f.first) * f.valueSize
		if v.Item < f.first || at >= f.length || v.Value < 0 || v.Value >= 1<<(8*f.valueSize) {
			continue
		}
		for i := range f.valueSize {
			data[f.offset+at+i] = byte(v.Value >> (8 * (f.valueSize - 1 - i)))
		}
		return true
	}
	return false
}
