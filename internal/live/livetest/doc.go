// Package livetest is the contract of the live port as a test suite: states, leases and
// fan-out. Every adapter passes it unchanged; it knows nothing of what is behind.
//
// Each case runs on a good way, and on ways that are cut, stalled, or lose only the
// answers while the case works, and heal again. Operations that may be repeated are,
// until they succeed; what a lost grant leaves behind must run out by itself.
//
// Tests only. It imports live, ids, the standard library, testify and go-cmp.
package livetest
