// Package config owns what can be set: one struct a command, filled from flags and the
// environment, checked as a whole, shown at start without its secrets. Nothing else in
// dozor reads the environment.
//
//   - A flag wins over its variable, a variable over the default. An empty variable is
//     as good as none.
//   - A secret comes from its variable X or from the file that X_FILE names, without the
//     line break at its end; both together are refused. On the command line it is
//     refused: anybody on the machine can list processes.
//   - All problems are found in one pass and named by variable and flag. No message
//     shows the value of a secret.
//
// It imports the standard library, kong, secret and obs.
package config
