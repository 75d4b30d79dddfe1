package pgbus

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/pg"
	"dozor/internal/testkit"
)

const patience = 20 * time.Second

// quick are limits with which tables turn and messages move within a test.
func quick() limits {
	l := defaultLimits
	l.poll, l.standby, l.settleRest = 20*time.Millisecond, 20*time.Millisecond, 10*time.Millisecond
	l.retryMax = 20 * time.Millisecond
	l.turnRows, l.moveAfter, l.moveSpan = 50, 50*time.Millisecond, 100
	return l
}

type fixture struct {
	*testing.T
	db  *testkit.Database
	bus *Bus
	ctx context.Context
}

func setup(t *testing.T, l limits) *fixture {
	t.Helper()
	db, log := testkit.DB(t), testkit.Logger(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	b := New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)
	b.limits = l
	return &fixture{T: t, db: db, bus: b, ctx: ctx}
}

func (f *fixture) consume() *consumer {
	f.Helper()
	c, err := f.bus.Consume(f.ctx, bus.Live)
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, c.Close()) })
	return c.(*consumer)
}

func keyOf(n int) (key bus.Key) {
	binary.BigEndian.PutUint64(key[:], uint64(n)+1)
	return key
}

func (f *fixture) publish(numbers ...int) {
	f.Helper()
	msgs := make([]bus.Message, len(numbers))
	for i, n := range numbers {
		msgs[i] = bus.Message{Key: keyOf(n), Lane: bus.Live, Topic: "t", Body: []byte("b")}
	}
	for i, o := range f.bus.Publish(f.ctx, msgs) {
		require.Equal(f, bus.Confirmed, o, "message %d", numbers[i])
	}
}

// insert writes messages as a publisher does, in a transaction that the test ends.
func insert(ctx context.Context, tx pgx.Tx, table int, numbers ...int) error {
	var c chunk
	for i, n := range numbers {
		c.add(i, bus.Message{Key: keyOf(n), Lane: bus.Live, Topic: "t", Body: []byte("b")})
	}
	var writing int
	return tx.QueryRow(ctx, lanes[bus.Live].insert[table], c.keys, c.topics, c.traces, c.bodies).Scan(&writing)
}

