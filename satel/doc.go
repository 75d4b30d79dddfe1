// Package satel speaks the integration protocol of SATEL INTEGRA alarm panels, as the network module ETHM-1 offers it
// over TCP: frames and their encrypted form, commands, answers, user codes, the event memory and its records, and the
// tables of events and types that give them a meaning.
//
// It is pure: no connection, no clock, no goroutine, no logging. It imports the standard library and the code page table
// of golang.org/x/text and nothing else; anybody may import it. Package satel/client holds a connection to a module and
// satel/sim is a panel made of software; both stand on this package, which therefore has each conversion in both
// directions: what it parses it also builds.
//
// # Facts
//
// The protocol is the maker's description of 2014 with the additions that ETHM-1 Plus brought and that several free
// drivers run against real panels. The tables lie in data: events.csv has every event code with its restore, the sort,
// priority and wording that an operator sees; event_kinds.csv says how to read the record of each; types.csv names the
// codes of zone reactions, partitions, modules and outputs. testdata/vectors.json has bytes and their meaning, made by
// an independent implementation or captured; the tests run all of it. The environment variable SATEL_VECTORS names a
// further file of the same shape, for captures that must not be published.
//
// # What it guarantees
//
//   - Decoder never panics, never delivers a frame that was not on the wire byte for byte, and delivers the next whole
//     frame after whatever garbage. It holds at most what was written and not yet taken.
//   - No parser panics, whatever the data; lengths and fields are checked, and errors wrap ErrLength or ErrValue.
//   - Text that a parser returns is valid UTF-8 without control characters.
//   - No error carries a user code or a key.
//   - What is not known is said: a code without a row in the table is delivered as unknown, with its raw fields.
//
// # Ownership
//
// Frames from a Decoder share its memory until the next call of Next. Everything that the other functions return is the
// caller's own. Functions named Append add to a slice of the caller's.
//
// # Numbers
//
// Zones, partitions, outputs, users, timers and objects count from 1 as they do on keypads; expanders and keypads are
// bus addresses from 0. A panel's clock is local time without a zone: the caller says which location it stands in.
//
// # Encrypted mode
//
// A module may be set to encrypt the integration. Cipher is that encryption: a Message wraps one frame, and each message
// stands by itself. It keeps strangers from reading along; it is not proof against one who changes what is on the wire,
// since nothing but the frame's check value notices.
package satel
