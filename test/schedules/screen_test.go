package schedules

import (
	"context"
	"encoding/json"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// screen is a client that stays connected, and the fan-out that it hears. It follows
// the rules of the wire: drop what it has, read the table at a hole, load anew when the
// epoch changed, keep the alarm of the higher version.
type screen struct {
	s        *station
	at       wire.StreamPosition
	versions map[ids.AlarmID]int64
	events   map[ids.EventID]int64 // by the epoch in which it came
	deaf     bool                  // the fan-out loses what is published
}

func newScreen(s *station) *screen {
	c := &screen{s: s, versions: map[ids.AlarmID]int64{}, events: map[ids.EventID]int64{}}
	c.load()
	return c
}

func (c *screen) Publish(_ context.Context, frames []live.Frame) error {
	if c.deaf {
		return nil
	}
	for _, f := range frames {
		if f.Epoch < c.at.Epoch || f.Epoch == c.at.Epoch && f.Position <= c.at.Position {
			continue
		}
		if f.Epoch > c.at.Epoch || f.Position != c.at.Position+1 {
			c.catchUp()
			continue
		}
		c.take(f)
	}
	return nil
}

func (c *screen) Subscribe(context.Context, func([]live.Frame)) error { return nil }

func (c *screen) Range(context.Context, int64, int64, int64, int) ([]live.Frame, bool, error) {
	return nil, false, nil
}

// catchUp is what the heartbeat's head tells: there is more, or it is another stream.
func (c *screen) catchUp() {
	head, err := outbox.Head(context.Background(), c.s.db.Pool)
	require.NoError(c.s.t, err)
	if head.Epoch != c.at.Epoch {
		require.Greater(c.s.t, head.Epoch, c.at.Epoch, "epochs only grow")
		c.load()
		return
	}
	require.GreaterOrEqual(c.s.t, head.Position, c.at.Position, "within an epoch positions only grow")
	for c.at.Position < head.Position {
		frames, err := outbox.Frames(context.Background(), c.s.db.Pool, head.Epoch, c.at.Position, head.Position, 500)
		require.NoError(c.s.t, err)
		require.NotEmpty(c.s.t, frames, "no frame after %d although the head is %d", c.at.Position, head.Position)
		for _, f := range frames {
			require.Equal(c.s.t, c.at.Position+1, f.Position, "a hole in the stream")
			c.take(f)
		}
	}
}

// load reads the alarms as a list does: the head first.
func (c *screen) load() {
	ctx := context.Background()
	head, err := outbox.Head(ctx, c.s.db.Pool)
	require.NoError(c.s.t, err)
	c.at = head
	clear(c.versions)
	rows, err := c.s.db.Pool.Query(ctx, "SELECT id, version FROM alarms")
	require.NoError(c.s.t, err)
	for rows.Next() {
		var id ids.AlarmID
		var version int64
		require.NoError(c.s.t, rows.Scan(&id, &version))
		c.versions[id] = version
	}
	require.NoError(c.s.t, rows.Err())
}

func (c *screen) take(f live.Frame) {
	c.at = wire.StreamPosition{Epoch: f.Epoch, Position: f.Position}
	var data struct {
		Alarm  *wire.Alarm  `json:"alarm"`
		Events []wire.Event `json:"events"`
	}
	require.NoError(c.s.t, json.Unmarshal(f.Data, &data))
	if data.Alarm != nil && data.Alarm.Version > c.versions[data.Alarm.ID] {
		c.versions[data.Alarm.ID] = data.Alarm.Version
	}
	for _, e := range data.Events {
		require.NotEqual(c.s.t, f.Epoch, c.events[e.ID], "event %s is in two frames of one epoch", e.ID)
		c.events[e.ID] = f.Epoch
	}
}
