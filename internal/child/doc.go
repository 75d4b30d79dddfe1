// Package child owns what the private servers of dozor (PostgreSQL, RabbitMQ, Redis) have
// in common: the unprivileged account that they run as when started by root, a folder and a
// socket's folder that this account can reach, what a folder says of who works in it, and a
// process that ends with ours. The demo's own processes are children of this kind too.
//
// It knows of what it starts only what a Kind says, and imports the standard library only.
package child
