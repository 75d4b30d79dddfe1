package pgbus

import "time"

// limits are the numbers that bound memory, tables and waiting. Tests make them small.
type limits struct {
	window       int   // messages in memory with their bodies, ready or handed out
	windowBytes  int   // and the sum of their bodies, exceeded by one reading at most
	readRows     int   // rows of one reading
	maxPutOff    int   // messages put off, in memory without their bodies
	maxHoles     int   // intervals of missing ids that are looked for
	turnRows     int64 // rows in the written table that are reason enough to turn
	turnSomeRows int64 // rows that are reason after turnSome
	turnSome     time.Duration
	turnAny      time.Duration // any row is reason after that

	moveAfter time.Duration // how long a message stays unsettled before it is moved
	moveRows  int           // messages of one move
	moveSpan  int64         // ids between settled and top, beyond which held ones are moved

	poll        time.Duration // a reading without a hint; writing down what is settled
	settleRest  time.Duration // writing it down where nothing is left unsettled
	minInterval time.Duration // between two readings, so that a flood of hints is no busy loop
	standby     time.Duration // between two tries for the lock
	statement   time.Duration // for one statement, so that a way that hangs is left
	idle        time.Duration // silence after which the server ends the session and its lock
	retryMax    time.Duration // between two tries to connect or to empty a table
}

var defaultLimits = limits{
	window: 4000, windowBytes: 32 << 20, readRows: 500, maxPutOff: 100_000, maxHoles: 100_000,
	turnRows: 20_000, turnSomeRows: 1000, turnSome: 30 * time.Second, turnAny: 10 * time.Minute,
	moveAfter: 10 * time.Second, moveRows: 500, moveSpan: 5000,
	poll: 500 * time.Millisecond, settleRest: 50 * time.Millisecond, minInterval: time.Millisecond, standby: 250 * time.Millisecond,
	statement: 4 * time.Second, idle: 5 * time.Second, retryMax: 2 * time.Second,
}

func (l limits) worthReading() int { return max(1, min(l.window, l.readRows)/4) }
