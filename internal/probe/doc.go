// Package probe owns the look at a panel before it is trusted: who answers at an address,
// whether it is a panel, whether its user code is right, and what it calls its parts.
//
// A probe is one connection of at most Limit, tried once: modules lock out who tries wrong
// codes, and take one client at a time. It changes nothing in the panel. Names come as far
// as the time reaches, partitions first; a result says whether they are all. What is wrong
// becomes a classified error with a code of its own and a sentence that helps.
//
// It never logs or returns the code or the integration key. Whether the address is that of a panel which dozor
// holds itself is the caller's to know.
//
// It imports satel, satel/client, errs, event (the zone of panels' clocks), secret and site.
package probe
