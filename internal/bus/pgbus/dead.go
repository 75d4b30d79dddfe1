package pgbus

import (
	"context"
	"fmt"

	"dozor/internal/bus"
)

// maxReason bounds the reason in a dead letter, in bytes.
const maxReason = 1000

const bury = `
INSERT INTO dead_letters (dedup_key, lane, topic, body, trace, reason)
SELECT key, lane, topic, body, trace, $6
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::text[]) AS m (key, lane, topic, body, trace)
ORDER BY key
ON CONFLICT (dedup_key) DO NOTHING`

// bury makes dead letters of messages, one row a key however often it comes. A row that is
// there is the consumer's, who wrote it with the effect and counts in it.
func (b *Bus) bury(ctx context.Context, reason string, dead []bus.Message) error {
	if len(dead) == 0 {
		return nil
	}
	var (
		c     chunk
		lanes []string
	)
	for i, m := range dead {
		c.add(i, m)
		lanes = append(lanes, string(m.Lane))
	}
	reason = asText(reason[:min(len(reason), maxReason)])
	if _, err := b.pool.Exec(ctx, bury, c.keys, lanes, c.topics, c.bodies, c.traces, reason); err != nil {
		return fmt.Errorf("make %d dead letters: %w", len(dead), err)
	}
	return nil
}
