package pgbus

import (
	"context"
	"fmt"

	"dozor/internal/bus"
)

// maxReason bounds the reason in a dead letter, in bytes.
const maxReason = 1000

const bury = `
INSERT INTO dead_letters AS d (dedup_key, lane, topic, body, trace, reason, seen)
SELECT key, lane, topic, body, trace, $6, seen
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::text[], $7::int[]) AS m (key, lane, topic, body, trace, seen)
ORDER BY key
ON CONFLICT (dedup_key) DO UPDATE SET seen = d.seen + excluded.seen, last_seen_at = dozor_now()`

// bury makes dead letters of messages, one row a key however often it comes.
func (b *Bus) bury(ctx context.Context, reason string, dead []bus.Message) error {
	if len(dead) == 0 {
		return nil
	}
	var (
		c     chunk
		lanes []string
		seen  []int32
		at    = map[bus.Key]int{}
	)
	for i, m := range dead {
		if n, ok := at[m.Key]; ok {
			seen[n]++
			continue
		}
		at[m.Key] = len(seen)
		c.add(i, m)
		lanes, seen = append(lanes, string(m.Lane)), append(seen, 1)
	}
	reason = asText(reason[:min(len(reason), maxReason)])
	if _, err := b.pool.Exec(ctx, bury, c.keys, lanes, c.topics, c.bodies, c.traces, reason, seen); err != nil {
		return fmt.Errorf("make %d dead letters: %w", len(seen), err)
	}
	return nil
}
