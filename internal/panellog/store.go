package panellog

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/satel"
)

// store is the SQL over panel_logs, panel_log_segments and panel_log_epochs.
type store struct{ pool *pg.Pool }

// guard is what a statement that moves something demands of the row: that nobody moved
// it since, that no later holder came, and that the database is in the same life.
type guard struct {
	panel    ids.PanelID
	mark     int64
	fence    int64
	timeline string
}

type logRow struct {
	exists   bool
	timeline string
	epoch    int
	mark     int64
	cursor   int64
	known    []pair
	former   map[pair]bool
	segments []*segment
}

// formerEpochs bounds how many memories left behind are known again.
const formerEpochs = 16

// load takes the log over under a fence and reads it with its open segments.
func (s store) load(ctx context.Context, panel ids.PanelID, fence int64) (logRow, error) {
	var row logRow
	err := s.pool.InTx(ctx, func(tx pgx.Tx) error {
		row = logRow{}
		if err := tx.QueryRow(ctx, `SELECT dozor_timeline()`).Scan(&row.timeline); err != nil {
			return err
		}
		var known []byte
		var held int64
		err := tx.QueryRow(ctx, `SELECT epoch, mark, cursor_segment, known, fence FROM panel_logs WHERE panel_id = $1 FOR UPDATE`, panel).
			Scan(&row.epoch, &row.mark, &row.cursor, &known, &held)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if held > fence {
			return ErrLost
		}
		if held < fence {
			if _, err := tx.Exec(ctx, `UPDATE panel_logs SET fence = $2 WHERE panel_id = $1`, panel, fence); err != nil {
				return err
			}
		}
		row.exists, row.known = true, decodePairs(known)
		if row.former, err = loadFormer(ctx, tx, panel); err != nil {
			return err
		}
		row.segments, err = loadSegments(ctx, tx, panel)
		return err
	})
	return row, err
}

// loadFormer reads where the memories stood that were left for others.
func loadFormer(ctx context.Context, tx pgx.Tx, panel ids.PanelID) (map[pair]bool, error) {
	rows, err := tx.Query(ctx, `SELECT left_known FROM panel_log_epochs WHERE panel_id = $1 AND left_known <> '' ORDER BY epoch DESC LIMIT $2`, panel, formerEpochs)
	if err != nil {
		return nil, err
	}
	former := map[pair]bool{}
	var known []byte
	_, err = pgx.ForEachRow(rows, []any{&known}, func() error {
		for _, p := range decodePairs(known) {
			former[p] = true
		}
		return nil
	})
	return former, err
}

func loadSegments(ctx context.Context, tx pgx.Tx, panel ids.PanelID) ([]*segment, error) {
	rows, err := tx.Query(ctx, `
		SELECT number, epoch, top_index, top_record, first_contact, low_offset, low_arg, low_index, low_record, opened_at
		FROM panel_log_segments WHERE panel_id = $1 AND state = 'open' ORDER BY number`, panel)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (*segment, error) {
		var s segment
		var topIndex, topRecord, lowArg, lowIndex, lowRecord []byte
		err := r.Scan(&s.number, &s.epoch, &topIndex, &topRecord, &s.firstContact, &s.low.offset, &lowArg, &lowIndex, &lowRecord, &s.top.receivedAt)
		if err != nil {
			return nil, err
		}
		s.top.arg = satel.NewestIndex
		copy(s.top.index[:], topIndex)
		copy(s.top.record[:], topRecord)
		s.tail = s.top
		if s.low.offset <= 0 {
			copy(s.low.arg[:], lowArg)
			copy(s.low.index[:], lowIndex)
			copy(s.low.record[:], lowRecord)
			s.tail = s.low
		}
		return &s, nil
	})
}

