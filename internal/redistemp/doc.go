// Package redistemp owns a private Redis: started from the server on the machine, in a
// directory of its own, behind a random password, ended with the process that started
// it. The demo and the tests run on it.
//
// It listens on a Unix socket in its own directory, and on the loopback address only if
// asked to. What it confirmed outlives Kill and a restart (append-only file, written out
// each second: only a power cut can take the last one). The password stands in the
// configuration file, never in a command line.
//
// Started by root it runs as an unprivileged user; where that user can't reach the
// chosen directory, the server lies in one that it can, and Server.Dir says where.
//
// It imports child and the standard library.
package redistemp
