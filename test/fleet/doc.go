// Package fleet lets several workers share many panels and takes workers away: killed, frozen, cut off from Redis, killed
// together with Redis. What it asserts is what keeps a house guarded: how long a panel may be without a worker, that its
// events are stored once and its orders carried out once and in time, and, as the panels saw it, that never two workers
// acted on one panel, whomever of two clients a module throws out.
package fleet
