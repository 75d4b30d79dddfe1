// Package testkit owns what tests need of the real world: a private PostgreSQL with a
// migrated database for each test, a private Redis, a private RabbitMQ, a logger that fails the test on an
// error, and the end of the test process without leaks. Tests only; it may import
// anything.
package testkit
