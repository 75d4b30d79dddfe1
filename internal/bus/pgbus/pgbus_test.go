package pgbus_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/pgbus"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open makes a bus as a process of its own would have it, with running hints.
func open(t testing.TB, db *testkit.Database) *pgbus.Bus {
	t.Helper()
	log := testkit.Logger(t)
	h := pg.NewHints(db.Pool, db.Direct, log)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return pgbus.New(db.Pool, db.Direct, h, log)
}

func consume(t testing.TB, b *pgbus.Bus, lane bus.Lane) bus.Consumer {
	t.Helper()
	c, err := b.Consume(context.Background(), lane)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func message(lane bus.Lane, n int) bus.Message {
	sum := sha256.Sum256(fmt.Append(nil, lane, n))
	return bus.Message{Key: bus.Key(sum[:16]), Lane: lane, Topic: "satel.alarm.1", Body: fmt.Append(nil, n)}
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestLanesHaveTheirOwnMessages(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	b := open(t, db)
	c := consume(t, b, bus.Live)
	for i := range 5 {
		outcomes := b.Publish(within(t), []bus.Message{message(bus.Live, i), message(bus.Backfill, i)})
		require.Equal(t, []bus.Outcome{bus.Confirmed, bus.Confirmed}, outcomes)
		got, err := c.Receive(within(t), 10)
		require.NoError(t, err)
		require.Len(t, got.Deliveries(), 1)
		d := got.Deliveries()[0]
		require.Equal(t, message(bus.Live, i), d.Message)
		require.NoError(t, got.Ack(within(t), d.Tag))
	}
	require.NoError(t, c.Close())
	for lane, want := range map[bus.Lane]int64{bus.Live: 0, bus.Backfill: 5} {
		n, err := b.Depth(within(t), lane)
		require.NoError(t, err)
		require.Equal(t, want, n, "closing writes down what is settled")
	}
	require.EqualValues(t, 10, b.Stats().Confirmed)
	require.EqualValues(t, 5, b.Stats().Acked)
}
