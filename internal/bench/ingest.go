package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"dozor/internal/audit"
	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/site"
	"dozor/internal/wire"
)

// warmEvents go through before anything is measured.
const warmEvents = 2000

// ingestRun is what one run of Ingest works with.
type ingestRun struct {
	*station
	o      IngestOptions
	panels []ids.PanelID
	sites  map[ids.PanelID]ids.SiteID
	work   *workload
	rules  *event.Rules
}

// Ingest measures how fast events go from the bus to the wire, and how fast the same
// PostgreSQL takes the same rows with nothing before it. With a report comes an error
// wrapping ErrInexact when an event was lost or doubled.
func Ingest(ctx context.Context, o IngestOptions) (report IngestReport, err error) {
	if err := o.check(); err != nil {
		return report, err
	}
	s, err := newStation(ctx, o.Settings, baselineDB)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.use(ctx, o.Adapters); err != nil {
		return report, err
	}
	r := &ingestRun{station: s, o: o}
	if err := r.prepare(ctx); err != nil {
		return report, err
	}
	alone, err := r.baselineCommits()
	if err != nil {
		return report, err
	}
	before, err := s.measurePostgres(ctx, "before", alone)
	if err != nil {
		return report, err
	}
	if report, err = r.measure(ctx); err != nil {
		return report, err
	}
	after, err := s.measurePostgres(ctx, "after", alone)
	if err != nil {
		return report, err
	}
	report.baselines = slices.Concat(before, after)
	report.Postgres = round(median(columnOf(report.baselines, func(b *baseline) float64 { return b.perSecond() })), 1)
	report.Ratio = round(report.PerSecond/report.Postgres, 3)
	return report, report.verdict()
}

// prepare makes panels that nobody connects to, with the names of their parts.
func (r *ingestRun) prepare(ctx context.Context) error {
	addresses := make([]address, r.o.Panels)
	for i := range addresses {
		addresses[i] = address{"127.0.0.1", 20_000 + i}
	}
	var err error
	if r.panels, err = r.addPanels(ctx, addresses, false); err != nil {
		return err
	}
	if r.rules, err = ingest.InstallRules(ctx, r.pool); err != nil {
		return err
	}
	sites := site.New(site.Deps{Pool: r.pool, Keyring: r.keyring, Audit: audit.New(r.keyring, instance)})
	objects := objectsOfPanel()
	r.sites = map[ids.PanelID]ids.SiteID{}
	for _, panel := range r.panels {
		if err := sites.SaveObjects(ctx, panel, objects); err != nil {
			return err
		}
	}
	rows, err := r.pool.Query(ctx, "SELECT id, site_id FROM panels")
	if err != nil {
		return fmt.Errorf("read the sites of panels: %w", err)
	}
	var panel, of int64
	if _, err := pgx.ForEachRow(rows, []any{&panel, &of}, func() error {
		r.sites[ids.PanelID(panel)] = ids.SiteID(of)
		return nil
	}); err != nil {
		return fmt.Errorf("read the sites of panels: %w", err)
	}
	r.work, err = newWorkload(seed, r.panels)
	return err
}

func objectsOfPanel() []site.Object {
	var objects []site.Object
	for kind, n := range map[string]int{"zone": zonesOfPanel, "partition": partitionsOfPanel, "user": usersOfPanel} {
		for i := range n {
			objects = append(objects, site.Object{Kind: kind, Number: i + 1, Name: fmt.Sprintf("%s %d", kind, i+1)})
		}
	}
	return objects
}

// baselineCommits are rows for PostgreSQL alone, of the same mix.
func (r *ingestRun) baselineCommits() ([]commit, error) {
	w, err := newWorkload(seed, r.panels)
	if err != nil {
		return nil, err
	}
	reports, err := w.reports(r.o.Events, time.Now())
	if err != nil {
		return nil, err
	}
	return commits(reports, r.rules, r.sites)
}

