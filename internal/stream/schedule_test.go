package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

var errAway = errors.New("the database is away")

// switched is a Reader that a test can take away.
type switched struct {
	stream.Reader
	away atomic.Bool
}

func (s *switched) Head(ctx context.Context) (wire.StreamPosition, error) {
	if s.away.Load() {
		return wire.StreamPosition{}, errAway
	}
	return s.Reader.Head(ctx)
}

func (s *switched) Frames(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Reader.Frames(ctx, epoch, after, upTo, limit)
}

// wanderer is a client that reads, lags, leaves and comes back, now here, now there,
// and must in the end have had every frame of its scope exactly once and in order.
type wanderer struct {
	t      *testing.T
	hubs   []*stream.Hub
	viewer stream.Viewer
	random *rand.Rand
	have   wire.StreamPosition
	got    []int64
	resets int
}

// visit stays with an instance for a number of messages, or until everything was had.
func (w *wanderer) visit(ctx context.Context, enough func(position int64) bool) error {
	sub, err := w.hubs[w.random.IntN(len(w.hubs))].Attach(ctx, w.viewer, w.have)
	if err != nil {
		return err
	}
	defer sub.Close()
	for stay := w.random.IntN(400); stay > 0 && !enough(w.have.Position); {
		messages, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		lost := w.random.IntN(len(messages) + 1) // the connection breaks in the middle of a batch
		broken := w.random.IntN(4) == 0
		for i, m := range messages {
			if broken && i >= lost {
				return nil
			}
			stay--
			if err := w.take(parse(w.t, m)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *wanderer) take(m said) error {
	switch {
	case m.Type == "reset":
		return fmt.Errorf("a reset at %v, though nothing was lost", w.have)
	case m.Epoch != w.have.Epoch:
		return fmt.Errorf("epoch %d after %v", m.Epoch, w.have)
	case m.Type == "heartbeat" && m.Position < w.have.Position:
		return fmt.Errorf("a heartbeat at %d after %v", m.Position, w.have)
	case m.Type == "heartbeat":
		w.have.Position = m.Position // true, so that resuming from there misses nothing
	case m.Position <= w.have.Position:
		return fmt.Errorf("position %d after %v", m.Position, w.have)
	default:
		w.have.Position = m.Position
		w.got = append(w.got, m.Position)
	}
	return nil
}

// Random schedules: appenders that commit late or not at all, two relays, two instances
// behind fan-outs that lose, double and reorder, of which one does not buffer, and
// clients that wander between them.
func TestEveryFrameOnceAndInOrderUnderRandomSchedules(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			runSchedule(t, seed)
		})
	}
}

func runSchedule(t *testing.T, seed uint64) {
	s := newStation(t)
	start := s.head()
	spoil := func(n uint64, noRange bool) func(live.Fanout) live.Fanout {
		return func(f live.Fanout) live.Fanout {
			return &faulty{Fanout: f, random: newRandom(seed*10 + n), lose: .1, double: .1, late: .1, noRange: noRange}
		}
	}
	hubs := []*stream.Hub{s.hub(spoil(1, false)), s.hub(spoil(2, true))}
	for range 2 {
		relay := outbox.NewRelay(outbox.Config{DB: s.Direct, Fanout: s.store(), Log: s.log})
		s.run(relay.Run)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const appenders, transactions = 4, 120
	var total atomic.Int64
	var writers sync.WaitGroup
	for a := range uint64(appenders) {
		random := newRandom(seed*100 + a)
		writers.Go(func() {
			for range transactions {
				if err := appendSome(ctx, s, random, &total); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writers.Wait(); close(written) }()

	scopes := [][]ids.SiteID{nil, {1, 2}, {3}, {}}
	wanderers := make([]*wanderer, 8)
	var clients sync.WaitGroup
	for i := range wanderers {
		w := &wanderer{t: t, hubs: hubs, have: start, random: newRandom(seed*1000 + uint64(i)),
			viewer: stream.Viewer{UserID: 1, Audiences: []string{wire.Operators}, Sites: scopes[i%len(scopes)]}}
		wanderers[i] = w
		enough := func(position int64) bool {
			select {
			case <-written:
				return position == total.Load()
			default:
				return false
			}
		}
		clients.Go(func() {
			for !enough(w.have.Position) {
				if err := w.visit(ctx, enough); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	clients.Wait()
	<-written

	require.Equal(t, at(start.Epoch, total.Load()), s.head())
	for i, w := range wanderers {
		want := testkit.One[[]int64](t, s.Database, `SELECT coalesce(array_agg(position ORDER BY position), '{}') FROM outbox
			WHERE audience = 'operators' AND (site_id IS NULL OR $1::bigint[] IS NULL OR site_id = ANY($1))`, siteIDs(w.viewer.Sites))
		require.Equal(t, want, append([]int64{}, w.got...), "client %d", i)
	}
}

func siteIDs(sites []ids.SiteID) []int64 {
	if sites == nil {
		return nil
	}
	out := []int64{}
	for _, id := range sites {
		out = append(out, int64(id))
	}
	return out
}

func appendSome(ctx context.Context, s *station, random *rand.Rand, total *atomic.Int64) error {
	n, fails := 1+random.IntN(12), random.IntN(8) == 0
	rows := make([]outbox.Row, n)
	for i := range rows {
		rows[i] = outbox.Row{Lane: outbox.Lane(random.IntN(2)), SiteID: ids.SiteID(random.IntN(4)), Type: wire.EventRecorded, Data: i}
		if random.IntN(10) == 0 {
			rows[i].Audience = "admins"
		}
	}
	pauses := random.IntN(6)
	err := s.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := outbox.Append(ctx, tx, rows...); err != nil {
			return err
		}
		for range pauses { // others overtake
			if _, err := tx.Exec(ctx, "SELECT 1"); err != nil {
				return err
			}
		}
		if fails {
			return errAway
		}
		return nil
	})
	if fails && errors.Is(err, errAway) {
		return nil
	}
	if err == nil {
		total.Add(int64(n))
	}
	return err
}
