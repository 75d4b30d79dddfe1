package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

// recorder is a fan-out that keeps what was published, and refuses while it is told to.
type recorder struct {
	mu     sync.Mutex
	frames []live.Frame
	refuse error
}

func (r *recorder) Publish(_ context.Context, frames []live.Frame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		return r.refuse
	}
	r.frames = append(r.frames, frames...)
	return nil
}

func (r *recorder) Subscribe(context.Context, func([]live.Frame)) error { return nil }

func (r *recorder) Range(context.Context, int64, int64, int64, int) ([]live.Frame, bool, error) {
	return nil, false, nil
}

func (r *recorder) setRefuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = err
}

func (r *recorder) published() []live.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.frames)
}

func positions(frames []live.Frame) []int64 {
	var out []int64
	for _, f := range frames {
		out = append(out, f.Position)
	}
	return out
}

func upTo(n int64) []int64 {
	var out []int64
	for i := int64(1); i <= n; i++ {
		out = append(out, i)
	}
	return out
}

type bundle struct {
	*testkit.Database
	t      testing.TB
	fanout *recorder
}

func setup(t testing.TB) *bundle {
	return &bundle{Database: testkit.DB(t), t: t, fanout: &recorder{}}
}

func (b *bundle) relay(change ...func(*outbox.Config)) *outbox.Relay {
	cfg := outbox.Config{DB: b.Direct, Fanout: b.fanout, Log: testkit.Logger(b.t)}
	for _, c := range change {
		c(&cfg)
	}
	return outbox.NewRelay(cfg)
}

func note(n int) outbox.Row {
	return outbox.Row{Type: wire.EventRecorded, SiteID: 1, Data: map[string]int{"n": n}}
}

func (b *bundle) append(rows ...outbox.Row) {
	b.t.Helper()
	require.NoError(b.t, b.Pool.InTx(context.Background(), func(tx pgx.Tx) error {
		return outbox.Append(context.Background(), tx, rows...)
	}))
}

// begin opens a transaction that does not outlive the test.
func (b *bundle) begin() pgx.Tx {
	b.t.Helper()
	tx, err := b.Pool.Begin(context.Background())
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// fill appends n rows in one statement.
func (b *bundle) fill(n int) {
	b.t.Helper()
	b.Exec(b.t, `INSERT INTO outbox (type, data) SELECT 'event.recorded', json_build_object('n', n) FROM generate_series(1, $1::int) n`, n)
}

// stampAll runs steps until one finds nothing.
func (b *bundle) stampAll(r *outbox.Relay) int {
	b.t.Helper()
	total := 0
	for {
		n, err := r.Stamp(context.Background())
		require.NoError(b.t, err)
		total += n
		if n == 0 {
			return total
		}
	}
}

// requireWhole checks the invariant in the table itself: every row has a position, and
// those of the epoch are 1..last.
func (b *bundle) requireWhole(last int64) {
	b.t.Helper()
	require.Zero(b.t, testkit.One[int64](b.t, b.Database, "SELECT count(*) FROM outbox WHERE position IS NULL"))
	require.Equal(b.t, []int64{last, last, last, last}, testkit.One[[]int64](b.t, b.Database, `SELECT ARRAY[h.last, count(position), count(DISTINCT position), coalesce(max(position), 0)]
		FROM stream_head h LEFT JOIN outbox o ON o.epoch = h.epoch GROUP BY h.last`))
}

func TestStampGoesByLaneThenByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answered := time.Now().UTC().Truncate(time.Microsecond)
	b.append(
		outbox.Row{Lane: outbox.Backfill, Type: wire.EventRecorded, Data: 1},
		outbox.Row{Type: wire.AlarmNew, SiteID: 5, Audience: "operators", Ring: 2, Data: map[string]string{"a": "<b>"}, Trace: "t1", AnsweredAt: answered},
		outbox.Row{Lane: outbox.Backfill, Type: wire.EventRecorded, Data: 3},
		outbox.Row{Type: wire.AlarmUpdated, Data: 4},
	)
	require.Equal(t, 4, b.stampAll(b.relay()))
	got := b.fanout.published()
	require.Equal(t, upTo(4), positions(got))
	var data []string
	for _, f := range got {
		data = append(data, string(f.Data))
	}
	require.Equal(t, []string{"{\"a\":\"\\u003cb\\u003e\"}", "4", "1", "3"}, data)
	first := got[0]
	require.Equal(t, time.UTC, first.At.Location())
	require.Equal(t, live.Frame{
		Epoch: first.Epoch, Position: 1, Type: wire.AlarmNew, At: first.At, Ring: 2, Data: first.Data,
		SiteID: 5, Audience: "operators", Trace: "t1", AnsweredAt: answered,
	}, first)

	head, err := outbox.Head(t.Context(), b.Pool)
	require.NoError(t, err)
	require.Equal(t, wire.StreamPosition{Epoch: first.Epoch, Position: 4}, head)
	read, err := outbox.Frames(t.Context(), b.Pool, first.Epoch, 1, 3, 10)
	require.NoError(t, err)
	require.Equal(t, got[1:3], read)
}

