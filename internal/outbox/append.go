package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// HintChannel is where writers hint, after their commit, that there is something to
// stamp. A lost hint costs at most the relay's poll interval.
const HintChannel = "dozor_outbox"

// Lane decides what is stamped first. Within a lane it goes by id.
type Lane int16

// The lanes.
const (
	Live     Lane = 0 // what people wait for
	Backfill Lane = 1 // history read back from a panel's memory
)

// Row is one notification to be sent.
type Row struct {
	Lane Lane
	// SiteID is the site that a viewer must be allowed to see; 0 when not bound to one.
	SiteID ids.SiteID
	// Audience is who may see it; empty means wire.Operators.
	Audience string
	// Type is the frame's type, one of those in wire.
	Type string
	// Version is that of what the frame describes; 0 where it has none.
	Version int64
	// Ring is the alarm's ring counter; 0 where nothing rings.
	Ring int
	// Data is the frame's data: the whole of what it describes. It is marshalled with
	// encoding/json, so that a json.RawMessage goes out as it is.
	Data any
	// Trace is the trace id of what caused it; may be empty.
	Trace string
	// AnsweredAt is when the last byte of the panel's answer behind it came; zero when
	// no panel is behind it.
	AnsweredAt time.Time
}

// Append writes notifications in the transaction of the change that they tell of, in
// the order given. They go out after the commit, or never. Insert them under the lock
// of the row that they describe: only then do versions go out in their order.
func Append(ctx context.Context, tx pgx.Tx, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	c := newColumns(len(rows))
	for i, r := range rows {
		if err := c.add(r); err != nil {
			return fmt.Errorf("append notification %d of %d (%s): %w", i+1, len(rows), r.Type, err)
		}
	}
	_, err := tx.Exec(ctx, insertRows, c.lanes, c.sites, c.audiences, c.types, c.versions, c.rings, c.data, c.traces, c.answered)
	if err != nil {
		return fmt.Errorf("append %d notifications: %w", len(rows), err)
	}
	return nil
}

// The order by ordinality is what gives ids in the order of the rows.
const insertRows = `
INSERT INTO outbox (lane, site_id, audience, type, version, ring, data, trace, answered_at)
SELECT lane, site_id, audience, type, version, ring, data::json, trace, answered_at
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::int[], $7::text[], $8::text[], $9::timestamptz[])
     WITH ORDINALITY AS r (lane, site_id, audience, type, version, ring, data, trace, answered_at, ord)
ORDER BY ord`

type columns struct {
	lanes     []int16
	sites     []*int64
	audiences []string
	types     []string
	versions  []int64
	rings     []int32
	data      []string
	traces    []string
	answered  []*time.Time
}

func newColumns(n int) *columns {
	return &columns{
		lanes: make([]int16, 0, n), sites: make([]*int64, 0, n), audiences: make([]string, 0, n),
		types: make([]string, 0, n), versions: make([]int64, 0, n), rings: make([]int32, 0, n),
		data: make([]string, 0, n), traces: make([]string, 0, n), answered: make([]*time.Time, 0, n),
	}
}

func (c *columns) add(r Row) error {
	if r.Type == "" {
		return errors.New("no type")
	}
	if r.Data == nil {
		return errors.New("no data")
	}
	data, err := json.Marshal(r.Data)
	if err != nil {
		return fmt.Errorf("encode its data: %w", err)
	}
	if r.Audience == "" {
		r.Audience = wire.Operators
	}
	c.lanes = append(c.lanes, int16(r.Lane))
	c.sites = append(c.sites, nullable(int64(r.SiteID), r.SiteID == 0))
	c.audiences = append(c.audiences, r.Audience)
	c.types = append(c.types, r.Type)
	c.versions = append(c.versions, r.Version)
	c.rings = append(c.rings, int32(r.Ring))
	c.data = append(c.data, string(data))
	c.traces = append(c.traces, r.Trace)
	c.answered = append(c.answered, nullable(r.AnsweredAt, r.AnsweredAt.IsZero()))
	return nil
}

func nullable[T any](v T, null bool) *T {
	if null {
		return nil
	}
	return &v
}
