// Package station owns a whole alarm monitoring station made of real processes, for the tests that break it: PostgreSQL
// with all its durability, RabbitMQ and Redis where asked for, simulated panels in a process of their own, which survives what is done to the rest, and dozor
// in as many processes as a test wants, built with the race detector and with failpoints.
//
// A Station is made of:
//
//   - Instances: dozor serve, each with its roles, addresses that stay over restarts, and its orders to fail;
//   - the Simulator: panels that are acted on, and asked for the truth, over their control API;
//   - the Town: what people, burglars and operators do meanwhile, by a seed;
//   - a Screen: a client that follows the stream by its rules and remembers every frame;
//   - Compare: whether what the panels recorded, what the database holds, what the screen saw and what the panels were told
//     to do is one and the same story.
//
// Whatever a test does, at its end no process may have reported a data race, an error that somebody must act on, or ended by
// itself. When the test fails, the logs are printed and kept.
//
// Tests only. It may import anything.
package station
