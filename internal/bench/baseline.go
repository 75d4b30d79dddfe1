package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/wire"
)

// baseline is one measurement of what PostgreSQL takes with nothing before it.
type baseline struct {
	when    string
	clients int
	events  int
	elapsed time.Duration
}

func (b baseline) name() string {
	return fmt.Sprintf("PostgreSQL alone %s, %d at once", b.when, b.clients)
}

func (b baseline) perSecond() float64 { return float64(b.events) / b.elapsed.Seconds() }

const (
	// perCommit is how many events a transaction of the baseline inserts.
	perCommit = 100
	// perNotification bounds the events of one notification, as ingest does.
	perNotification = 100
)

// baselineClients are the numbers of connections that it is measured with.
var baselineClients = []int{1, 4}

// commit is what one transaction of the baseline inserts, by column.
type commit struct {
	size          int
	keys, events  []any
	notifications []any
}

// commits makes of reports the rows that dozor stores for them: a key and an event each,
// and as many notifications as ingest writes of full batches. Notifications about alarms
// are without the alarm, and alarms themselves are not there: that is dozor's work.
//
// What dozor writes of a row is written here too, to the last column.
func commits(reports []wire.Report, rules *event.Rules, sites map[ids.PanelID]ids.SiteID) ([]commit, error) {
	var all []commit
	for batch := range slices.Chunk(reports, ingest.MaxBatch) {
		events := make([]event.Event, len(batch))
		for i, r := range batch {
			e := event.FromReport(r, rules, event.PanelZone())
			e.ID, e.SiteID, e.Trace = ids.NewEventID(), sites[r.PanelID], traceOf(seed, uint64(i))
			if e.Raises || e.Ends {
				e.AlarmID = ids.AlarmID(e.SiteID) // any number: the column has an index
			}
			events[i] = e
		}
		notices, err := notificationsOf(events)
		if err != nil {
			return nil, err
		}
		parts := (len(events) + perCommit - 1) / perCommit
		for part := range parts {
			rows := events[part*perCommit : min((part+1)*perCommit, len(events))]
			all = append(all, commit{
				size: len(rows), keys: keyColumns(rows), events: eventColumns(rows),
				notifications: notificationColumns(notices[part*len(notices)/parts : (part+1)*len(notices)/parts]),
			})
		}
	}
	return all, nil
}

// notification is a row of the outbox.
type notification struct {
	site ids.SiteID
	kind string
	data string
}

// notificationsOf groups the events of a batch as ingest does: those that alarms are made
// of by site and kind, others by site and type of frame.
func notificationsOf(events []event.Event) ([]notification, error) {
	type group struct {
		site  ids.SiteID
		frame string
		about event.Kind
	}
	open := map[group]int{}
	var groups []group
	var data []wire.EventsData
	for i := range events {
		e := &events[i]
		g := group{site: e.SiteID, frame: wire.EventRecorded}
		switch {
		case e.Raises || e.Ends:
			g.frame, g.about = wire.AlarmUpdated, e.Kind
		case e.Arming == event.Armed:
			g.frame = wire.PanelArmed
		case e.Arming == event.Disarmed:
			g.frame = wire.PanelDisarmed
		}
		at, ok := open[g]
		if !ok || len(data[at].Events) == perNotification {
			at = len(groups)
			open[g] = at
			groups, data = append(groups, g), append(data, wire.EventsData{SiteID: e.SiteID, PanelID: e.PanelID})
		}
		data[at].Events = append(data[at].Events, e.View(event.Names{}))
	}
	out := make([]notification, len(groups))
	for i, g := range groups {
		encoded, err := json.Marshal(data[i])
		if err != nil {
			return nil, fmt.Errorf("encode a notification: %w", err)
		}
		out[i] = notification{g.site, g.frame, string(encoded)}
	}
	return out, nil
}

const (
	insertKeys = `
INSERT INTO event_keys (dedup_key, event_id) SELECT k, e::uuid FROM unnest($1::bytea[], $2::text[]) AS q (k, e)`

	insertEvents = `
INSERT INTO events (id, site_id, panel_id, source, kind, priority, code, restore, zone, partition, user_number, source_kind,
    source_number, rules_version, raw, log_index, epoch, segment, log_offset, panel_time, resolved_at, received_at, effective_at,
    alarm_id, trace, recorded_at)
SELECT id::uuid, site_id, panel_id, source, kind, priority, code, restore, nullif(zone, 0), nullif(partition, 0), nullif(user_number, 0),
    source_kind, source_number, rules_version, raw, log_index, epoch, segment, log_offset, panel_time AT TIME ZONE 'UTC',
    resolved_at, received_at, effective_at, nullif(alarm_id, 0), trace, received_at
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::int[], $8::boolean[], $9::int[], $10::int[],
    $11::int[], $12::text[], $13::int[], $14::int[], $15::bytea[], $16::bytea[], $17::int[], $18::bigint[], $19::int[],
    $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[], $24::bigint[], $25::text[])
    AS q (id, site_id, panel_id, source, kind, priority, code, restore, zone, partition, user_number, source_kind, source_number,
    rules_version, raw, log_index, epoch, segment, log_offset, panel_time, resolved_at, received_at, effective_at, alarm_id, trace)`

	insertNotifications = `
INSERT INTO outbox (site_id, type, data) SELECT site, type, data::json FROM unnest($1::bigint[], $2::text[], $3::text[]) AS q (site, type, data)`

	emptyTables = `TRUNCATE event_keys, events, outbox`
)

