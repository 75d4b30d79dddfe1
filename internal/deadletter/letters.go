package deadletter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/audit"
	"dozor/internal/bus"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
)

// State is where a letter stands.
type State string

// The states. Open and Replaying wait for somebody; the others are final.
const (
	Open      State = "open"
	Replaying State = "replaying"
	Stored    State = "stored"
	Known     State = "known"
	Dismissed State = "dismissed"
)

// Letter is a message that was set aside, without what it holds.
type Letter struct {
	ID     int64  `json:"id"`
	State  State  `json:"state" enum:"open,replaying,stored,known,dismissed"`
	Reason string `json:"reason" doc:"Why it could not be stored, the last time it was tried"`
	// Of the panel and the site as far as they could be told.
	PanelID   ids.PanelID  `json:"panel_id,omitempty"`
	PanelName string       `json:"panel_name,omitempty"`
	SiteID    ids.SiteID   `json:"site_id,omitempty"`
	SiteName  string       `json:"site_name,omitempty"`
	AlarmID   ids.AlarmID  `json:"alarm_id,omitempty" doc:"The alarm that said so"`
	EventID   *ids.EventID `json:"event_id,omitempty" format:"uuid" doc:"Of stored and known: the event that it is"`

	Key   string `json:"key" doc:"The message's key, in hexadecimal"`
	Lane  string `json:"lane" enum:"live,backfill"`
	Topic string `json:"topic"`
	Trace string `json:"trace,omitempty"`
	Size  int    `json:"size" doc:"Bytes of what it holds"`

	Seen        int       `json:"seen" doc:"How often it could not be stored"`
	FirstSeenAt time.Time `json:"first_seen_at"`
	LastSeenAt  time.Time `json:"last_seen_at"`

	Replays     int        `json:"replays" doc:"How often somebody had it tried again"`
	ReplayedAt  *time.Time `json:"replayed_at,omitempty"`
	ReplayedBy  string     `json:"replayed_by,omitempty"`
	SettledAt   *time.Time `json:"settled_at,omitempty"`
	DismissedBy string     `json:"dismissed_by,omitempty"`
	Note        string     `json:"note,omitempty" doc:"Of dismissed: why"`
}

// Deps is what Letters need. Bus is where replays go; Requested is called after a replay
// was asked for, a hint for whoever runs Send. Both may be nil where nobody replays.
type Deps struct {
	Pool      *pg.Pool
	Audit     *audit.Log
	Bus       bus.Publisher
	Logger    *slog.Logger
	Requested func()
}

// Letters are the use cases. Safe for concurrent use.
type Letters struct{ d Deps }

// New makes the use cases.
func New(d Deps) *Letters {
	d.Logger = d.Logger.With("component", "deadletter")
	if d.Requested == nil {
		d.Requested = func() {}
	}
	return &Letters{d: d}
}

// The errors that callers tell apart.
var (
	ErrNotFound       = errs.New(errs.NotFound, "dead_letter_not_found", "There is no such dead letter.")
	ErrReplayNotFound = errs.New(errs.NotFound, "replay_not_found", "There is no such replay, or all its letters were taken by another one.")
	ErrSettled        = errs.New(errs.Conflict, "dead_letter_settled", "The dead letter is settled already.")
	ErrReplaying      = errs.New(errs.Conflict, "dead_letter_replaying", "The dead letter is being replayed. See what becomes of it first.")
	errNote           = errs.New(errs.Invalid, "invalid_reason", "The reason has 1 to 500 characters.")
)

// Bounds.
const (
	// MaxPage bounds a page of the list.
	MaxPage = 200
	// MaxReplay bounds what one request has replayed; the next one goes on.
	MaxReplay = 500

	maxNote = 500
)

// Filter says which letters are meant; zero values are no filter.
type Filter struct {
	States []State
	Reason string // a part of it, whatever the case
	Before int64  // the list goes on after that one
}

