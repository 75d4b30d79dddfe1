// Package schedules plays random schedules on the real code of the panel log, ingest and
// relay, over a simulated panel's ring and a real PostgreSQL: drops, crashes, two workers,
// lost, doubled and late messages, a wrapped or erased memory, a database that loses
// nothing and one that loses its last commits. Each schedule is a printed seed.
//
// Checked at the end of each, when everything works again: every readable record has one
// event, what is not there has a declared gap, none has two, the log order is that of the
// panel, positions have no hole, and a screen that stayed connected knows the final state
// of every alarm.
//
// DOZOR_SCHEDULES sets how many are played, DOZOR_SEED the first seed.
package schedules
