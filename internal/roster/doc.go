// Package roster owns which processes the station is made of: each says of itself every
// two seconds what it is, which roles it plays, and how it sees the parts that it uses and
// could do without (RabbitMQ, Redis).
//
// Two processes may see one part differently, since breakers are of a process; so each
// tells its own view, and whoever asks gets all of them.
//
// What it guarantees: a row is true only while it is said. A process that ended well takes
// its row with it; one that was killed or hangs stays on the list for a minute, not alive.
// A look at a part never waits longer than a second, and a part that hangs delays no other.
//
// It imports pg and pgx.
package roster