func columnOf[R, T any](rows []R, of func(*R) T) []T {
	c := make([]T, len(rows))
	for i := range rows {
		c[i] = of(&rows[i])
	}
	return c
}

func keyColumns(events []event.Event) []any {
	return []any{
		columnOf(events, func(e *event.Event) []byte { return e.Key[:] }),
		columnOf(events, func(e *event.Event) string { return e.ID.String() }),
	}
}

func eventColumns(events []event.Event) []any {
	return []any{
		columnOf(events, func(e *event.Event) string { return e.ID.String() }),
		columnOf(events, func(e *event.Event) int64 { return int64(e.SiteID) }),
		columnOf(events, func(e *event.Event) int64 { return int64(e.PanelID) }),
		columnOf(events, func(e *event.Event) string { return string(e.Source) }),
		columnOf(events, func(e *event.Event) string { return string(e.Kind) }),
		columnOf(events, func(e *event.Event) int16 { return int16(e.Priority) }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.Code) }),
		columnOf(events, func(e *event.Event) bool { return e.Restore }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.Zone) }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.Partition) }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.User) }),
		columnOf(events, func(e *event.Event) string { return e.SourceKind }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.SourceNumber) }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.RulesVersion) }),
		columnOf(events, func(e *event.Event) []byte { return e.Raw }),
		columnOf(events, func(e *event.Event) []byte { return e.LogIndex }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.Epoch) }),
		columnOf(events, func(e *event.Event) int64 { return e.Segment }),
		columnOf(events, func(e *event.Event) int32 { return int32(e.Offset) }),
		columnOf(events, func(e *event.Event) time.Time { return e.PanelTime }),
		columnOf(events, func(e *event.Event) time.Time { return e.ResolvedAt }),
		columnOf(events, func(e *event.Event) time.Time { return e.ReceivedAt }),
		columnOf(events, func(e *event.Event) time.Time { return e.EffectiveAt }),
		columnOf(events, func(e *event.Event) int64 { return int64(e.AlarmID) }),
		columnOf(events, func(e *event.Event) string { return e.Trace }),
	}
}

func notificationColumns(rows []notification) []any {
	return []any{
		columnOf(rows, func(n *notification) int64 { return int64(n.site) }),
		columnOf(rows, func(n *notification) string { return n.kind }),
		columnOf(rows, func(n *notification) string { return n.data }),
	}
}

// measurePostgres inserts the same rows into empty tables with each number of clients.
func (s *station) measurePostgres(ctx context.Context, when string, all []commit) ([]baseline, error) {
	var measured []baseline
	for _, clients := range baselineClients {
		b := baseline{when: when, clients: clients}
		for _, c := range all {
			b.events += c.size
		}
		var err error
		if b.elapsed, err = s.insertAll(ctx, clients, all); err != nil {
			return nil, fmt.Errorf("measure PostgreSQL alone: %w", err)
		}
		s.log.Info("measured PostgreSQL alone", "when", when, "clients", clients, "events_per_s", round(b.perSecond(), 0))
		measured = append(measured, b)
	}
	return measured, nil
}

func (s *station) insertAll(ctx context.Context, clients int, all []commit) (time.Duration, error) {
	owner, err := pgx.Connect(ctx, s.server.OwnerURL(baselineDB))
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer owner.Close(context.WithoutCancel(ctx))
	for _, statement := range []string{emptyTables, "CHECKPOINT"} {
		if _, err := owner.Exec(ctx, statement); err != nil {
			return 0, fmt.Errorf("empty the tables: %w", err)
		}
	}
	conns := make([]*pgx.Conn, clients)
	for i := range conns {
		if conns[i], err = pgx.Connect(ctx, s.server.AppURL(baselineDB)); err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		defer conns[i].Close(context.WithoutCancel(ctx))
		for _, statement := range []string{insertKeys, insertEvents, insertNotifications} {
			if _, err := conns[i].Prepare(ctx, statement, statement); err != nil {
				return 0, fmt.Errorf("prepare: %w", err)
			}
		}
	}
	var next atomic.Int64
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, conn := range conns {
		group.Go(func() error {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(all)) {
					return nil
				}
				if err := all[n].insert(ctx, conn); err != nil {
					return err
				}
			}
		})
	}
	err = group.Wait()
	return time.Since(begun), err
}

// insert is one transaction in one exchange.
func (c commit) insert(ctx context.Context, conn *pgx.Conn) error {
	batch := &pgx.Batch{}
	batch.Queue("BEGIN")
	batch.Queue(insertKeys, c.keys...)
	batch.Queue(insertEvents, c.events...)
	batch.Queue(insertNotifications, c.notifications...)
	batch.Queue("COMMIT")
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("insert %d events: %w", c.size, err)
	}
	return nil
}
