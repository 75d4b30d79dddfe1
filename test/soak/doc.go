// Package soak lets twenty publishers and twenty consumers work over a bus whose ways are
// cut, stalled and deafened at random, and whose processes forget what they hold: what was
// confirmed arrives, and counts once by its key. It does so for each adapter and for the
// publisher over both.
//
// A run takes DOZOR_SOAK (3s), from the seed DOZOR_SEED (random, printed). The faults come
// by the seed, their moments by the machine.
package soak
