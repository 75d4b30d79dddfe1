// Package faultproxy stands between a client and a server in tests and breaks the way:
// it cuts connections, stalls them, or drops only what the server answers. It knows
// nothing of what it carries, so that it serves PostgreSQL, RabbitMQ and Redis alike.
//
// Tests only. It imports the standard library.
package faultproxy
