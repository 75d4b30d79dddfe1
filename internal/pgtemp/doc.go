// Package pgtemp owns a private PostgreSQL: made from the binaries on the machine, in a
// directory of its own, reachable over a Unix socket only, ended with the process that
// started it. The demo and the tests run on it.
//
// Started by root it runs as an unprivileged user, since PostgreSQL refuses root; where
// that user can't reach the chosen directory, the cluster lies in one that it can, and
// Server.Dir says where.
//
// It can be killed as by a power cut and frozen as on a host that hangs; a frozen one ends
// with our process too.
//
// It imports child, the standard library and pgx.
package pgtemp
