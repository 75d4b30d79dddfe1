// Package secret owns how dozor keeps what must not leak: a keyring that seals values
// for the database, and a string type that does not show itself.
//
// A keyring is a file with one or more Fernet keys, one a line. The first seals; all
// open (MultiFernet). To rotate: put the new key on the first line, seal the stored
// values again with Reseal, then drop the old line; not before a day has gone by, since
// repeated requests are known for that long by a hash under the key of their time. Where
// several processes share a database, each has the new key on its last line first.
//
// It refuses a key file that other users of the machine could read or change, and it
// never says in an error what a key or a sealed value is.
//
// It imports the standard library and fernet-go, nothing of dozor.
package secret
