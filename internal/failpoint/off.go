//go:build !failpoints

package failpoint

// Enabled reports whether this build obeys orders.
const Enabled = false

// Hit says that the program has come to a point. Safe for concurrent use.
func Hit(string) {}
