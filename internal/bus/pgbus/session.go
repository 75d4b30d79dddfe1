package pgbus

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/pg"
)

// session is one connection of a consumer, to which the lane's lock belongs once it has
// it. After any error it is of no use any more. It belongs to one goroutine.
type session struct {
	conn   *pgx.Conn
	lane   *lane
	limits limits
}

// The plans are made while the tables may be empty and used when they are full, so that
// what would be right only for an empty one is ruled out.
var sessionSettings = map[string]string{
	"enable_seqscan": "off", "enable_bitmapscan": "off", "jit": "off",
	"tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3", "tcp_user_timeout": "5000",
}

func openSession(ctx context.Context, direct *pg.Direct, l *lane, lim limits) (*session, error) {
	pooled, err := direct.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	// Out of the pool for good: its lock must end with it.
	s := &session{conn: pooled.Hijack(), lane: l, limits: lim}
	settings := maps.Clone(sessionSettings)
	settings["idle_session_timeout"] = ms(lim.idle)
	settings["idle_in_transaction_session_timeout"] = ms(lim.idle)
	settings["statement_timeout"] = ms(2 * lim.statement)
	var names, values []string
	for name, value := range settings {
		names, values = append(names, name), append(values, value)
	}
	within, cancel := context.WithTimeout(ctx, lim.statement)
	defer cancel()
	const set = "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)"
	if _, err := s.conn.Exec(within, set, names, values); err != nil {
		s.close()
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	return s, nil
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// close ends the session and with it the lock.
func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
}

func (s *session) tryLock(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	var got bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", lockSpace, s.lane.lockKey).Scan(&got); err != nil {
		return false, fmt.Errorf("try the lane's lock: %w", err)
	}
	return got, nil
}

// state is what the database remembers of a lane.
type state struct {
	settled int64
	writing int16
	rows    [2]int64 // counted up to what is reason to turn
}

func (s *session) load(ctx context.Context) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	var st state
	var cache int64
	if err := s.conn.QueryRow(ctx, s.lane.load, s.limits.turnRows+1).
		Scan(&st.settled, &st.writing, &cache, &st.rows[0], &st.rows[1]); err != nil {
		return st, fmt.Errorf("load the lane: %w", err)
	}
	if cache != 1 {
		return st, fmt.Errorf("load the lane: its sequence has a cache of %d, with which ids are not taken in order; want 1", cache)
	}
	return st, nil
}

// question is what one round trip asks for.
type question struct {
	after       int64 // rows above this id,
	room        int   // so many; 0: none
	lows, highs []int64
	space       int // rows of holes at most
	due         []int64
	barrier     bool // take one
}

// answer has what was asked for. xmin is of a snapshot from before all of it, barrier
// is 0 when none was taken.
type answer struct {
	xmin, barrier      int64
	found, again, news []row
}

func (s *session) ask(ctx context.Context, q question) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	var (
		a     answer
		batch pgx.Batch
	)
	collect := func(into *[]row) func(pgx.Rows) error {
		return func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, s.scanRow)
			return err
		}
	}
	// The order matters: xmin before the look at the holes that it may end.
	batch.Queue("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").
		QueryRow(func(r pgx.Row) error { return r.Scan(&a.xmin) })
	if q.barrier {
		batch.Queue("SELECT pg_current_xact_id()::text::bigint").QueryRow(func(r pgx.Row) error { return r.Scan(&a.barrier) })
	}
	if len(q.lows) > 0 {
		batch.Queue(s.lane.holes, q.lows, q.highs, q.space).Query(collect(&a.found))
	}
	if len(q.due) > 0 {
		batch.Queue(s.lane.fetch, q.due).Query(collect(&a.again))
	}
	if q.room > 0 {
		batch.Queue(s.lane.scan, q.after, q.room).Query(collect(&a.news))
	}
	if err := s.conn.SendBatch(ctx, &batch).Close(); err != nil {
		return a, fmt.Errorf("read the lane: %w", err)
	}
	return a, nil
}

func (s *session) scanRow(r pgx.CollectableRow) (row, error) {
	var key []byte
	got := row{msg: bus.Message{Lane: s.lane.name}}
	if err := r.Scan(&got.place, &got.id, &key, &got.msg.Topic, &got.msg.Trace, &got.msg.Body); err != nil {
		return got, err
	}
	copy(got.msg.Key[:], key)
	return got, nil
}

func (s *session) settle(ctx context.Context, floor int64) error {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	if _, err := s.conn.Exec(ctx, s.lane.settle, floor); err != nil {
		return fmt.Errorf("write down what is settled: %w", err)
	}
	return nil
}

// turn makes place the table that is written; false: it is not empty.
func (s *session) turn(ctx context.Context, place int16) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	tag, err := s.conn.Exec(ctx, s.lane.turn, place)
	if err != nil {
		return false, fmt.Errorf("turn the tables: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// move copies messages to the end of the queue, into the table given, and returns the
// copies' ids by the old ones.
func (s *session) move(ctx context.Context, ids []int64, place int16) (map[int64]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	rows, err := s.conn.Query(ctx, s.lane.move[place], ids)
	if err != nil {
		return nil, fmt.Errorf("move %d messages: %w", len(ids), err)
	}
	copies := make(map[int64]int64, len(ids))
	var from, to int64
	if _, err := pgx.ForEachRow(rows, []any{&from, &to}, func() error { copies[from] = to; return nil }); err != nil {
		return nil, fmt.Errorf("move %d messages: %w", len(ids), err)
	}
	return copies, nil
}

// emptying says how an attempt to empty a table ended.
type emptying int

const (
	emptied   emptying = iota
	notYet             // there is something in it that was not read
	tableBusy          // somebody uses it for longer than we want writers to wait
)

// lockWait bounds how long writers of a table wait behind our wish to empty it.
const lockWait = 50 * time.Millisecond

// empty truncates a table of which every row that was read is settled, unless there are
// rows that were not read, above top or in a hole.
func (s *session) empty(ctx context.Context, place int16, top, floor int64, lows, highs []int64) (emptying, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.statement)
	defer cancel()
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("empty a table: %w", err)
	}
	result, err := s.emptyIn(ctx, tx, place, top, floor, lows, highs)
	if err == nil && result == emptied {
		if err := tx.Commit(ctx); err != nil {
			return 0, fmt.Errorf("empty a table: %w", err)
		}
		return emptied, nil
	}
	if back := tx.Rollback(ctx); err == nil {
		err = back
	}
	if err != nil {
		return 0, fmt.Errorf("empty a table: %w", err)
	}
	return result, nil
}

func (s *session) emptyIn(ctx context.Context, tx pgx.Tx, place int16, top, floor int64, lows, highs []int64) (emptying, error) {
	if _, err := tx.Exec(ctx, "SELECT set_config('lock_timeout', $1, true)", ms(lockWait)); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, s.lane.lock[place]); err != nil {
		if pg.Code(err) == "55P03" {
			return tableBusy, nil
		}
		return 0, err
	}
	var unread bool
	if err := tx.QueryRow(ctx, s.lane.check, place, top, lows, highs).Scan(&unread); err != nil {
		return 0, err
	}
	if unread {
		return notYet, nil
	}
	if _, err := tx.Exec(ctx, s.lane.empty[place]); err != nil {
		return 0, err
	}
	_, err := tx.Exec(ctx, s.lane.settle, floor)
	return emptied, err
}
