// Package bustest is the contract of the bus port as a test suite. Every adapter passes
// it unchanged; it knows nothing of what is behind the port.
//
// Each case runs on a good way, and on ways that are cut, stalled, or lose only the
// answers while the case works, and heal again. A case asks of the bus only what the
// port promises, so it takes duplicates and any order, and an Unknown is published
// again, as every real publisher does.
//
// Tests only. It imports bus, the standard library and testify.
package bustest
