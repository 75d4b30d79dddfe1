package desk

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// Which says which alarms a list has: those of one state (its name), or these.
type Which string

// The lists. Open is everything that is not closed.
const (
	Open   Which = "open"
	Closed Which = "closed"
	All    Which = "all"
)

// states of the lists of one state.
var states = map[Which]bool{"new": true, "claimed": true, "acknowledged": true, "resolved": true}

// isQueue reports whether a list is of what is not closed. Such lists are in the order of
// the queue: by priority, confirmed first, the oldest first. Others go from the newest.
func (w Which) isQueue() bool { return w == Open || states[w] }

// Filter says which alarms a list has; zero values are no filter.
type Filter struct {
	Which      Which
	Priorities []int
	Kind       string
	SiteID     ids.SiteID
	OwnerID    ids.UserID
	NoOwner    bool
	// Search is what somebody types: a part of a site's name or address, of a zone's name,
	// or an alarm's number.
	Search string
	// From and To bound the instant of opening; To is not in it.
	From, To time.Time
}

// Place is where a list of alarms goes on: after that one.
type Place struct {
	Priority    int         `json:"p,omitempty"` // only of a queue
	Unconfirmed bool        `json:"u,omitempty"` // only of a queue
	OpenedAt    time.Time   `json:"t,omitzero"`
	ID          ids.AlarmID `json:"i"`
}

// Page is a part of a list.
type Page struct {
	Alarms []wire.Alarm
	Next   *Place // nil at the end
	Stream wire.StreamPosition
}

// MaxPage bounds a page of any list.
const MaxPage = 200

// query is a statement that grows by conditions, each with its arguments.
type query struct {
	where []string
	args  []any
}

// arg gives the placeholder of a value.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *query) and(condition string) { q.where = append(q.where, condition) }

// statement of a page of a list. What it is read through: alarms_queue_idx for a queue,
// alarms_opened_idx for the others, alarms_kind_opened_idx for those of a kind,
// alarms_site_idx for those of a site.
func (f Filter) statement(after Place, limit int) (sql string, args []any) {
	q := &query{}
	order := "a.opened_at DESC, a.id DESC"
	switch {
	case f.Which.isQueue():
		order = "a.priority, (a.confirmed_at IS NULL), a.opened_at, a.id"
		q.and("a.state <> 'closed'")
		q.and("(a.priority, (a.confirmed_at IS NULL), a.opened_at, a.id) > (" + q.arg(after.Priority) + "::smallint, " + q.arg(after.Unconfirmed) +
			"::boolean, " + q.arg(after.OpenedAt) + "::timestamptz, " + q.arg(int64(after.ID)) + "::bigint)")
	case after.ID != 0:
		q.and("(a.opened_at, a.id) < (" + q.arg(after.OpenedAt) + "::timestamptz, " + q.arg(int64(after.ID)) + "::bigint)")
	}
	if f.Which == Closed || states[f.Which] {
		q.and("a.state = " + q.arg(string(f.Which)))
	}
	f.narrow(q)
	where := ""
	if len(q.where) > 0 {
		where = "WHERE " + strings.Join(q.where, " AND ")
	}
	// The page first, then the names that its rows have.
	sql = "WITH page AS MATERIALIZED (SELECT a.* FROM alarms a " + where + " ORDER BY " + order + " LIMIT " + q.arg(limit) + ")" +
		strings.Replace(selectAlarm, "FROM alarms a", "FROM page a", 1) + "ORDER BY " + order
	return sql, q.args
}

func (f Filter) narrow(q *query) {
	if len(f.Priorities) > 0 {
		q.and("a.priority = ANY(" + q.arg(f.Priorities) + "::smallint[])")
	}
	if f.Kind != "" {
		q.and("a.kind = " + q.arg(f.Kind))
	}
	if f.SiteID != 0 {
		q.and("a.site_id = " + q.arg(int64(f.SiteID)))
	}
	switch {
	case f.NoOwner:
		q.and("a.owner_id IS NULL")
	case f.OwnerID != 0:
		q.and("a.owner_id = " + q.arg(int64(f.OwnerID)))
	}
	if !f.From.IsZero() {
		q.and("a.opened_at >= " + q.arg(f.From) + "::timestamptz")
	}
	if !f.To.IsZero() {
		q.and("a.opened_at < " + q.arg(f.To) + "::timestamptz")
	}
	if f.Search != "" {
		pattern := q.arg("%"+escapeLike(f.Search)+"%") + "::text"
		either := "a.site_id IN (SELECT id FROM sites WHERE dozor_fold(name || ' ' || address || ' ' || city) LIKE dozor_fold(" + pattern + "))" +
			" OR (a.panel_id, a.zone) IN (SELECT panel_id, number FROM panel_objects WHERE kind = 'zone' AND dozor_fold(name) LIKE dozor_fold(" + pattern + "))"
		if id, err := ids.Parse[ids.AlarmID](strings.TrimPrefix(f.Search, "#")); err == nil {
			either += " OR a.id = " + q.arg(int64(id))
		}
		q.and("(" + either + ")")
	}
}

// escapeLike takes from a text what LIKE would read as a pattern.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// List returns a page of alarms after a place; the zero place is the beginning.
func (d *Desk) List(ctx context.Context, f Filter, after Place, limit int) (Page, error) {
	limit = max(1, min(limit, MaxPage))
	page := Page{}
	var err error
	if page.Stream, err = outbox.Head(ctx, d.d.Pool); err != nil {
		return page, err
	}
	sql, args := f.statement(after, limit+1)
	rows, err := d.d.Pool.Query(ctx, sql, args...)
	if err != nil {
		return page, fmt.Errorf("list %s alarms: %w", f.Which, err)
	}
	if page.Alarms, err = pgx.CollectRows(rows, scanAlarm); err != nil {
		return page, fmt.Errorf("list %s alarms: %w", f.Which, err)
	}
	if len(page.Alarms) > limit {
		page.Alarms = page.Alarms[:limit]
		last := page.Alarms[limit-1]
		page.Next = &Place{OpenedAt: last.OpenedAt, ID: last.ID}
		if f.Which.isQueue() {
			page.Next.Priority, page.Next.Unconfirmed = last.Priority, last.ConfirmedAt == nil
		}
	}
	return page, nil
}