// begin makes the log of a panel: with the newest record as cursor and top of a segment
// of history, or, for an empty memory, with neither.
func (s store) begin(ctx context.Context, panel ids.PanelID, fence int64, timeline string, known []pair, top *satel.LogEntry) error {
	return s.pool.InTx(ctx, func(tx pgx.Tx) error {
		var number int64
		if err := tx.QueryRow(ctx, `SELECT dozor_now_ms()`).Scan(&number); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO panel_logs (panel_id, cursor_segment, known, fence)
			SELECT $1, $2, $3, $4 WHERE dozor_timeline() = $5 ON CONFLICT (panel_id) DO NOTHING`,
			panel, number, encodePairs(known), fence, timeline)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO panel_log_epochs (panel_id, epoch, reason) VALUES ($1, 1, 'first contact')`, panel); err != nil {
			return err
		}
		if top == nil {
			return nil
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record, first_contact)
			VALUES ($1, $2, 1, $3, $4, true)`, panel, number, top.Index[:], top.Record[:])
		return err
	})
}

// openSegment commits the row of a new segment and returns its number, 0 when the guard
// refused it.
func (s store) openSegment(ctx context.Context, g guard, epoch int, top satel.LogEntry) (int64, error) {
	var number int64
	err := s.pool.QueryRow(ctx, `
		WITH held AS (
			SELECT cursor_segment FROM panel_logs
			WHERE panel_id = $1 AND mark = $2 AND fence = $3 AND dozor_timeline() = $4 FOR UPDATE
		), last AS (
			SELECT max(number) AS number FROM panel_log_segments WHERE panel_id = $1
		)
		INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record)
		SELECT $1, greatest(last.number + 1, held.cursor_segment + 1, dozor_now_ms()), $5, $6, $7
		FROM held, last RETURNING number`,
		g.panel, g.mark, g.fence, g.timeline, epoch, top.Index[:], top.Record[:]).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return number, err
}

// Present says which keys PostgreSQL has, as events or as dead letters.
func Present(pool *pg.Pool) func(ctx context.Context, keys []bus.Key) (map[bus.Key]bool, error) {
	return func(ctx context.Context, keys []bus.Key) (map[bus.Key]bool, error) {
		raw := make([][]byte, len(keys))
		for i := range keys {
			raw[i] = keys[i][:]
		}
		rows, err := pool.Query(ctx, `
			SELECT k FROM unnest($1::bytea[]) AS k
			WHERE EXISTS (SELECT FROM event_keys WHERE dedup_key = k)
			   OR EXISTS (SELECT FROM dead_letters WHERE dedup_key = k)`, raw)
		if err != nil {
			return nil, err
		}
		found := map[bus.Key]bool{}
		var key []byte
		_, err = pgx.ForEachRow(rows, []any{&key}, func() error {
			found[bus.Key(key)] = true
			return nil
		})
		return found, err
	}
}

// segmentMark is a segment whose low mark or state changes.
type segmentMark struct {
	segment *segment
	state   string
}

// advance moves the low marks, closes segments and moves the cursor, all or nothing.
func (s store) advance(ctx context.Context, g guard, cursor int64, known []pair, marks []segmentMark) (bool, error) {
	n := len(marks)
	numbers, offsets, states := make([]int64, n), make([]int32, n), make([]string, n)
	args, indexes, records := make([][]byte, n), make([][]byte, n), make([][]byte, n)
	for i, m := range marks {
		low := m.segment.low
		numbers[i], offsets[i], states[i] = m.segment.number, int32(low.offset), m.state
		args[i], indexes[i], records[i] = low.arg[:], low.index[:], low.record[:]
	}
	tag, err := s.pool.Exec(ctx, `
		WITH moved AS (
			UPDATE panel_logs SET cursor_segment = $5, known = $6, mark = mark + 1
			WHERE panel_id = $1 AND mark = $2 AND fence = $3 AND dozor_timeline() = $4
			RETURNING panel_id
		)
		UPDATE panel_log_segments s
		SET low_offset = u.low_offset, low_arg = u.low_arg, low_index = u.low_index, low_record = u.low_record,
		    state = u.state, closed_at = CASE WHEN u.state <> 'open' THEN dozor_now() END
		FROM moved, unnest($7::bigint[], $8::int[], $9::bytea[], $10::bytea[], $11::bytea[], $12::text[])
		     AS u (number, low_offset, low_arg, low_index, low_record, state)
		WHERE s.panel_id = moved.panel_id AND s.number = u.number`,
		g.panel, g.mark, g.fence, g.timeline, cursor, encodePairs(known), numbers, offsets, args, indexes, records, states)
	return err == nil && tag.RowsAffected() == int64(n), err
}

// raiseEpoch begins a new memory epoch with a row that says why, and where the memory
// stood that is left: an address that was mistyped and corrected leads back to it.
func (s store) raiseEpoch(ctx context.Context, g guard, reason string) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		WITH moved AS (
			UPDATE panel_logs SET epoch = epoch + 1, mark = mark + 1
			WHERE panel_id = $1 AND mark = $2 AND fence = $3 AND dozor_timeline() = $4
			RETURNING epoch, known
		)
		INSERT INTO panel_log_epochs (panel_id, epoch, reason, left_known) SELECT $1, epoch, $5, known FROM moved`,
		g.panel, g.mark, g.fence, g.timeline, reason)
	return err == nil && tag.RowsAffected() == 1, err
}

// erase begins a new epoch of an empty memory and closes every open segment.
func (s store) erase(ctx context.Context, g guard, cursor int64) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		WITH moved AS (
			UPDATE panel_logs SET epoch = epoch + 1, known = '', cursor_segment = $5, mark = mark + 1
			WHERE panel_id = $1 AND mark = $2 AND fence = $3 AND dozor_timeline() = $4
			RETURNING epoch
		), closed AS (
			UPDATE panel_log_segments SET state = 'gap', closed_at = dozor_now()
			WHERE panel_id = $1 AND state = 'open' AND EXISTS (SELECT FROM moved)
		)
		INSERT INTO panel_log_epochs (panel_id, epoch, reason) SELECT $1, epoch, 'the memory was empty' FROM moved`,
		g.panel, g.mark, g.fence, g.timeline, cursor)
	return err == nil && tag.RowsAffected() == 1, err
}

// pairs reads the newest records of a segment. The top is always among them: it is the
// cursor to be, also where ingest set it aside as unreadable.
func (s store) pairs(ctx context.Context, panel ids.PanelID, seg *segment) ([]pair, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT log_index, raw FROM events
		WHERE panel_id = $1 AND epoch = $2 AND segment = $3 AND log_offset < 0
		ORDER BY log_offset DESC LIMIT $4`, panel, seg.epoch, seg.number, knownPairs-1)
	if err != nil {
		return nil, err
	}
	pairs := []pair{seg.top.pair()}
	var index, raw []byte
	_, err = pgx.ForEachRow(rows, []any{&index, &raw}, func() error {
		var p pair
		copy(p.index[:], index)
		copy(p.record[:], raw)
		p.record = p.record.Masked()
		pairs = append(pairs, p)
		return nil
	})
	return pairs, err
}
