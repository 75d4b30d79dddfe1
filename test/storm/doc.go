// Package storm lets everything that can go wrong with panels and their links go wrong at once, by a seed, while alarms
// are raised and orders given: dropped, hung, damaged and slow links, clients that vanish, restarts, clocks that jump,
// memories that come round. What the panels recorded must then be in the database exactly once, what a memory has
// overwritten must be said, and every order must have one result.
package storm
