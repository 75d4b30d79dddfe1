// Package failpoint owns the places where a test may break the program at exactly that
// moment: between a commit and its acknowledgement, between two statements.
//
// In a normal build Hit is an empty function that costs nothing and reads nothing. Built
// with -tags failpoints it obeys DOZOR_FAILPOINTS, a list of orders with ";" between
// them, each carried out once, at the n-th time that the point is hit:
//
//	ingest.before_commit=3:kill
//	relay.after_stamp=1:run:/path/to/program first second
//
// "kill" ends this process as SIGKILL does, with no last word. "run" waits for the
// program, at the point, in the goroutine that hit it: the others go on; arguments are
// divided by blanks. A list that can't be read, or a program that fails, ends the
// process with ExitBroken and a sentence on stderr, since a test that breaks nothing
// proves nothing.
//
// It imports the standard library only.
package failpoint

// The points, named after the package and the moment. The list is for tests to choose
// from; Hit takes any name.
const (
	WorkerAfterPublish  = "worker.after_publish"  // a record is confirmed by the bus, nothing noted yet
	WorkerBeforeCursor  = "worker.before_cursor"  // records are settled, the cursor has not moved
	WorkerMidWalk       = "worker.mid_walk"       // between two records of a walk
	WorkerSegmentOpened = "worker.segment_opened" // the segment's row is committed, no record published
	IngestBeforeCommit  = "ingest.before_commit"  // everything written, the transaction open
	IngestAfterCommit   = "ingest.after_commit"   // committed, nobody told
	IngestBeforeAck     = "ingest.before_ack"     // the last moment at which the bus still holds the messages
	RelayAfterStamp     = "relay.after_stamp"     // positions committed, nothing published
	RelayAfterPublish   = "relay.after_publish"   // published, the mark not raised
	CommandClaimed      = "command.claimed"       // the row says executing, nothing sent
	CommandWritten      = "command.written"       // sent to the panel, no answer recorded
)

// Points lists the named points.
var Points = []string{
	WorkerAfterPublish, WorkerBeforeCursor, WorkerMidWalk, WorkerSegmentOpened,
	IngestBeforeCommit, IngestAfterCommit, IngestBeforeAck,
	RelayAfterStamp, RelayAfterPublish, CommandClaimed, CommandWritten,
}

// Variable is the environment variable that a build with the tag failpoints reads.
const Variable = "DOZOR_FAILPOINTS"

// ExitBroken is the exit code when the orders themselves can't be carried out.
const ExitBroken = 97
