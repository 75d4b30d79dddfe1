// Package bench measures dozor as it runs: real processes, a real PostgreSQL with fsync,
// simulated panels on TCP, clients on WebSockets.
//
// Alarm times the way from a panel to the screens; Ingest the way from the bus to the
// wire, beside what the same PostgreSQL does with the same rows alone; Panels what holding
// many panels costs a worker, beside polling them with the client alone; Screen what a
// browser makes of it; Push what sending to thousands of clients costs, beside another
// server with as many. They start child
// processes of the running program, so that CPU and memory are counted for each, and end
// them whatever happens: a child dies with its bench.
//
// What it guarantees: every figure was measured in this run; what the panels recorded, or
// what was published, is compared with what each client got, and a run in which anything
// was lost or doubled is an error. Alarm's figures stand beside the floor that the panel's
// protocol sets, so that they measure dozor and not the panel.
//
// It refuses to guess: CPU of processes that it did not start is not reported.
//
// It is a client of the whole: it may import any package but app.
package bench
