// Package child owns what the private servers of dozor (PostgreSQL, RabbitMQ, Redis) have
// in common: the unprivileged account that they run as when started by root, a folder and a
// socket's folder that this account can reach, free ports, what a folder says of who works
// in it, a process that ends with ours, and a server that is started, asked until it is
// ready, ended, and started again. The demo's own processes are children of this kind too.
//
// It knows of what it starts only what a Kind and a Serving say, and imports the standard
// library only.
package child
