package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// wanderer is a client that reads, lags, leaves and comes back, now here, now there. In
// the end what it loaded at its last reset and what it was sent after must be everything
// of its scope, nothing twice and all in order.
type wanderer struct {
	*station
	t      *testing.T
	hubs   []*stream.Hub
	viewer stream.Viewer
	random *rand.Rand
	have   wire.StreamPosition
	loaded map[int]bool
	got    map[int]bool
	resets int
}

// visit stays with an instance for a number of messages, or until everything was had.
func (w *wanderer) visit(ctx context.Context, enough func(wire.StreamPosition) bool) error {
	sub, err := w.hubs[w.random.IntN(len(w.hubs))].Attach(ctx, w.viewer, w.have)
	if err != nil {
		return err
	}
	defer sub.Close()
	for stay := w.random.IntN(400); stay > 0 && !enough(w.have); {
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
			said := parse(w.t, m)
			if said.Type == "reset" {
				if err := w.load(ctx); err != nil {
					return err
				}
				sub.Resume(w.have)
				continue
			}
			if err := w.take(said); err != nil {
				return err
			}
		}
	}
	return nil
}

// load is what a list does: the head first, then the query.
func (w *wanderer) load(ctx context.Context) (err error) {
	if w.have, err = outbox.Head(ctx, w.Pool); err != nil {
		return err
	}
	w.loaded, err = w.list(ctx)
	w.got = map[int]bool{}
	w.resets++
	return err
}

// list reads what there is in the wanderer's scope.
func (w *wanderer) list(ctx context.Context) (map[int]bool, error) {
	rows, err := w.Pool.Query(ctx, `SELECT (data->>'n')::int FROM outbox
		WHERE audience = 'operators' AND (site_id IS NULL OR $1::bigint[] IS NULL OR site_id = ANY($1))`, siteIDs(w.viewer.Sites))
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int])
	all := map[int]bool{}
	for _, n := range list {
		all[n] = true
	}
	return all, err
}

func (w *wanderer) take(m said) error {
	switch {
	case m.Epoch != w.have.Epoch:
		return fmt.Errorf("epoch %d after %v", m.Epoch, w.have)
	case m.Type == "heartbeat" && m.Position == 0 && w.resets > 0:
		return nil // between a reset and the resume
	case m.Type == "heartbeat" && m.Position < w.have.Position:
		return fmt.Errorf("a heartbeat at %d after %v", m.Position, w.have)
	case m.Type == "heartbeat":
		w.have.Position = m.Position // true, so that resuming from there misses nothing
		return nil
	case m.Position <= w.have.Position:
		return fmt.Errorf("position %d after %v", m.Position, w.have)
	}
	w.have.Position = m.Position
	var data struct{ N int }
	if err := json.Unmarshal(m.Data, &data); err != nil {
		return err
	}
	if w.got[data.N] {
		return fmt.Errorf("%d came twice", data.N)
	}
	w.got[data.N] = true
	return nil
}

// Random schedules: appenders that commit late or not at all, two relays that crash
// between stamping and publishing, a database that begins another life, two instances
// that lose it now and then behind fan-outs that lose, double and reorder and of which
// one does not buffer, rings that are soon too small, and clients that wander between.
func TestEveryFrameOnceAndInOrderUnderRandomSchedules(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			runSchedule(t, seed)
		})
	}
}

// runStormy runs a relay that crashes now and then and is started again.
func (s *station) runStormy(random *rand.Rand) {
	type crash struct{}
	s.run(func(ctx context.Context) error {
		for ctx.Err() == nil {
			relay := outbox.NewRelay(outbox.Config{DB: s.Direct, Fanout: s.store(), Log: s.log, Hit: func(string) {
				if random.IntN(25) == 0 {
					panic(crash{})
				}
			}})
			func() {
				defer func() {
					if r := recover(); r != nil && r != (crash{}) {
						panic(r)
					}
				}()
				_ = relay.Run(ctx)
			}()
		}
		return nil
	})
}

