package app

import (
	"context"

	"dozor/internal/bus/amqpbus"
	"dozor/internal/integration"
	"dozor/internal/lifecycle"
	"dozor/internal/resilience"
)

// notifier is the broker as integrations are told through it.
type notifier struct {
	broker  *amqpbus.Bus
	breaker *resilience.Breaker
}

func (n notifier) Usable() bool { return n.breaker.Closed() }

func (n notifier) Notify(ctx context.Context, notes []integration.Note) error {
	all := make([]amqpbus.Notification, len(notes))
	for i, note := range notes {
		all[i] = amqpbus.Notification(note)
	}
	return n.broker.Notify(ctx, all)
}

// integrations hand the stream to the broker.
func (c *core) integrations() lifecycle.Service {
	wakes, stop := c.hints.Subscribe(channelOutbox)
	publisher := integration.New(integration.Config{
		Pool: c.pool, Broker: notifier{c.broker, c.brokerBreaker}, Holder: c.instance, Wakes: wakes, Logger: c.log, Metrics: c.registry,
	})
	return lifecycle.Service{Name: "integrations", Run: func(ctx context.Context) error { defer stop(); return publisher.Run(ctx) }}
}
