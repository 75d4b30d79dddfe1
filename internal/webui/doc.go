// Package webui serves the web client: the built files of web/, embedded in the program,
// or those of a directory while somebody works on the client.
//
// It guarantees that a browser never runs a stale client (index.html is asked for each
// time, files with a hash in their name are kept for ever), that no page of the client
// runs a script or talks to a host that is not this server's own (Content-Security-
// Policy), and that the embedded build is the one of the sources beside it, by test.
// It refuses anything but GET and HEAD, and never answers for /api: an unknown address
// there must stay an error of the API.
//
// It imports the standard library only.
package webui