func runSchedule(t *testing.T, seed uint64) {
	s := newStation(t)
	start := s.head()
	var hubs []*stream.Hub
	var tables []*switched
	for i := range uint64(2) {
		store := s.store()
		table := &switched{Reader: stream.NewTable(s.Pool)}
		h := stream.NewHub(stream.Config{Reader: table, Log: s.log, Fanout: &faulty{
			Fanout: store, random: newRandom(seed*10 + i), lose: .1, double: .1, late: .1, noRange: i == 1,
		}})
		h.ShrinkRing(100 + int(seed)*50)
		s.run(func(ctx context.Context) error { defer store.Wait(); return h.Run(ctx) })
		hubs, tables = append(hubs, h), append(tables, table)
		s.runStormy(newRandom(seed*20 + i))
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	const appenders, transactions = 4, 150
	var numbers atomic.Int64
	var writers sync.WaitGroup
	for a := range uint64(appenders) {
		random := newRandom(seed*100 + a)
		writers.Go(func() {
			for i := range transactions {
				tables[random.IntN(len(tables))].away.Store(random.IntN(3) == 0)
				if a == 0 && i%60 == 59 && seed%2 == 1 {
					s.Exec(t, "UPDATE station_clock SET salt = salt || '+'")
				}
				if err := appendSome(ctx, s, random, &numbers); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	var final wire.StreamPosition
	settled := make(chan struct{})
	enough := func(have wire.StreamPosition) bool {
		select {
		case <-settled:
			return have == final
		default:
			return false
		}
	}

	scopes := [][]ids.SiteID{nil, {1, 2}, {3}, {}}
	wanderers := make([]*wanderer, 8)
	var clients sync.WaitGroup
	for i := range wanderers {
		w := &wanderer{
			station: s, t: t, hubs: hubs, have: start, random: newRandom(seed*1000 + uint64(i)), got: map[int]bool{},
			viewer: stream.Viewer{UserID: 1, Audiences: []string{wire.Operators}, Sites: scopes[i%len(scopes)]},
		}
		wanderers[i] = w
		clients.Go(func() {
			for !enough(w.have) {
				if err := w.visit(ctx, enough); err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	for _, table := range tables {
		table.away.Store(false)
	}
	require.Eventually(t, func() bool {
		return testkit.One[bool](t, s.Database, `SELECT NOT EXISTS (SELECT FROM outbox WHERE position IS NULL)
			AND published = last AND timeline = dozor_timeline() FROM stream_head`)
	}, time.Minute, 20*time.Millisecond)
	final = s.head()
	close(settled)
	clients.Wait()

	for i, w := range wanderers {
		want, err := w.list(ctx)
		require.NoError(t, err)
		have := maps.Clone(w.got)
		maps.Copy(have, w.loaded)
		require.Equal(t, want, have, "client %d", i)
		if start.Epoch == final.Epoch {
			require.Zero(t, w.resets, "client %d: a reset, though nothing was lost", i)
		}
	}
	requireContiguous(t, s)
}

// requireContiguous checks the relay's invariant for every epoch that there was.
func requireContiguous(t *testing.T, s *station) {
	t.Helper()
	require.Zero(t, testkit.One[int](t, s.Database, `SELECT count(*) FROM (
		SELECT FROM outbox GROUP BY epoch HAVING min(position) <> 1 OR max(position) <> count(*)) broken`))
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

func appendSome(ctx context.Context, s *station, random *rand.Rand, numbers *atomic.Int64) error {
	n, fails := 1+random.IntN(12), random.IntN(8) == 0
	rows := make([]outbox.Row, n)
	for i := range rows {
		rows[i] = outbox.Row{
			Lane: outbox.Lane(random.IntN(2)), SiteID: ids.SiteID(random.IntN(4)), Type: wire.EventRecorded,
			Data: map[string]int64{"n": numbers.Add(1)},
		}
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
	return err
}
