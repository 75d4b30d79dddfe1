package pgbus

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

// benchmarkBoth runs a benchmark with nothing else in the database, and while a
// snapshot from its beginning stays open, as a long report or a backup holds one.
func benchmarkBoth(b *testing.B, run func(b *testing.B, bs *Bus)) {
	for _, held := range []bool{false, true} {
		name := "free"
		if held {
			name = "oldsnapshot"
		}
		b.Run(name, func(b *testing.B) {
			db, log := testkit.DB(b), testkit.Logger(b)
			ctx, cancel := context.WithCancel(context.Background())
			hints := pg.NewHints(db.Pool, db.Direct, log)
			ended := make(chan error, 1)
			go func() { ended <- hints.Run(ctx) }()
			defer func() {
				cancel()
				require.NoError(b, <-ended)
			}()
			if held {
				conn, err := db.Owner.Acquire(ctx)
				require.NoError(b, err)
				defer conn.Release()
				_, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ")
				require.NoError(b, err)
				_, err = conn.Exec(ctx, "SELECT count(*) FROM sites")
				require.NoError(b, err)
				defer func() {
					_, err := conn.Exec(context.Background(), "ROLLBACK")
					require.NoError(b, err)
				}()
			}
			run(b, New(db.Pool, db.Direct, hints, log))
		})
	}
}

const benchBatch = 100

func benchMessages(b *testing.B) []bus.Message {
	msgs := make([]bus.Message, benchBatch)
	for i := range msgs {
		msgs[i] = bus.Message{Lane: bus.Live, Topic: "satel.event.17", Body: make([]byte, 400)}
		_, err := rand.Read(msgs[i].Key[:])
		require.NoError(b, err)
	}
	return msgs
}

// drain acks everything until ctx ends.
func drain(ctx context.Context, c bus.Consumer) error {
	for ctx.Err() == nil {
		got, err := c.Receive(ctx, 1000)
		if err == nil {
			err = ackAll(ctx, got)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func ackAll(ctx context.Context, b bus.Batch) error {
	tags := make([]uint64, 0, len(b.Deliveries()))
	for _, d := range b.Deliveries() {
		tags = append(tags, d.Tag)
	}
	return b.Ack(ctx, tags...)
}

// BenchmarkPublish publishes in batches of a hundred and consumes beside, so that the
// tables turn. Of a long run, last/first says whether the speed falls with time.
func BenchmarkPublish(b *testing.B) {
	benchmarkBoth(b, func(b *testing.B, bs *Bus) {
		c, err := bs.Consume(context.Background(), bus.Live)
		require.NoError(b, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- drain(ctx, c) }()
		msgs := benchMessages(b)
		var took []time.Duration
		for b.Loop() {
			started := time.Now()
			for _, o := range bs.Publish(ctx, msgs) {
				if o != bus.Confirmed {
					b.Fatal("not confirmed")
				}
			}
			took = append(took, time.Since(started))
		}
		b.ReportMetric(float64(len(took)*benchBatch)/b.Elapsed().Seconds(), "msgs/s")
		if fifth := len(took) / 5; fifth > 0 {
			b.ReportMetric(float64(sum(took[:fifth]))/float64(sum(took[len(took)-fifth:])), "last/first")
		}
		b.ReportMetric(float64(bs.Stats().Emptied), "emptied")
		cancel()
		require.NoError(b, <-ended)
		require.NoError(b, c.Close())
	})
}

func sum(ds []time.Duration) (total time.Duration) {
	for _, d := range ds {
		total += d
	}
	return total
}

// BenchmarkRoundTrip takes a message from Publish to the consumer that waits for it.
func BenchmarkRoundTrip(b *testing.B) {
	benchmarkBoth(b, func(b *testing.B, bs *Bus) {
		ctx := context.Background()
		c, err := bs.Consume(ctx, bus.Live)
		require.NoError(b, err)
		msgs := benchMessages(b)[:1]
		for b.Loop() {
			if bs.Publish(ctx, msgs)[0] != bus.Confirmed {
				b.Fatal("not confirmed")
			}
			got, err := c.Receive(ctx, 10)
			if err != nil {
				b.Fatal(err)
			}
			for _, d := range got.Deliveries() {
				if err := got.Ack(ctx, d.Tag); err != nil {
					b.Fatal(err)
				}
			}
		}
		require.NoError(b, c.Close())
	})
}
