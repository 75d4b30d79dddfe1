package sim

import "dozor/satel"

// lists is the number of commands that the news flags of the panel cover.
const lists = 0x38

// troubleSizes are the data lengths of the lists that are no plain bit lists.
var troubleSizes = map[satel.Command]int{
	satel.CmdTroubles1: 47, satel.CmdTroubles2: 26, satel.CmdTroubles3: 60, satel.CmdTroubles4: 30, satel.CmdTroubles5: 31,
	satel.CmdTroublesMemory1: 47, satel.CmdTroublesMemory2: 39, satel.CmdTroublesMemory3: 60,
	satel.CmdTroublesMemory4: 30, satel.CmdTroublesMemory5: 48,
	satel.CmdTroubles6: 45, satel.CmdTroubles7: 47, satel.CmdTroublesMemory6: 45, satel.CmdTroublesMemory7: 48,
	satel.CmdTroubles8: 64, satel.CmdTroublesMemory8: 64,
}

// board is what the panel shows to its module: one list of bits per command, and the flags that say which lists have
// changed since they were read.
type board struct {
	bits     [lists]satel.Bits
	versions [lists]uint64 // how often each list has changed
	changes  uint64        // how often any has
	news     satel.CommandSet
}

func newBoard() *board {
	b := &board{}
	for cmd := range satel.Command(lists) {
		if size := cmd.List().Size(true); size > 0 {
			b.bits[cmd] = make(satel.Bits, size)
		} else if size := troubleSizes[cmd]; size > 0 {
			b.bits[cmd] = make(satel.Bits, size)
		}
	}
	b.raiseAll()
	return b
}

// raiseAll marks every list as changed, as after a restart.
func (b *board) raiseAll() {
	for cmd := range b.bits {
		if b.bits[cmd] != nil {
			b.news = b.news.With(satel.Command(cmd))
		}
	}
}

// has tells whether number n, from 1, is in the list that the command reads.
func (b *board) has(cmd satel.Command, n int) bool { return b.bits[cmd].Has(n) }

// set puts number n, from 1, into the list or takes it out. A change raises the list's flag, which stays up until the
// list is read even when the number changes back before.
func (b *board) set(cmd satel.Command, n int, on bool) {
	if b.bits[cmd].Has(n) == on {
		return
	}
	if on {
		b.bits[cmd].Set(n)
	} else {
		b.bits[cmd].Clear(n)
	}
	b.news = b.news.With(cmd)
	b.versions[cmd]++
	b.changes++
}

// show returns a list. Zones and outputs are cut to 128 numbers unless the wide form is wanted.
func (b *board) show(cmd satel.Command, wide bool) []byte {
	data := b.bits[cmd]
	if size := cmd.List().Size(wide); size > 0 {
		data = data[:size]
	}
	return append([]byte(nil), data...)
}

// any tells whether one of the commands' lists holds anything.
func (b *board) any(cmds ...satel.Command) bool {
	for _, cmd := range cmds {
		if b.bits[cmd].Any() {
			return true
		}
	}
	return false
}
