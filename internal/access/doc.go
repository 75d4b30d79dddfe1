// Package access owns who may do what: the principal of a request, the roles, the
// permissions and the one table that says for every route, every frame of the stream and
// every kind of order to a panel which permission it needs.
//
// What has no row in the table is refused. Tests of the table and of the HTTP API hold
// it complete in both directions: no route without a row, no row without a route.
//
// It imports the standard library, ids and wire.
package access
