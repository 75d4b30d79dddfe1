package pgbus

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"dozor/internal/bus"
)

const (
	// One statement takes at most so many messages and bytes of bodies.
	maxInsertRows  = 1000
	maxInsertBytes = 8 << 20
)

// Publish implements bus.Publisher: one INSERT a lane, more for very many messages. A
// message is Refused when it can never be accepted: no key, no such lane, a body longer
// than MaxBody, a topic that is no text. Every failure of the database is Unknown: a
// commit may have been done although its answer was lost.
func (b *Bus) Publish(ctx context.Context, msgs []bus.Message) []bus.Outcome {
	outcomes := make([]bus.Outcome, len(msgs))
	chunks := map[bus.Lane]*chunk{}
	flush := func(l *lane, c *chunk) {
		outcome := bus.Confirmed
		if err := b.insert(ctx, l, c); err != nil {
			outcome = bus.Unknown
			b.log.Debug("messages not confirmed", "lane", l.name, "err", err)
		}
		for _, i := range c.index {
			outcomes[i] = outcome
		}
		// Also after an error: they may be there.
		b.hints.Hint(Channel(l.name))
		*c = chunk{}
	}
	for i, m := range msgs {
		l, ok := lanes[m.Lane]
		if !ok || m.Key == (bus.Key{}) || len(m.Body) > bus.MaxBody || !isText(m.Topic) {
			outcomes[i] = bus.Refused
			continue
		}
		c := chunks[m.Lane]
		if c == nil {
			c = &chunk{}
			chunks[m.Lane] = c
		}
		if len(c.index) == maxInsertRows || c.bytes+len(m.Body) > maxInsertBytes {
			flush(l, c)
		}
		c.add(i, m)
	}
	for _, name := range bus.Lanes {
		if c := chunks[name]; c != nil {
			flush(lanes[name], c)
		}
	}
	b.count(outcomes)
	return outcomes
}

func (b *Bus) count(outcomes []bus.Outcome) {
	for _, o := range outcomes {
		switch o {
		case bus.Confirmed:
			b.stats.confirmed.Add(1)
		case bus.Refused:
			b.stats.refused.Add(1)
		case bus.Unknown:
			b.stats.unknown.Add(1)
		}
	}
}

func (b *Bus) insert(ctx context.Context, l *lane, c *chunk) error {
	known := b.writing[l.name]
	var writing int32
	row := b.pool.QueryRow(ctx, l.insert[known.Load()], c.keys, c.topics, c.traces, c.bodies)
	// An error of the commit comes after the row; Scan waits for the end and returns it.
	if err := row.Scan(&writing); err != nil {
		return fmt.Errorf("publish %d messages on lane %s: %w", len(c.index), l.name, err)
	}
	known.Store(writing)
	return nil
}

// chunk is the messages of one INSERT, by column.
type chunk struct {
	index  []int // of the message in what was given to Publish
	bytes  int
	keys   [][]byte
	topics []string
	traces []string
	bodies [][]byte
}

func (c *chunk) add(i int, m bus.Message) {
	c.index = append(c.index, i)
	c.bytes += len(m.Body)
	c.keys = append(c.keys, m.Key[:])
	c.topics = append(c.topics, m.Topic)
	c.traces = append(c.traces, asText(m.Trace))
	body := m.Body
	if body == nil {
		body = []byte{} // a nil slice would be NULL
	}
	c.bodies = append(c.bodies, body)
}

// isText says whether PostgreSQL takes it as a text.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// asText makes a text of what is only for people and tracing, where nothing is worth
// refusing a message for.
func asText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
