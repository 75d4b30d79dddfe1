package amqpbus

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/bus"
)

// Headers of a message. What matters stands outside of the body, so that one whose body
// nobody can read is settled all the same.
const (
	headerTrace  = "traceparent"
	headerLane   = "lane"
	headerTopic  = "topic" // of a dead letter
	headerReason = "reason"

	headerDeliveries = "x-delivery-count" // by the broker

	// typeCanary marks a message that only tries the way; consumers swallow it.
	typeCanary = "dozor.canary"
)

const (
	maxTopic  = 255  // bytes: what the protocol takes as a routing key
	maxTrace  = 512  // bytes: a longer one is left out
	maxReason = 1000 // bytes
)

// publishing is one message on its way to an exchange.
type publishing struct {
	key       string // routing key
	mandatory bool
	msg       amqp.Publishing
}

func persistent(id, kind string, headers amqp.Table, body []byte) amqp.Publishing {
	return amqp.Publishing{
		MessageId: id, Type: kind, Headers: headers, Body: body,
		DeliveryMode: amqp.Persistent, Timestamp: time.Now().UTC(), ContentType: "application/octet-stream",
	}
}

func headersOf(m bus.Message) amqp.Table {
	headers := amqp.Table{headerLane: string(m.Lane)}
	if m.Trace != "" && len(m.Trace) <= maxTrace {
		headers[headerTrace] = m.Trace
	}
	return headers
}

// acceptable says whether a message can ever be taken.
func acceptable(m bus.Message) bool {
	_, ok := lanes[m.Lane]
	return ok && m.Key != (bus.Key{}) && len(m.Body) <= bus.MaxBody && len(m.Topic) <= maxTopic
}

func encode(m bus.Message) publishing {
	return publishing{key: m.Topic, mandatory: true, msg: persistent(hex.EncodeToString(m.Key[:]), "", headersOf(m), m.Body)}
}

func encodeDead(m bus.Message, reason string) publishing {
	p := encode(m)
	p.msg.Headers[headerTopic] = m.Topic
	p.msg.Headers[headerReason] = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	return p
}

// decode reads a delivery of a lane. One that nobody of us published may have no key; it
// gets one made of what it has, so that it can be settled as unreadable like any other.
func decode(name bus.Lane, d *amqp.Delivery) bus.Message {
	m := bus.Message{Lane: name, Topic: d.RoutingKey, Body: d.Body}
	m.Trace, _ = d.Headers[headerTrace].(string)
	if raw, err := hex.DecodeString(d.MessageId); err == nil && len(raw) == len(m.Key) {
		m.Key = bus.Key(raw)
	}
	if m.Key == (bus.Key{}) {
		sum := sha256.New()
		_, _ = sum.Write([]byte(d.MessageId + "\x00" + d.RoutingKey + "\x00"))
		_, _ = sum.Write(d.Body)
		m.Key = bus.Key(sum.Sum(nil)[:len(m.Key)])
	}
	return m
}

// deliveries says how often the broker has had the message back before.
func deliveries(d *amqp.Delivery) int {
	switch n := d.Headers[headerDeliveries].(type) {
	case int64:
		return int(n)
	case int32:
		return int(n)
	}
	if d.Redelivered {
		return 1
	}
	return 0
}
