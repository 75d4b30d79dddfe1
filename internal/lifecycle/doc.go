// Package lifecycle owns how long-running work begins and ends in one process.
//
// A service is a function that runs until its context ends and returns when all that
// it started has ended. A Group runs services in stages:
//
//   - stages begin in the order in which they were added; a stage's services together;
//   - when the group's context ends, or an essential service does, stages end in the
//     reverse order: the last one's context is cancelled, its services are waited for,
//     then comes the stage before it;
//   - the whole drain is bounded. Every stage has a turn of its own even when one
//     before it hangs; what did not end in its turn is named in the error;
//   - a service that ends by itself with an error, or panics, is started again after a
//     growing pause, for ever: a station that can't reach its database waits for it.
//     One marked Essential ends the group instead.
//
// It refuses to start anything in a constructor and to run a group twice.
//
// It imports the standard library only.
package lifecycle
