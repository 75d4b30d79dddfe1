// Package wire owns the forms in which things travel: the envelope of an event on the
// bus, and what frames of the stream and answers of the API say of an alarm, an event,
// a command. They are versioned and tolerant: a reader ignores members it does not
// know, a writer adds and never changes the meaning of one.
//
// It imports the standard library and ids.
package wire
