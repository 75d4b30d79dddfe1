// Package tiers is the live port of a station as it runs: Redis carries the load while it
// can be used, PostgreSQL always stands beneath it and takes over where it can't. Without
// an address of Redis it is PostgreSQL alone, by the same code.
//
// A breaker (package resilience) says whether this process uses Redis. Other processes may
// disagree, so everything here is right whatever they do:
//
//   - States. PostgreSQL gets every value, Redis in addition. Values are read from Redis
//     only as far as Keep has compared them with PostgreSQL's a moment ago: a panel that
//     Redis has an older value of (its worker could not reach it; it was emptied; another
//     server took its place) is read from PostgreSQL, and put right in Redis.
//   - Fan-out. Redis hears every frame while the relay's process uses it; else PostgreSQL's
//     hint says that there is something in the outbox. A subscription hears both, and reads
//     what is missing from the outbox. What Redis has missed is a hole in its buffer, which
//     Range sees and Keep fills.
//   - Leases. One row in PostgreSQL says which store grants. Whoever can't use Redis moves
//     the right to PostgreSQL and says so; it returns once nobody has complained for a
//     minute. After a move only what was given back is granted for a time to live and a
//     margin: by then each holder has renewed where leases are granted now. A grant in the
//     wrong store is impossible, since both check the row in the statement that makes it.
//
// Mandate over time, for a station whose Redis dies and returns:
//
//	redis --a worker's breaker opens--> postgres (holders go on; grants wait) --a minute
//	without a complaint--> redis (holders put their leases there; grants wait)
//
// It imports live, pglive, redislive, resilience, pg and ids.
package tiers
