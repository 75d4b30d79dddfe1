package deadletter

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/bus"
)

// take marks what is to be sent. What ingest has locked at this moment it leaves alone, so
// that neither waits for the other.
const take = `
UPDATE dead_letters d SET state = 'replaying', sent_at = NULL,
    replays = d.replays + 1, replay_id = $1, replayed_at = dozor_now(), replayed_by = nullif($2::bigint, 0)
FROM (SELECT id FROM dead_letters
      WHERE state = 'open' AND replay_id IS DISTINCT FROM $1 AND strpos(lower(reason), lower($3)) > 0
      ORDER BY id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED) t
WHERE d.id = t.id`

const countLeft = `
SELECT count(*) FROM dead_letters WHERE state = 'open' AND replay_id IS DISTINCT FROM $1 AND strpos(lower(reason), lower($2)) > 0`

// Replay has one letter tried again. Asking twice is asking once while it is under way.
func (l *Letters) Replay(ctx context.Context, by access.Principal, id int64) (Letter, error) {
	var letter Letter
	err := l.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		state, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		switch state {
		case Open:
			replay := newReplayID()
			if _, err := tx.Exec(ctx, `
				UPDATE dead_letters SET state = 'replaying', sent_at = NULL,
				    replays = replays + 1, replay_id = $2, replayed_at = dozor_now(), replayed_by = nullif($3::bigint, 0)
				WHERE id = $1`, id, replay, int64(by.UserID)); err != nil {
				return err
			}
			if err := l.d.Audit.Append(ctx, tx, audit.By(by, "dead_letter.replay", "dead_letter", id)); err != nil {
				return err
			}
		case Replaying:
		default:
			return ErrSettled
		}
		letter, err = one(ctx, tx, id)
		return err
	})
	if err != nil {
		return Letter{}, fmt.Errorf("replay dead letter %d: %w", id, err)
	}
	l.d.Requested()
	return letter, nil
}

// Replay is how a replay of many goes.
type Replay struct {
	ID uuid.UUID `json:"id" format:"uuid"`
	// Of the letters that it took and no later replay has taken since.
	Taken   int `json:"taken"`
	Waiting int `json:"waiting" doc:"Not answered by ingest yet"`
	Stored  int `json:"stored" doc:"Became events"`
	Known   int `json:"known" doc:"Were events before"`
	Failed  int `json:"failed" doc:"Are open again"`
}

// ReplayAll has open letters tried again, the oldest MaxReplay of those whose reason has
// that part, and says how many it left. An id goes on with an earlier replay: it takes each
// letter once.
func (l *Letters) ReplayAll(ctx context.Context, by access.Principal, reason string, id uuid.UUID) (run Replay, left int, err error) {
	if id == uuid.Nil {
		id = newReplayID()
	}
	err = l.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, take, id, int64(by.UserID), reason, MaxReplay)
		if err != nil {
			return err
		}
		if run, err = runOf(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, countLeft, id, reason).Scan(&left); err != nil {
			return fmt.Errorf("count what is left: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		entry := audit.By(by, "dead_letter.replay_all", "dead_letter_replay", id)
		entry.Details = map[string]any{"taken": tag.RowsAffected()}
		if reason != "" {
			entry.Details["reason"] = reason
		}
		return l.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return Replay{}, 0, fmt.Errorf("replay dead letters: %w", err)
	}
	l.d.Requested()
	return run, left, nil
}

