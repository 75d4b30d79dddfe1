// Package installer looks at one alarm panel from the command line, for who installs it: what it is, what it remembers,
// what it does right now. It needs no station and no database, only a way to the module.
//
// # What it guarantees
//
//   - It changes nothing in the panel, and tries a code once: panels count wrong ones.
//   - An error is one sentence that says what to look at. It never has a code or a key in it.
//   - Watch hears of changes by the module's own messages where the module has them and asks as well, so that a message
//     that never came only delays a line.
//
// A module serves one client: while a station or an app is connected it says that it is taken, and while this package
// looks, they wait. Close the connection in order and the next one is taken at once.
package installer
