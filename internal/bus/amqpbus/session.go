package amqpbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// steady is how long a session must have lasted for its end to be followed by a try at once.
const steady = 5 * time.Second

// run keeps a session until the consumer is closed.
func (c *consumer) run() {
	defer close(c.done)
	defer c.cancel()
	var retry backoff
	for c.lifetime.Err() == nil {
		started := time.Now()
		err := c.session(retry.failures)
		report(c.lifetime, c.log, &c.state, err)
		if time.Since(started) >= steady {
			retry = backoff{}
		}
		retry.failed()
		sleep(c.lifetime, retry.left())
	}
}

// errCancelled says that the broker ended the consumer: its queue was deleted or lost its node.
var errCancelled = errors.New("RabbitMQ ended the consumer")

// session connects and takes what the broker sends until the way is lost or the consumer
// closed.
func (c *consumer) session(node int) error {
	conn, err := c.bus.ends.dial(c.lifetime, node, "consume "+string(c.name))
	if err != nil {
		return err
	}
	defer conn.farewell()
	// Whoever closes the consumer does not wait for questions that it has put.
	keep := context.AfterFunc(c.lifetime, conn.drop)
	defer keep()
	if err := c.bus.topology.ensure(conn); err != nil {
		return err
	}
	queue := lanes[c.name].queue
	var ch *amqp.Channel
	var deliveries <-chan amqp.Delivery
	err = conn.call(callLimit, func() (err error) {
		if ch, err = conn.Channel(); err != nil {
			return err
		}
		if err = ch.Qos(c.bus.limits.Window, 0, false); err != nil {
			return err
		}
		deliveries, err = ch.Consume(queue, "", false, false, false, false, nil)
		return err
	})
	if err != nil {
		if isMissing(err) {
			c.bus.topology.declared.Store(false)
		}
		return fmt.Errorf("consume queue %s: %w", queue, err)
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	keep()
	report(c.lifetime, c.log, &c.state, nil)
	c.bus.stats.sessions.Add(1)
	c.enter(newWindow(conn, ch))
	defer c.enter(nil)
	if err := c.pump(ch, deliveries); err != nil {
		return err
	}
	if ch.IsClosed() {
		// The library tells the reason before it closes the deliveries.
		if why := <-closed; why != nil {
			return fmt.Errorf("consume queue %s: %w", queue, why)
		}
	}
	c.bus.topology.declared.Store(false)
	return fmt.Errorf("consume queue %s: %w", queue, errCancelled)
}

func isMissing(err error) bool {
	var said *amqp.Error
	return errors.As(err, &said) && said.Server && said.Code == amqp.NotFound
}

// enter begins or, with nil, ends what batches may settle.
func (c *consumer) enter(w *window) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.window = w
}

// pump moves deliveries into the window; nil: the broker sends no more.
func (c *consumer) pump(ch *amqp.Channel, deliveries <-chan amqp.Delivery) error {
	for {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return nil
			}
			if err := c.admit(ch, &d); err != nil {
				return err
			}
		case <-c.lifetime.Done():
			return context.Cause(c.lifetime)
		}
	}
}

func (c *consumer) admit(ch *amqp.Channel, d *amqp.Delivery) error {
	if d.Type == typeCanary {
		if err := ch.Ack(d.DeliveryTag, false); err != nil {
			return fmt.Errorf("take a canary off queue %s: %w", lanes[c.name].queue, err)
		}
		return nil
	}
	it := &item{msg: decode(c.name, d), delivery: d.DeliveryTag, attempt: deliveries(d)}
	c.mu.Lock()
	c.window.admit(it)
	c.mu.Unlock()
	c.nudge()
	return nil
}