// Progress says how a replay goes.
func (l *Letters) Progress(ctx context.Context, id uuid.UUID) (Replay, error) {
	run, err := runOf(ctx, l.d.Pool, id)
	if err == nil && run.Taken == 0 {
		err = ErrReplayNotFound
	}
	return run, err
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func runOf(ctx context.Context, q rowQuerier, id uuid.UUID) (Replay, error) {
	run := Replay{ID: id}
	err := q.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE state = 'replaying'), count(*) FILTER (WHERE state = 'stored'),
		       count(*) FILTER (WHERE state = 'known'), count(*) FILTER (WHERE state = 'open')
		FROM dead_letters WHERE replay_id = $1`, id).Scan(&run.Taken, &run.Waiting, &run.Stored, &run.Known, &run.Failed)
	if err != nil {
		return run, fmt.Errorf("read how replay %s goes: %w", id, err)
	}
	return run, nil
}

// Dismiss settles a letter that nobody will ever read, with the reason.
func (l *Letters) Dismiss(ctx context.Context, by access.Principal, id int64, reason string) (Letter, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 1 || n > maxNote || strings.ContainsRune(reason, 0) {
		return Letter{}, errNote
	}
	var letter Letter
	err := l.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		state, err := lock(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case state == Replaying:
			return ErrReplaying
		case state != Open:
			return ErrSettled
		}
		if _, err := tx.Exec(ctx, `
			UPDATE dead_letters SET state = 'dismissed', settled_at = dozor_now(), dismissed_by = nullif($2::bigint, 0), note = $3
			WHERE id = $1`, id, int64(by.UserID), reason); err != nil {
			return err
		}
		entry := audit.By(by, "dead_letter.dismiss", "dead_letter", id)
		entry.Personal = map[string]string{"reason": reason}
		if err := l.d.Audit.Append(ctx, tx, entry); err != nil {
			return err
		}
		letter, err = one(ctx, tx, id)
		return err
	})
	if err != nil {
		return Letter{}, fmt.Errorf("dismiss dead letter %d: %w", id, err)
	}
	return letter, nil
}

const (
	// sendBatch bounds what goes to the bus at once.
	sendBatch = 100
	// sendAgain is after how long a letter without an outcome goes out once more.
	sendAgain = time.Minute
)

// claimUnsent says of letters that they are sent, before they are: an instance that dies in
// between is made good by sendAgain, and no two send the same.
const claimUnsent = `
UPDATE dead_letters d SET sent_at = dozor_now()
FROM (SELECT id FROM dead_letters
      WHERE state = 'replaying' AND (sent_at IS NULL OR sent_at < dozor_now() - $1::interval)
      ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) t
WHERE d.id = t.id RETURNING d.id, d.dedup_key, d.topic, d.trace, d.body`

// Send publishes what is to be replayed. Call it now and then, and when Requested says so,
// from as many instances as there are.
func (l *Letters) Send(ctx context.Context) error {
	for {
		n, err := l.sendSome(ctx)
		if err != nil || n < sendBatch {
			return err
		}
	}
}

func (l *Letters) sendSome(ctx context.Context) (int, error) {
	rows, err := l.d.Pool.Query(ctx, claimUnsent, sendAgain, sendBatch)
	if err != nil {
		return 0, fmt.Errorf("find letters to replay: %w", err)
	}
	var letters []int64
	msgs, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (bus.Message, error) {
		var id int64
		var key []byte
		m := bus.Message{Lane: bus.Backfill}
		if err := r.Scan(&id, &key, &m.Topic, &m.Trace, &m.Body); err != nil {
			return m, err
		}
		letters, m.Key = append(letters, id), bus.Key(key)
		return m, nil
	})
	if err != nil {
		return 0, fmt.Errorf("find letters to replay: %w", err)
	}
	if len(msgs) == 0 {
		return 0, nil
	}
	var refused []int64
	unknown := 0
	for i, outcome := range l.d.Bus.Publish(ctx, msgs) {
		switch outcome {
		case bus.Confirmed:
		case bus.Refused:
			refused = append(refused, letters[i])
		case bus.Unknown:
			unknown++ // it goes out again
		}
	}
	if len(refused) > 0 {
		if _, err := l.d.Pool.Exec(ctx, `
			UPDATE dead_letters SET state = 'open', last_seen_at = dozor_now(), reason = 'the bus refuses it'
			WHERE id = ANY($1) AND state = 'replaying'`, refused); err != nil {
			return 0, fmt.Errorf("note what the bus refused: %w", err)
		}
	}
	if unknown > 0 {
		return 0, fmt.Errorf("replay %d letters: the bus did not confirm %d of them", len(msgs), unknown)
	}
	return len(msgs), nil
}
