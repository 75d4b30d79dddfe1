package satel

import (
	"fmt"
	"math/bits"
)

// CommandSet is a set of the commands 0x00 to 0x37, those that CmdNewData speaks of.
type CommandSet uint64

// Sizes of the three forms of new data: the first for commands up to 0x27, the second up to 0x2F, the third up to 0x37.
// A request for them has one data byte less than the size differs from the first: none, one, two.
const (
	NewDataShort  = 5
	NewDataMiddle = 6
	NewDataLong   = 7
)

// Commands makes a set. Commands above 0x37 are left out.
func Commands(cmds ...Command) CommandSet {
	var s CommandSet
	for _, c := range cmds {
		s = s.With(c)
	}
	return s
}

// With returns the set with c in it, unchanged when c is above 0x37.
func (s CommandSet) With(c Command) CommandSet {
	if c < 8*NewDataLong {
		s |= 1 << c
	}
	return s
}

// Without returns the set without c.
func (s CommandSet) Without(c Command) CommandSet { return s &^ (1 << c) }

// Has tells whether c is in the set.
func (s CommandSet) Has(c Command) bool { return s&(1<<c) != 0 }

// List returns the commands in rising order.
func (s CommandSet) List() []Command {
	out := make([]Command, 0, bits.OnesCount64(uint64(s)))
	for ; s != 0; s &= s - 1 {
		out = append(out, Command(bits.TrailingZeros64(uint64(s))))
	}
	return out
}

// ParseNewData reads the data of an answer to CmdNewData, in any of its three forms.
func ParseNewData(data []byte) (CommandSet, error) {
	if len(data) < NewDataShort || len(data) > NewDataLong {
		return 0, fmt.Errorf("new data: %w: %d bytes", ErrLength, len(data))
	}
	var s CommandSet
	for i, b := range data {
		s |= CommandSet(b) << (8 * i)
	}
	return s, nil
}

// AppendNewData appends the set in size bytes, one of NewDataShort, NewDataMiddle, NewDataLong; what does not fit is
// left out.
func AppendNewData(dst []byte, s CommandSet, size int) []byte {
	for range size {
		dst = append(dst, byte(s))
		s >>= 8
	}
	return dst
}

// Subscription is what a client asks a module to send by itself.
type Subscription struct {
	Changed  CommandSet // when the data changed
	Received CommandSet // whenever the module received them, changed or not
}

// ParseSubscription reads the data of a request CmdNewData in its long form, for the side of the module.
func ParseSubscription(data []byte) (Subscription, error) {
	half := len(data) / 2
	changed, err := ParseNewData(data[:half])
	if err != nil || len(data)%2 != 0 {
		return Subscription{}, fmt.Errorf("subscription: %w: %d bytes", ErrLength, len(data))
	}
	received, err := ParseNewData(data[half:])
	return Subscription{changed, received}, err
}

// AppendSubscription appends the data of a request CmdNewData that subscribes, each mask in size bytes.
func AppendSubscription(dst []byte, s Subscription, size int) []byte {
	return AppendNewData(AppendNewData(dst, s.Changed, size), s.Received, size)
}
