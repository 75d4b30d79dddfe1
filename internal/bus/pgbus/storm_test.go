package pgbus

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/testkit"
)

// storm is writers and a reader that do everything that may happen, for a while, and a
// record of what was committed.
type storm struct {
	*fixture
	mu        sync.Mutex
	next      int
	committed map[bus.Key]bool
	undone    map[bus.Key]bool
	acked     map[bus.Key]bool
}

func (s *storm) numbers(n int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers := make([]int, n)
	for i := range numbers {
		s.next++
		numbers[i] = s.next
	}
	return numbers
}

func (s *storm) note(set map[bus.Key]bool, numbers []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		set[keyOf(n)] = true
	}
}

// write makes transactions that insert into the table that is written or, now and then,
// into the other, in several statements, hold their ids for a while and end in any way and order.
func (s *storm) write(ctx context.Context, rng *rand.Rand) error {
	for ctx.Err() == nil {
		if rng.IntN(2) == 0 {
			numbers := s.numbers(1 + rng.IntN(4))
			msgs := make([]bus.Message, len(numbers))
			for i, n := range numbers {
				msgs[i] = bus.Message{Key: keyOf(n), Lane: bus.Live, Topic: "t", Body: []byte("b")}
			}
			for i, o := range s.bus.Publish(s.ctx, msgs) {
				if o != bus.Confirmed {
					return errors.New("a message was not confirmed")
				}
				s.note(s.committed, numbers[i:i+1])
			}
			continue
		}
		if err := s.writeSlowly(rng); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) writeSlowly(rng *rand.Rand) error {
	tx, err := s.db.Pool.Begin(s.ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(s.ctx)) }()
	var numbers []int
	for range 1 + rng.IntN(4) {
		part := s.numbers(1 + rng.IntN(5))
		numbers = append(numbers, part...)
		table := int(s.bus.writing[bus.Live].Load())
		if rng.IntN(8) == 0 {
			table = 1 - table
		}
		if err := insert(s.ctx, tx, table, part...); err != nil {
			return err
		}
		if _, err := tx.Exec(s.ctx, "SELECT pg_sleep($1)", rng.Float64()*0.03); err != nil {
			return err
		}
	}
	if rng.IntN(3) == 0 {
		s.note(s.undone, numbers)
		return tx.Rollback(s.ctx)
	}
	if err := tx.Commit(s.ctx); err != nil {
		return err
	}
	s.note(s.committed, numbers)
	return nil
}

// read consumes: acks, puts off, forgets a batch, and has its session killed, its
// consumer closed. done says that everything is written.
func (s *storm) read(rng *rand.Rand, done <-chan struct{}) error {
	consumers := []bus.Consumer{}
	for range 2 {
		c, err := s.bus.Consume(s.ctx, bus.Live)
		if err != nil {
			return err
		}
		consumers = append(consumers, c)
	}
	defer func() {
		for _, c := range consumers {
			_ = c.Close()
		}
	}()
	for {
		if s.ctx.Err() != nil {
			return errors.New("not everything came")
		}
		select {
		case <-done:
			if s.complete() {
				return nil
			}
		default:
		}
		i := rng.IntN(len(consumers))
		switch rng.IntN(150) {
		case 0:
			if _, err := s.db.Owner.Exec(s.ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks
				WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`); err != nil {
				return err
			}
		case 1:
			_ = consumers[i].Close()
			c, err := s.bus.Consume(s.ctx, bus.Live)
			if err != nil {
				return err
			}
			consumers[i] = c
		}
		if err := s.readOne(rng, consumers[i]); err != nil {
			return err
		}
	}
}

func (s *storm) readOne(rng *rand.Rand, c bus.Consumer) error {
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Millisecond)
	defer cancel()
	b, err := c.Receive(ctx, 1+rng.IntN(30))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range b.Deliveries() {
		s.mu.Lock()
		undone := s.undone[d.Key]
		s.mu.Unlock()
		if undone {
			return errors.New("a message came that was rolled back")
		}
		switch n := rng.IntN(20); {
		case n == 0:
			err = b.Later(s.ctx, time.Duration(rng.IntN(100))*time.Millisecond, d.Tag)
		default:
			if err = b.Ack(s.ctx, d.Tag); err == nil {
				s.mu.Lock()
				s.acked[d.Key] = true
				s.mu.Unlock()
			}
		}
		if err != nil && !errors.Is(err, bus.ErrReturned) {
			return err
		}
	}
	return nil
}

func (s *storm) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.committed {
		if !s.acked[key] {
			return false
		}
	}
	return true
}

func TestNothingCommittedIsLostInAStorm(t *testing.T) {
	t.Parallel()
	const seed = 20261123
	t.Logf("seed %d", seed)
	l := quick()
	l.window, l.readRows, l.turnRows = 60, 15, 40
	s := &storm{fixture: setup(t, l), committed: map[bus.Key]bool{}, undone: map[bus.Key]bool{}, acked: map[bus.Key]bool{}}

	ctx, stop := context.WithTimeout(s.ctx, 4*time.Second)
	defer stop()
	var writers, reader sync.WaitGroup
	ended := make(chan error, 8)
	for n := range 5 {
		writers.Go(func() { ended <- s.write(ctx, rand.New(rand.NewPCG(seed, uint64(n)))) })
	}
	done := make(chan struct{})
	reader.Go(func() { ended <- s.read(rand.New(rand.NewPCG(seed, 99)), done) })
	writers.Wait()
	close(done)
	reader.Wait()
	close(ended)
	for err := range ended {
		require.NoError(t, err)
	}
	t.Logf("%d committed, %d rolled back, %+v", len(s.committed), len(s.undone), s.bus.Stats())
	require.Greater(t, len(s.committed), 100)
	require.NotEmpty(t, s.undone)
	stats := s.bus.Stats()
	for what, n := range map[string]int64{
		"terms": stats.Terms, "holes": stats.Holes, "abandoned holes": stats.Abandoned,
		"turns": stats.Turns, "emptied tables": stats.Emptied - 2, "put off": stats.PutOff,
	} {
		require.Positive(t, n, "the storm had no %s", what)
	}

	// What is left are copies and redeliveries; when they are settled both tables can go.
	c := s.consume()
	s.eventually(func() bool {
		if err := s.readOne(rand.New(rand.NewPCG(seed, 100)), c); err != nil {
			return false
		}
		depth, err := s.bus.Depth(s.ctx, bus.Live)
		return err == nil && depth == 0
	}, "the lane becomes empty")
	unsettled := testkit.One[int](t, s.db, `SELECT count(*) FROM (SELECT id FROM bus_live_0 UNION ALL SELECT id FROM bus_live_1) AS r
		WHERE id > (SELECT settled FROM bus_lanes WHERE lane = 'live')`)
	require.Zero(t, unsettled)
}