// measure runs dozor and sends it everything.
func (r *ingestRun) measure(ctx context.Context) (report IngestReport, err error) {
	dozor, err := r.serve(ctx, "api,relay")
	if err != nil {
		return report, err
	}
	a := newAPI(dozor.url, benchLogin, r.password)
	defer a.close()
	from, err := a.position(ctx)
	if err != nil {
		return report, err
	}
	seen := newScreen(a, from, nil, r.log)
	working, leave := context.WithCancel(ctx)
	defer leave()
	group, working := errgroup.WithContext(working)
	defer func() { leave(); err = afterwards(ctx, err, group.Wait()) }()
	if err := connect(working, group, []*screen{seen}); err != nil {
		return report, err
	}
	out, done, err := r.openBus(working, group)
	if err != nil {
		return report, err
	}
	defer done()

	warm, err := r.batch(ctx, warmEvents)
	if err != nil {
		return report, err
	}
	if _, err := r.send(working, out, seen, warm); err != nil {
		return report, errors.Join(err, dozor.ended())
	}
	if _, all := seen.count(); all < len(warm) {
		return report, fmt.Errorf("warm up: %d of %d events arrived", all, len(warm))
	}
	seen.take()
	msgs, err := r.batch(ctx, r.o.Events)
	if err != nil {
		return report, err
	}
	if err := r.settle(ctx); err != nil {
		return report, err
	}
	used, err := startMeters(append(r.serverMeters(), dozor.meter(), processMeter("bench", os.Getpid()))...)
	if err != nil {
		return report, err
	}
	begun := time.Now()
	published, err := r.send(working, out, seen, msgs)
	if err != nil {
		return report, errors.Join(err, dozor.ended())
	}
	processes, err := used.stop()
	if err != nil {
		return report, err
	}
	if err := pause(ctx, quiet); err != nil {
		return report, err
	}
	ledger := seen.take()
	report, err = r.compare(ctx, msgs, len(warm), ledger)
	if err != nil {
		return report, err
	}
	if ledger.Last.After(begun) {
		report.elapsed = ledger.Last.Sub(begun)
		report.PerSecond = round(float64(len(ledger.Seen))/report.elapsed.Seconds(), 1)
	}
	report.published, report.processes = published.Sub(begun), processes
	report.restarts, report.resets = seen.troubles()
	return report, r.stop(ctx, dozor.child)
}

// batch makes messages and the rows of their segments, without which ingest leaves
// records to be read again.
func (r *ingestRun) batch(ctx context.Context, n int) ([]bus.Message, error) {
	reports, err := r.work.reports(n, time.Now())
	if err != nil {
		return nil, err
	}
	msgs, err := r.work.messages(reports, r.rules)
	if err != nil {
		return nil, err
	}
	return msgs, r.storeSegments(ctx, reports)
}

const (
	storeLogs = `
INSERT INTO panel_logs (panel_id, cursor_segment) SELECT unnest($1::bigint[]), 0 ON CONFLICT DO NOTHING`

	storeSegments = `
INSERT INTO panel_log_segments (panel_id, number, epoch, top_index, top_record, low_offset, state)
SELECT panel, number, 1, index, record, 0, 'open'
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS q (panel, number, index, record)
ON CONFLICT (panel_id, number) DO UPDATE SET top_index = excluded.top_index, top_record = excluded.top_record`
)

func (r *ingestRun) storeSegments(ctx context.Context, reports []wire.Report) error {
	type segment struct {
		panel  ids.PanelID
		number int64
	}
	newest := map[segment]*wire.Record{}
	for _, report := range reports {
		newest[segment{report.PanelID, report.Record.Number}] = report.Record
	}
	var panels, numbers []int64
	var indexes, records [][]byte
	for s, record := range newest {
		panels, numbers = append(panels, int64(s.panel)), append(numbers, s.number)
		indexes, records = append(indexes, record.Index), append(records, record.Raw)
	}
	return r.pool.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, storeLogs, panels); err != nil {
			return fmt.Errorf("prepare the logs of panels: %w", err)
		}
		if _, err := tx.Exec(ctx, storeSegments, panels, numbers, indexes, records); err != nil {
			return fmt.Errorf("prepare %d segments: %w", len(panels), err)
		}
		return nil
	})
}

// compare follows each published message by its key to the stored event and from there to
// the frames in which it was.
func (r *ingestRun) compare(ctx context.Context, msgs []bus.Message, warm int, seen ledger) (IngestReport, error) {
	report := IngestReport{Events: len(msgs), panels: len(r.panels)}
	stored := make(map[bus.Key]ids.EventID, len(msgs)+warm)
	rows, err := r.pool.Query(ctx, "SELECT dedup_key, event_id FROM event_keys")
	if err != nil {
		return report, fmt.Errorf("read what was stored: %w", err)
	}
	var key []byte
	var id ids.EventID
	if _, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error {
		stored[bus.Key(key)] = id
		return nil
	}); err != nil {
		return report, fmt.Errorf("read what was stored: %w", err)
	}
	expected := map[ids.EventID]bool{}
	for _, m := range msgs {
		id, isStored := stored[m.Key]
		frames := seen.Seen[id]
		if !isStored || frames == 0 {
			report.Lost++
		}
		if isStored {
			expected[id] = true
			report.Duplicated += max(frames-1, 0)
		}
	}
	for id := range seen.Seen {
		if !expected[id] {
			report.Duplicated++ // an event that no message stands behind
		}
	}
	var events int
	if err := r.pool.QueryRow(ctx, "SELECT count(*) FROM events WHERE source = $1", string(event.FromPanel)).Scan(&events); err != nil {
		return report, fmt.Errorf("count what was stored: %w", err)
	}
	report.Duplicated += max(events-len(msgs)-warm, 0)
	return report, nil
}
