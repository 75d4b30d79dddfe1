package satel

import "math/bits"

// Bits is a list of numbers as the panel sends it: number n, counted from 1, is bit (n-1) mod 8 of byte (n-1)/8. Lists of
// expanders count addresses from 0 and have methods of their own. Lists longer than the panel are filled with zeros, so
// the length says nothing about the panel.
type Bits []byte

// NewBits returns a list of size bytes that holds the given numbers. It panics when one does not fit.
func NewBits(size int, numbers ...int) Bits {
	b := make(Bits, size)
	for _, n := range numbers {
		b.Set(n)
	}
	return b
}

// Has tells whether number n is in the list; a number beyond the list's length is not.
func (b Bits) Has(n int) bool { return b.HasAddress(n - 1) }

// Set puts number n into the list. It panics when n is below 1 or beyond the list's length.
func (b Bits) Set(n int) { b.SetAddress(n - 1) }

// Clear takes number n out of the list. It panics when n is below 1 or beyond the list's length.
func (b Bits) Clear(n int) { b[(n-1)>>3] &^= 1 << ((n - 1) & 7) }

// HasAddress tells whether an address, counted from 0, is in the list.
func (b Bits) HasAddress(a int) bool {
	return a >= 0 && a>>3 < len(b) && b[a>>3]&(1<<(a&7)) != 0
}

// SetAddress puts an address, counted from 0, into the list. It panics when the list does not reach so far.
func (b Bits) SetAddress(a int) { b[a>>3] |= 1 << (a & 7) }

// Numbers returns the numbers in the list in rising order, an empty slice when there are none.
func (b Bits) Numbers() []int { return b.collect(1, nil) }

// Addresses returns the addresses in the list in rising order, an empty slice when there are none.
func (b Bits) Addresses() []int { return b.collect(0, nil) }

// Rises returns the numbers that are in the list and were not in prev, which may have another length.
func (b Bits) Rises(prev Bits) []int { return b.collect(1, prev) }

// Any tells whether the list holds anything.
func (b Bits) Any() bool {
	for _, x := range b {
		if x != 0 {
			return true
		}
	}
	return false
}

// Count returns how many numbers the list holds.
func (b Bits) Count() int {
	n := 0
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// Equal tells whether both lists hold the same numbers, whatever their lengths.
func (b Bits) Equal(other Bits) bool {
	for i := range max(len(b), len(other)) {
		if b.at(i) != other.at(i) {
			return false
		}
	}
	return true
}

func (b Bits) at(i int) byte {
	if i < len(b) {
		return b[i]
	}
	return 0
}

func (b Bits) collect(first int, without Bits) []int {
	out := []int{}
	for i, x := range b {
		for x &^= without.at(i); x != 0; x &= x - 1 {
			out = append(out, i*8+bits.TrailingZeros8(x)+first)
		}
	}
	return out
}
