// Package hedge publishes over a broker that carries the load, and over PostgreSQL at once
// what the broker does not confirm in time.
//
// What it guarantees beyond bus.Publisher:
//   - an alarm never waits for anybody to find out that the broker is dead or hung: past
//     the hedge the same message goes out over the second bus;
//   - a broker that failed thrice is left alone by its breaker until a canary comes back;
//   - a message that is published again, because nobody has seen its effect, goes the
//     other way: a bus may confirm, and yet nobody take what it holds.
//
// The price is that a message may travel twice; consumers are idempotent by its key, as
// the port demands of them anyway. They consume both buses always, since breakers of
// other processes may say otherwise.
//
// It imports the bus port and package resilience.
package hedge
