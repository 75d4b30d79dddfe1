// Package presence owns who sits where: which windows are connected to which API
// instance, whether each can sound, is visible, and which alarm it shows.
//
// A window says it to the instance that it is connected to; that instance writes all of
// its windows in one statement every two seconds, and at once when one changed, and
// reads everybody's each second. Nothing of it is kept: a row goes with its connection,
// counts for ten seconds without a refresh (its instance is dead), and a crash of the
// database takes all of them until they are said again.
//
// A connection alone proves little: a frozen page still answers pings. So a window that
// has said nothing for longer than browsers slow down hidden pages counts as left.
//
// What it guarantees: at most MaxDesks windows an instance and in the list; a window
// is in the list once, however many connections it has; whoever asks which desk can
// sound (selfwatch) finds the same rows, and when one last could.
//
// It imports pg, wire, ids and the metrics client.
package presence
