package amqpbus

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/bus"
)

// Names on the broker.
const (
	// NotificationsExchange is where integrations bind queues of their own.
	NotificationsExchange = "notifications"
	// DeadExchange and DeadQueue hold what was set aside.
	DeadExchange = "events.dead"
	DeadQueue    = "events.dead"
)

// lane is where the messages of a bus.Lane go.
type lane struct{ exchange, queue string }

// A topic exchange can't bind "all keys but those", so each lane has one of its own, and
// the keys are those that integrations know.
var lanes = map[bus.Lane]lane{
	bus.Live:     {exchange: "satel", queue: "events.processing"},
	bus.Backfill: {exchange: "satel.backfill", queue: "events.backfill"},
}

// Arguments of the queues. The broker compares them with each declaration, so changing
// one means deleting the queue of every installation.
const (
	// maxWaiting bounds a lane; a full one refuses. More than 500 panels' memories of 500 records.
	maxWaiting = 500_000
	// deliveryLimit is how often a message may come back before the broker sets it aside.
	// Only a consumer that died or lost its connection uses one up.
	deliveryLimit = 1000
	// maxDead bounds the dead letters, which ingest has written down before.
	maxDead = 10_000
)

type declaredQueue struct {
	name, exchange string
	args           amqp.Table
}

var (
	exchanges = []struct{ name, kind string }{
		{lanes[bus.Live].exchange, amqp.ExchangeTopic},
		{lanes[bus.Backfill].exchange, amqp.ExchangeTopic},
		{DeadExchange, amqp.ExchangeFanout},
		{NotificationsExchange, amqp.ExchangeTopic},
	}
	queues = []declaredQueue{
		{DeadQueue, DeadExchange, amqp.Table{
			"x-queue-type": "quorum", "x-max-length": int64(maxDead), "x-overflow": "drop-head",
		}},
		{lanes[bus.Live].queue, lanes[bus.Live].exchange, laneArgs()},
		{lanes[bus.Backfill].queue, lanes[bus.Backfill].exchange, laneArgs()},
	}
)

// laneArgs: at-least-once dead-lettering needs reject-publish.
func laneArgs() amqp.Table {
	return amqp.Table{
		"x-queue-type": "quorum", "x-max-length": int64(maxWaiting), "x-overflow": "reject-publish",
		"x-delivery-limit":       int64(deliveryLimit),
		"x-dead-letter-exchange": DeadExchange, "x-dead-letter-strategy": "at-least-once",
	}
}

// TopologyError says that the broker has a queue or an exchange of a name of ours that is
// not as it must be. Only a person can mend it; until then the bus is down.
type TopologyError struct {
	Kind   string // "queue" or "exchange"
	Name   string
	Wanted string
	Said   string // the broker's own words, with what is there
}

// Error implements error.
func (e *TopologyError) Error() string {
	return fmt.Sprintf("RabbitMQ has another %s %q than dozor needs: wanted %s; RabbitMQ says: %s; "+
		"empty and delete that %s (rabbitmqctl delete_%s %s), or give dozor a virtual host of its own; it is declared anew within seconds",
		e.Kind, e.Name, e.Wanted, e.Said, e.Kind, e.Kind, e.Name)
}

// declare makes what is missing. The channel is unusable after an error.
func declare(ch *amqp.Channel) error {
	for _, x := range exchanges {
		if err := ch.ExchangeDeclare(x.name, x.kind, true, false, false, false, nil); err != nil {
			return foreign("exchange", x.name, "a durable one of type "+x.kind, err)
		}
	}
	for _, q := range queues {
		if _, err := ch.QueueDeclare(q.name, true, false, false, false, q.args); err != nil {
			return foreign("queue", q.name, "a durable one with "+describe(q.args), err)
		}
		if err := ch.QueueBind(q.name, "#", q.exchange, false, nil); err != nil {
			return fmt.Errorf("bind queue %s to exchange %s: %w", q.name, q.exchange, err)
		}
	}
	return nil
}

func describe(args amqp.Table) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, args[name]))
	}
	return strings.Join(parts, ", ")
}

// foreign turns the broker's refusal into a TopologyError.
func foreign(kind, name, wanted string, err error) error {
	var said *amqp.Error
	if errors.As(err, &said) && said.Server && (said.Code == amqp.PreconditionFailed || said.Code == amqp.ResourceLocked) {
		return &TopologyError{Kind: kind, Name: name, Wanted: wanted, Said: said.Reason}
	}
	return fmt.Errorf("declare %s %s: %w", kind, name, err)
}