func (f *fixture) begin() pgx.Tx {
	f.Helper()
	tx, err := f.db.Owner.Begin(f.ctx)
	require.NoError(f, err)
	f.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// receive acks messages until the numbers have come.
func (f *fixture) receive(c bus.Consumer, numbers ...int) {
	f.Helper()
	want := map[bus.Key]int{}
	for _, n := range numbers {
		want[keyOf(n)] = n
	}
	for len(want) > 0 {
		b, err := c.Receive(f.ctx, 100)
		require.NoError(f, err, "still to come: %v", want)
		for _, d := range b.Deliveries() {
			delete(want, d.Key)
			require.NoError(f, b.Ack(f.ctx, d.Tag))
		}
	}
}

func (f *fixture) settled() int64 {
	return testkit.One[int64](f, f.db, "SELECT settled FROM bus_lanes WHERE lane = 'live'")
}

func (f *fixture) eventually(condition func() bool, why string, args ...any) {
	f.Helper()
	require.Eventually(f, condition, patience, 2*time.Millisecond, append([]any{why}, args...)...)
}

func (f *fixture) spans(c *consumer) []hole {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window == nil {
		return nil
	}
	return append([]hole(nil), c.window.holes.spans...)
}

func TestOpenTransactionDelaysNothingAndIsNotLost(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	slow := f.begin()
	require.NoError(t, insert(f.ctx, slow, 0, 1, 2, 3))
	for n := 10; n < 30; n++ {
		f.publish(n)
		f.receive(c, n)
	}
	f.eventually(func() bool { s := f.spans(c); return len(s) == 1 && s[0].barrier != 0 }, "the hole is watched")
	require.Zero(t, f.settled(), "nothing above the hole is written down as the settled prefix")
	require.NoError(t, slow.Commit(f.ctx))
	f.receive(c, 1, 2, 3)
	f.eventually(func() bool { return f.settled() == 23 }, "all is settled")
}

func TestRolledBackIDIsGivenUp(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	undone := f.begin()
	require.NoError(t, insert(f.ctx, undone, 0, 1, 2))
	f.publish(3)
	f.receive(c, 3)
	f.eventually(func() bool { return len(f.spans(c)) == 1 }, "the hole is seen")
	require.NoError(t, undone.Rollback(f.ctx))
	f.eventually(func() bool { return f.settled() == 3 }, "nobody can fill the hole")
	require.EqualValues(t, 1, f.bus.Stats().Abandoned)
}

// The transaction that holds the hole is newer than any that had ended when the hole was
// seen, so that xmax at first sight lies below it.
func TestHoleOfATransactionBeyondXmaxIsKept(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	txid := func(tx pgx.Tx) (id int64) {
		require.NoError(t, tx.QueryRow(f.ctx, "SELECT pg_current_xact_id()::text::bigint").Scan(&id))
		return id
	}
	seen, between, slow := f.begin(), f.begin(), f.begin()
	first, second := txid(seen), txid(between)
	require.NoError(t, insert(f.ctx, slow, 0, 1))
	require.Less(t, first, second)
	require.Less(t, second, txid(slow))

	require.NoError(t, insert(f.ctx, seen, 0, 2))
	require.NoError(t, seen.Commit(f.ctx))
	f.receive(c, 2)
	require.NoError(t, between.Rollback(f.ctx))
	f.eventually(func() bool { s := f.spans(c); return len(s) == 1 && s[0].barrier != 0 }, "the hole is watched")
	for n := 10; n < 20; n++ {
		f.publish(n)
		f.receive(c, n)
	}
	require.Len(t, f.spans(c), 1, "its transaction still runs")
	require.NoError(t, slow.Commit(f.ctx))
	f.receive(c, 1)
}

func TestTransactionsCommittingInReverseLoseNothing(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	var open []pgx.Tx
	var numbers []int
	for n := range 3 {
		tx := f.begin()
		for part := range 3 {
			number := 100*n + part
			require.NoError(t, insert(f.ctx, tx, part%2, number))
			numbers = append(numbers, number)
		}
		open = append(open, tx)
	}
	f.publish(1000)
	f.receive(c, 1000)
	for i := len(open) - 1; i >= 0; i-- {
		require.NoError(t, open[i].Commit(f.ctx))
		f.receive(c, numbers[3*i:3*i+3]...)
	}
	f.eventually(func() bool { return f.settled() == 10 }, "all is settled")
}

// What the package's proof rests on: every statement that takes ids has its transaction
// id before.
func TestTransactionIDComesBeforeMessageID(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	f.db.Exec(t, `CREATE FUNCTION demand_xid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF pg_current_xact_id_if_assigned() IS NULL THEN RAISE EXCEPTION 'no transaction id yet'; END IF;
		RETURN NEW;
	END $$`)
	for _, table := range lanes[bus.Live].tables {
		f.db.Exec(t, fmt.Sprintf("CREATE TRIGGER demand_xid BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION demand_xid()", table))
	}
	// A sequence that writes its log gives a transaction id too; these ids are between.
	for n := range 5 {
		f.publish(2*n, 2*n+1)
	}
	s, err := openSession(f.ctx, f.db.Direct, lanes[bus.Live], f.bus.limits)
	require.NoError(t, err)
	defer s.close()
	for range 3 {
		copies, err := s.move(f.ctx, []int64{3, 4}, 1)
		require.NoError(t, err)
		require.Len(t, copies, 2)
	}
	// With an id of its own: the sequence may just write its log, after a checkpoint.
	_, err = f.db.Owner.Exec(f.ctx, "INSERT INTO bus_live_0 (id, key, topic, body) VALUES (1000000, 'k', 't', 'b')")
	require.ErrorContains(t, err, "no transaction id yet", "the trigger would have noticed")
}

func TestSequenceWithCacheIsNotRead(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	f.db.Exec(t, "ALTER SEQUENCE bus_live_ids CACHE 10")
	f.publish(1)
	c := f.consume()
	s, err := openSession(f.ctx, f.db.Direct, lanes[bus.Live], f.bus.limits)
	require.NoError(t, err)
	defer s.close()
	_, err = s.load(f.ctx)
	require.ErrorContains(t, err, "cache of 10")
	require.Zero(t, f.bus.Stats().Terms)
	f.db.Exec(t, "ALTER SEQUENCE bus_live_ids CACHE 1")
	f.receive(c, 1)
}

// A holder that says nothing, frozen or cut off without a trace, loses the lock.
func TestSilentHolderLosesTheLane(t *testing.T) {
	t.Parallel()
	l := quick()
	l.idle = 300 * time.Millisecond
	f := setup(t, l)
	frozen, err := openSession(f.ctx, f.db.Direct, lanes[bus.Live], l)
	require.NoError(t, err)
	defer frozen.close()
	locked, err := frozen.tryLock(f.ctx)
	require.NoError(t, err)
	require.True(t, locked)
	c := f.consume()
	f.publish(1)
	f.receive(c, 1)
	_, err = frozen.tryLock(f.ctx)
	require.Error(t, err)
}

func TestPutOffMessageIsMovedOutOfTheWay(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	f.publish(0)
	b, err := c.Receive(f.ctx, 1)
	require.NoError(t, err)
	require.NoError(t, b.Later(f.ctx, time.Hour, b.Deliveries()[0].Tag))
	held := f.consume() // stands by, so that the message is this one's after Close
	for n := 1; f.bus.Stats().Emptied < 4; n++ {
		require.NoError(t, f.ctx.Err(), "the tables are not emptied: %+v", f.bus.Stats())
		f.publish(n)
		f.receive(c, n)
	}
	require.Positive(t, f.bus.Stats().Moved)
	require.NoError(t, c.Close())
	f.receive(held, 0)
	f.eventually(func() bool { n, err := f.bus.Depth(f.ctx, bus.Live); return err == nil && n == 0 }, "all is settled")
}

func TestTableInUseIsEmptiedLater(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	c := f.consume()
	dump := f.begin()
	_, err := dump.Exec(f.ctx, "SELECT count(*) FROM bus_live_0")
	require.NoError(t, err)
	n := 0
	for ; n < 300; n++ {
		f.publish(n)
		f.receive(c, n)
	}
	require.Zero(t, f.bus.Stats().Emptied)
	require.NoError(t, dump.Rollback(f.ctx))
	f.eventually(func() bool { return f.bus.Stats().Emptied > 0 }, "the table is emptied once it is free")
}

func TestTablesStaySmallUnderAnOldSnapshot(t *testing.T) {
	t.Parallel()
	f := setup(t, quick())
	old := f.begin()
	_, err := old.Exec(f.ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	require.NoError(t, err)
	_, err = old.Exec(f.ctx, "SELECT count(*) FROM sites")
	require.NoError(t, err)
	c := f.consume()
	for n := 0; f.bus.Stats().Emptied < 10; n++ {
		require.NoError(t, f.ctx.Err(), "the tables are not emptied: %+v", f.bus.Stats())
		f.publish(n)
		f.receive(c, n)
	}
	size := testkit.One[int64](t, f.db, "SELECT pg_total_relation_size('bus_live_0') + pg_total_relation_size('bus_live_1')")
	require.Less(t, size, int64(512<<10))
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := quick()
	l.window, l.readRows, l.maxPutOff = 40, 10, 30
	f := setup(t, l)
	c := f.consume()
	numbers := make([]int, 200)
	for n := range numbers {
		numbers[n] = n
	}
	f.publish(numbers...)
	put := 0
	for put < l.maxPutOff {
		b, err := c.Receive(f.ctx, 5)
		require.NoError(t, err)
		for _, d := range b.Deliveries() {
			require.NoError(t, b.Later(f.ctx, 300*time.Millisecond, d.Tag))
			put++
		}
	}
	f.eventually(func() bool { return f.bus.Stats().Waiting > 0 }, "reading waits")
	c.mu.Lock()
	require.LessOrEqual(t, len(c.window.items), l.window+l.maxPutOff+l.readRows)
	c.mu.Unlock()
	f.receive(c, numbers...)
}

// Too many holes make reading wait; none is forgotten for it.
func TestManyHolesSlowReadingDown(t *testing.T) {
	t.Parallel()
	l := quick()
	l.readRows, l.maxHoles = 2, 4
	f := setup(t, l)
	slow := f.begin()
	var slowly, published []int
	for n := range 20 {
		require.NoError(t, insert(f.ctx, slow, 0, 100+n))
		f.publish(n)
		slowly, published = append(slowly, 100+n), append(published, n)
	}
	c := f.consume()
	f.receive(c, published[:4]...)
	f.eventually(func() bool { return f.bus.Stats().Waiting > 0 }, "reading waits")
	require.LessOrEqual(t, len(f.spans(c)), l.maxHoles+l.readRows)
	require.EqualValues(t, len(f.spans(c)), f.bus.Stats().Delivered, "what lies behind the holes was not read")
	require.NoError(t, slow.Commit(f.ctx))
	f.receive(c, append(slowly, published[4:]...)...)
}