func TestPositionsHaveNoGapsWithAppendersAndTwoRelays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const appenders, transactions, each = 8, 50, 5
	ctx, cancel := context.WithCancel(t.Context())
	var relays sync.WaitGroup
	defer func() { cancel(); relays.Wait() }()
	for range 2 {
		r := b.relay()
		relays.Go(func() { _ = r.Run(ctx) })
	}
	var g errgroup.Group
	for a := range appenders {
		g.Go(func() error {
			for i := range transactions {
				err := b.Pool.InTx(ctx, func(tx pgx.Tx) error {
					for j := range each {
						if err := outbox.Append(ctx, tx, note(a*1000000+i*100+j)); err != nil {
							return err
						}
					}
					if i%7 == 3 {
						return pgx.ErrTxClosed // leaves ids that never come
					}
					return nil
				})
				if err != nil && !errors.Is(err, pgx.ErrTxClosed) {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	want := int64(appenders * (transactions - 7) * each)
	require.Eventually(t, func() bool {
		return testkit.One[int64](t, b.Database, "SELECT published FROM stream_head") == want
	}, 20*time.Second, 20*time.Millisecond)
	b.requireWhole(want)
	seen := positions(b.fanout.published())
	slices.Sort(seen)
	require.Equal(t, upTo(want), slices.Compact(seen), "each is published")
}

func TestTransactionsThatCommitInReverseOrderAreAllStamped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	ctx := context.Background()
	var open []pgx.Tx
	for i := range 10 {
		tx := b.begin()
		require.NoError(t, outbox.Append(ctx, tx, note(i)))
		open = append(open, tx)
	}
	for i := len(open) - 1; i >= 0; i-- {
		require.NoError(t, open[i].Commit(ctx))
		require.Equal(t, 1, b.stampAll(r))
	}
	var data []string
	for _, f := range b.fanout.published() {
		data = append(data, string(f.Data))
	}
	var want []string
	for i := 9; i >= 0; i-- {
		want = append(want, fmt.Sprintf(`{"n":%d}`, i))
	}
	require.Equal(t, want, data)
	b.requireWhole(10)
}

func TestHeldTransactionIsStampedWhenItCommitsAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	r.RaiseFloorAfter(1)
	ctx := context.Background()
	held := b.begin()
	require.NoError(t, outbox.Append(ctx, held, note(-1)))
	heldID := testkit.One[int64](t, b.Database, "SELECT pg_sequence_last_value('outbox_id_seq')")
	for i := range 1000 {
		b.append(note(i))
		if i%10 == 0 {
			b.stampAll(r)
		}
		require.Less(t, r.Floor(), heldID, "the floor rose over a transaction that still runs")
	}
	b.stampAll(r)
	require.EqualValues(t, 1000, testkit.One[int64](t, b.Database, "SELECT last FROM stream_head"))
	require.NoError(t, held.Commit(ctx))
	require.Equal(t, 1, b.stampAll(r))
	b.requireWhole(1001)
	require.Equal(t, `{"n":-1}`, string(b.fanout.published()[1000].Data))

	b.append(note(1))
	b.stampAll(r)
	require.Greater(t, r.Floor(), heldID, "the floor rises once nobody can come below it")
}

// The window that a snapshot's xmin would miss: an id taken, and no transaction id yet.
func TestFloorWaitsForAWriterThatHasOnlyItsLockAndID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	r.RaiseFloorAfter(1)
	ctx := context.Background()
	tx := b.begin()
	_, err := tx.Exec(ctx, "LOCK TABLE outbox IN ROW EXCLUSIVE MODE") // as an INSERT begins
	require.NoError(t, err)
	for i := range 20 {
		b.append(note(i))
		b.stampAll(r)
		require.Zero(t, r.Floor())
	}
	require.NoError(t, tx.Rollback(ctx))
	b.stampAll(r)
	require.EqualValues(t, 1, r.Floor(), "what was stamped when the writers were listed")
	b.append(note(20))
	b.stampAll(r)
	b.append(note(21))
	b.stampAll(r)
	require.EqualValues(t, 22, r.Floor())
}

func TestCrashAfterStampIsPublishedByTheNextRelay(t *testing.T) {
	t.Parallel()
	for _, point := range []string{outbox.AfterStamp, outbox.AfterPublish} {
		b := setup(t)
		b.append(note(1), note(2))
		crashing := b.relay(func(c *outbox.Config) {
			c.Hit = func(at string) {
				if at == point {
					panic("crash at " + at)
				}
			}
		})
		require.PanicsWithValue(t, "crash at "+point, func() { _, _ = crashing.Stamp(context.Background()) })
		b.append(note(3))
		require.Equal(t, 1, b.stampAll(b.relay()))
		got := positions(b.fanout.published())
		if point == outbox.AfterStamp {
			require.Equal(t, []int64{1, 2, 3}, got)
		} else {
			require.Equal(t, []int64{1, 2, 1, 2, 3}, got)
		}
		b.requireWhole(3)
		require.EqualValues(t, 3, testkit.One[int64](t, b.Database, "SELECT published FROM stream_head"))
	}
}

func TestFanoutThatRefusesDoesNotStopTheStamping(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	away := errors.New("fan-out away")
	b.fanout.setRefuse(away)
	for i := range 3 {
		b.append(note(i))
		n, err := r.Stamp(t.Context())
		require.ErrorIs(t, err, away)
		require.Equal(t, 1, n)
	}
	require.EqualValues(t, 3, testkit.One[int64](t, b.Database, "SELECT last FROM stream_head"))
	require.Zero(t, testkit.One[int64](t, b.Database, "SELECT published FROM stream_head"))
	b.fanout.setRefuse(nil)
	b.append(note(3))
	require.Equal(t, 1, b.stampAll(r))
	require.Equal(t, upTo(4), positions(b.fanout.published()))
}

func TestRelayStandsByWhileAnotherWorksAndTakesOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.relay(), b.relay()
	b.append(note(1))
	b.stampAll(first)
	b.stampAll(second) // has seen 1
	b.append(note(2))
	b.stampAll(first)
	b.append(note(3))
	n, err := second.Stamp(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "another has stamped: stand by")
	require.EqualValues(t, 2, testkit.One[int64](t, b.Database, "SELECT last FROM stream_head"))
	require.Eventually(t, func() bool {
		n, err := second.Stamp(t.Context())
		require.NoError(t, err)
		return n == 1
	}, 5*time.Second, 10*time.Millisecond, "nothing has moved: take over")
	b.requireWhole(3)
}

func TestAnotherLifeOfTheDatabaseBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	b.fill(5)
	b.stampAll(r)
	before, err := outbox.Head(t.Context(), b.Pool)
	require.NoError(t, err)
	b.Exec(t, "UPDATE station_clock SET salt = '+promoted'")
	b.fill(3)
	require.Equal(t, 3, b.stampAll(r))
	after, err := outbox.Head(t.Context(), b.Pool)
	require.NoError(t, err)
	require.Greater(t, after.Epoch, before.Epoch)
	require.EqualValues(t, 3, after.Position)
	old, err := outbox.Frames(t.Context(), b.Pool, before.Epoch, 0, 100, 100)
	require.NoError(t, err)
	require.Equal(t, upTo(5), positions(old), "rows of the old epoch stay history")
	b.requireWhole(3)
	require.Equal(t, []int64{1, 2, 3, 4, 5, 1, 2, 3}, positions(b.fanout.published()))
}

func TestEpochIsNeverUsedTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	seen := map[int64]bool{testkit.One[int64](t, b.Database, "SELECT epoch FROM stream_head"): true}
	for i, shift := range []string{"0", "-2 days", "3 days", "-1 day"} {
		b.Exec(t, "UPDATE station_clock SET salt = $1, shift = $2::text::interval", fmt.Sprint("+", i), shift)
		b.fill(1)
		b.stampAll(r)
		epoch := testkit.One[int64](t, b.Database, "SELECT epoch FROM stream_head")
		for e := range seen {
			require.Greater(t, epoch, e)
		}
		seen[epoch] = true
	}
	shifted := testkit.One[int64](t, b.Database, "SELECT epoch FROM stream_head")
	require.Greater(t, shifted, time.Now().Add(2*24*time.Hour).Unix(), "epochs count in seconds where the clock allows")
}