const selectLetter = `
SELECT d.id, d.state, d.reason, coalesce(d.panel_id, 0), coalesce(p.name, ''), coalesce(s.id, 0), coalesce(s.name, ''), coalesce(d.alarm_id, 0), d.event_id,
       encode(d.dedup_key, 'hex'), d.lane, d.topic, d.trace, length(d.body), d.seen, d.first_seen_at, d.last_seen_at,
       d.replays, d.replayed_at, coalesce(r.name, ''), d.settled_at, coalesce(m.name, ''), d.note
FROM dead_letters d
LEFT JOIN panels p ON p.id = d.panel_id
LEFT JOIN alarms a ON a.id = d.alarm_id
LEFT JOIN sites s ON s.id = coalesce(p.site_id, a.site_id)
LEFT JOIN users r ON r.id = d.replayed_by
LEFT JOIN users m ON m.id = d.dismissed_by
`

func scanLetter(r pgx.CollectableRow) (Letter, error) {
	var l Letter
	err := r.Scan(&l.ID, &l.State, &l.Reason, &l.PanelID, &l.PanelName, &l.SiteID, &l.SiteName, &l.AlarmID, &l.EventID,
		&l.Key, &l.Lane, &l.Topic, &l.Trace, &l.Size, &l.Seen, &l.FirstSeenAt, &l.LastSeenAt,
		&l.Replays, &l.ReplayedAt, &l.ReplayedBy, &l.SettledAt, &l.DismissedBy, &l.Note)
	l.FirstSeenAt, l.LastSeenAt = l.FirstSeenAt.UTC(), l.LastSeenAt.UTC()
	return l, err
}

// List returns letters from the newest on; next is 0 at the end.
func (l *Letters) List(ctx context.Context, f Filter, limit int) (list []Letter, next int64, err error) {
	limit = max(1, min(limit, MaxPage))
	where, args := []string{"true"}, []any{limit + 1}
	and := func(condition string, value any) {
		args = append(args, value)
		where = append(where, strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1))
	}
	if len(f.States) > 0 {
		and("d.state = ANY(?::text[])", f.States)
	}
	if f.Reason != "" {
		and("strpos(lower(d.reason), lower(?)) > 0", f.Reason)
	}
	if f.Before != 0 {
		and("d.id < ?", f.Before)
	}
	rows, err := l.d.Pool.Query(ctx, selectLetter+"WHERE "+strings.Join(where, " AND ")+" ORDER BY d.id DESC LIMIT $1", args...)
	if err != nil {
		return nil, 0, fmt.Errorf("list dead letters: %w", err)
	}
	if list, err = pgx.CollectRows(rows, scanLetter); err != nil {
		return nil, 0, fmt.Errorf("list dead letters: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}

// Get returns one letter.
func (l *Letters) Get(ctx context.Context, id int64) (Letter, error) { return one(ctx, l.d.Pool, id) }

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func one(ctx context.Context, q querier, id int64) (Letter, error) {
	rows, err := q.Query(ctx, selectLetter+"WHERE d.id = $1", id)
	if err != nil {
		return Letter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	letter, err := pgx.CollectExactlyOneRow(rows, scanLetter)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Letter{}, ErrNotFound
	case err != nil:
		return Letter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	return letter, nil
}

// Waiting counts the letters that wait for somebody.
func (l *Letters) Waiting(ctx context.Context) (int64, error) {
	var n int64
	if err := l.d.Pool.QueryRow(ctx, "SELECT count(*) FROM dead_letters WHERE state IN ('open', 'replaying')").Scan(&n); err != nil {
		return 0, fmt.Errorf("count dead letters: %w", err)
	}
	return n, nil
}

// lock locks a letter and returns its state.
func lock(ctx context.Context, tx pgx.Tx, id int64) (State, error) {
	var state State
	err := tx.QueryRow(ctx, "SELECT state FROM dead_letters WHERE id = $1 FOR NO KEY UPDATE", id).Scan(&state)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", ErrNotFound
	case err != nil:
		return "", fmt.Errorf("lock the letter: %w", err)
	}
	return state, nil
}

// newReplayID names a replay.
func newReplayID() uuid.UUID { return ids.NewCommandID() }
