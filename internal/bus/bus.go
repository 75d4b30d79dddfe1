package bus

import (
	"context"
	"errors"
	"time"
)

// Lane is one of the two roads for events. A hold-up on the live lane never waits
// behind somebody's three days of history on the other.
type Lane string

// The lanes, each with its own queue and its own consumers.
const (
	Live     Lane = "live"
	Backfill Lane = "backfill"
)

// Lanes lists them all, the urgent one first.
var Lanes = []Lane{Live, Backfill}

// Key identifies a message outside of its body, so that one whose body nobody can read
// is settled all the same. For events it is the dedup key.
type Key [16]byte

// Message is one thing to be carried.
type Message struct {
	Key   Key
	Lane  Lane
	Topic string // routing key: satel.alarm.{panel}, satel.event.{panel}, station.{kind}
	Trace string // W3C traceparent
	Body  []byte // a versioned envelope of package wire; at most MaxBody bytes
}

// MaxBody bounds a message's body in bytes; a longer one is Refused.
const MaxBody = 64 << 10

// Outcome says what is known of one published message.
type Outcome int

// The outcomes. Unknown is the honest answer when a connection died before the
// confirm: the message may or may not be there, so it is sent again, and consumers
// are idempotent by Key.
const (
	Unknown Outcome = iota
	Confirmed
	Refused
)

// Publisher puts messages on the bus.
type Publisher interface {
	// Publish sends the messages and waits until each has an outcome or ctx ends. The
	// outcomes are in the order of the messages, always as many. Safe for concurrent
	// use. It never returns Confirmed for a message that is not durable.
	Publish(ctx context.Context, msgs []Message) []Outcome
}

// ErrReturned is wrapped by errors of a batch that is no longer the consumer's: its
// session was lost, or the consumer closed. Nothing was settled by that call, and what
// was not settled before comes again.
var ErrReturned = errors.New("the deliveries went back to the bus")

// ErrClosed is what a closed consumer answers.
var ErrClosed = errors.New("the consumer is closed")

// Delivery is one message at a consumer.
type Delivery struct {
	Message
	// Attempt counts deliveries of this message as far as the adapter knows, from 1.
	Attempt int
	// Tag is the adapter's own handle of this delivery, opaque to consumers. A tag
	// that was settled before is passed over.
	Tag uint64
}

// Batch is what a consumer got at once. Every delivery must be settled once, by Ack,
// Later or Dead, or by Close of the consumer, which gives all that is unsettled back.
type Batch interface {
	Deliveries() []Delivery
	// Ack settles deliveries whose effect is committed.
	Ack(ctx context.Context, tags ...uint64) error
	// Later gives deliveries back, to come again after at least delay. It never uses
	// up anything: a temporary error may last for days.
	Later(ctx context.Context, delay time.Duration, tags ...uint64) error
	// Dead sets deliveries aside for a person, with the reason. The caller has done,
	// or does not need, what must happen with it (a dead letter's alarm).
	Dead(ctx context.Context, reason string, tags ...uint64) error
}

// Consumer takes messages of one lane. No order is promised. A message may come more
// than once: after a Later, a lost connection, a crash.
type Consumer interface {
	// Receive waits for at least one message and returns at most max of them. It
	// returns ctx's error when ctx ends first, ErrClosed after Close, and nothing
	// else: an adapter that lost its way reconnects meanwhile. One caller at a time; several batches
	// may be unsettled at once, up to the adapter's window.
	Receive(ctx context.Context, max int) (Batch, error)
	// Close ends the consumer and gives back what is unsettled. Idempotent.
	Close() error
}

// Bus is both ends, as one adapter offers them.
type Bus interface {
	Publisher
	// Consume opens a consumer of a lane. Several may be open, in one process or in
	// many; each message goes to one of them at a time.
	Consume(ctx context.Context, lane Lane) (Consumer, error)
	// Depth says how many messages of a lane wait or are unsettled.
	Depth(ctx context.Context, lane Lane) (int64, error)
}