func TestResetBeginsAnEpochThatARunningRelayFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	b.fill(4)
	b.stampAll(r)
	before := testkit.One[int64](t, b.Database, "SELECT epoch FROM stream_head")
	epoch, err := outbox.Reset(t.Context(), b.Direct)
	require.NoError(t, err)
	require.Greater(t, epoch, before)
	b.fill(2)
	require.Eventually(t, func() bool { return b.stampAll(r) == 2 }, 5*time.Second, 10*time.Millisecond)
	b.requireWhole(2)
}

func TestRunFollowsHintsAndPolls(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hints := make(chan struct{}, 1)
	r := b.relay(func(c *outbox.Config) { c.Wakes = hints })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	published := func(n int) func() bool { return func() bool { return len(b.fanout.published()) == n } }
	b.fill(1200)
	r.Wake()
	require.Eventually(t, published(1200), 10*time.Second, 5*time.Millisecond, "several rounds while full")
	b.fill(1)
	hints <- struct{}{}
	require.Eventually(t, published(1201), 10*time.Second, 5*time.Millisecond)
	b.fill(1)
	require.Eventually(t, published(1202), 10*time.Second, 5*time.Millisecond, "without a hint")
	cancel()
	require.NoError(t, <-done)
	b.requireWhole(1202)
}

func TestTrimKeepsTheNewestAndTheUnpublished(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.relay()
	b.fill(300)
	b.stampAll(r)
	oldEpoch := testkit.One[int64](t, b.Database, "SELECT epoch FROM stream_head")
	_, err := outbox.Reset(t.Context(), b.Direct)
	require.NoError(t, err)
	b.fill(9000)
	require.Eventually(t, func() bool { return b.stampAll(r) == 9000 }, 10*time.Second, 10*time.Millisecond)
	b.fill(7) // unstamped

	trim := func(olderThan time.Duration) (int64, []int64) {
		n, err := r.Trim(t.Context(), olderThan)
		require.NoError(t, err)
		return n, testkit.One[[]int64](t, b.Database, `SELECT ARRAY[coalesce(min(position), 0), count(position), count(*) FILTER (WHERE position IS NULL)] FROM outbox`)
	}
	n, left := trim(time.Hour)
	require.Zero(t, n)
	require.Equal(t, []int64{1, 9300, 7}, left)

	b.Exec(t, "UPDATE outbox SET at = at - interval '2 hours' WHERE epoch = $1 OR position <= 50 OR position BETWEEN 60 AND 100", oldEpoch)
	n, left = trim(time.Hour)
	require.EqualValues(t, 350, n, "the old epoch and the first 50; beyond a younger one nothing")
	require.Equal(t, []int64{51, 8950, 7}, left)

	b.Exec(t, "UPDATE outbox SET at = at - interval '2 hours'; UPDATE stream_head SET published = 3000")
	_, left = trim(time.Hour)
	require.Equal(t, []int64{3001, 6000, 7}, left, "nothing that is not published")

	b.Exec(t, "UPDATE stream_head SET published = last")
	_, left = trim(time.Hour)
	require.Equal(t, []int64{4001, 5000, 7}, left, "never the newest 5,000")
}
