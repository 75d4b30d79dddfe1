// Package resilience owns the circuit breakers in front of the parts that the station can
// do without: three failures in a row open one, then nobody waits for that part any more;
// after a while a canary asks, never an alarm, and its answer decides.
//
// A breaker is of one process, so two processes may disagree: whoever uses one must be
// right with the part and without it at any moment.
//
// It imports failsafe-go (which nothing else of dozor does) and the standard library.
package resilience
