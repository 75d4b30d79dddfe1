package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/pg"
	"dozor/satel"
)

// PanelsOptions say what Panels does.
type PanelsOptions struct {
	Panels    int           `default:"500" placeholder:"N" help:"How many simulated panels are held."`
	Workers   int           `default:"1" placeholder:"N" help:"How many worker processes share them."`
	Rate      float64       `default:"10" placeholder:"N" help:"Events per second over all panels: alarms and their ends."`
	Duration  time.Duration `default:"60s" placeholder:"TIME" help:"How long events are raised."`
	Subscribe bool          `help:"Let workers subscribe to news where a module offers it; without it they poll alone."`
	Limit     time.Duration `default:"60s" placeholder:"TIME" help:"How long after the last act an event may come, before it counts as lost."`

	PollInterval time.Duration `default:"250ms" placeholder:"TIME" help:"The time between two questions to a panel."`
	AnswerDelay  time.Duration `default:"20ms" placeholder:"TIME" help:"The time from a question to the panel's answer."`
	MinGap       time.Duration `default:"10ms" placeholder:"TIME" help:"How long after an answer the panel does not listen."`

	Settings `embed:""`
}

// Limits of Panels.
const (
	maxFleet   = 10_000
	maxWorkers = 16
	// bareFor is how long the panels are polled without dozor, at most.
	bareFor = 15 * time.Second
	// openFor is how long a zone stays open, where panels are many.
	openFor = 2 * time.Second
	// polledOf bounds of how many panels the questions are counted.
	polledOf = 50
)

func (o *PanelsOptions) check() error {
	var problems []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	refuse(o.Panels < 1 || o.Panels > maxFleet, "--panels: want 1 to %d", maxFleet)
	refuse(o.Workers < 1 || o.Workers > maxWorkers, "--workers: want 1 to %d", maxWorkers)
	refuse(o.Rate <= 0 || o.Duration <= 0, "--rate and --duration: want more than nothing")
	refuse(o.Limit <= 0, "--limit: want more than nothing")
	refuse(o.PollInterval <= 0 || o.AnswerDelay < 0 || o.MinGap < 0, "a time of the panels is negative")
	return errors.Join(problems...)
}

// floor is the longest that an event takes through the protocol alone. Without a
// subscription it begins right after a poll, and two questions follow: whether there is
// news, and what the newest record is. With one the module speaks first, and may have to
// answer a poll before that.
func (o *PanelsOptions) floor() time.Duration {
	request := o.AnswerDelay + o.MinGap
	if o.Subscribe {
		return 2 * request
	}
	return o.PollInterval + 2*request
}

// panelsRun is what one run of Panels works with.
type panelsRun struct {
	*station
	o       PanelsOptions
	sim     *simulator
	process *child // that simulates
	workers []*served
	targets []target
}

// Panels measures what holding many panels costs a worker, and how fast a change at one of
// them is on the bus. With a report comes an error wrapping ErrInexact when an event was
// lost or stored twice.
//
// The bench itself takes the place of the api role: it consumes the bus with the real
// ingest, noting when a message comes, so that workers find their records in PostgreSQL.
func Panels(ctx context.Context, o PanelsOptions) (report PanelsReport, err error) {
	if err := o.check(); err != nil {
		return report, err
	}
	s, err := newStation(ctx, o.Settings)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	r := &panelsRun{station: s, o: o}
	if r.process, r.sim, err = s.simulate(ctx, o.Panels, panelTimes{answerDelay: o.AnswerDelay, minGap: o.MinGap}); err != nil {
		return report, err
	}
	defer r.sim.close()
	addresses, err := r.sim.panels(ctx)
	if err != nil {
		return report, err
	}
	bare, err := r.pollBare(ctx, addresses)
	if err != nil {
		return report, err
	}
	panels, err := s.addPanels(ctx, addresses, true)
	if err != nil {
		return report, err
	}
	for i, id := range panels {
		r.targets = append(r.targets, target{number: i + 1, id: id})
	}

	working, leave := context.WithCancel(ctx)
	defer leave()
	group, working := errgroup.WithContext(working)
	defer func() { leave(); err = afterwards(ctx, err, group.Wait()) }()
	seen, done, err := r.consume(working, group)
	if err != nil {
		return report, err
	}
	defer done()
	if err := r.start(working); err != nil {
		return report, err
	}
	report, err = r.measure(working, seen)
	report.BareCPU = bare
	if bare > 0 {
		report.Ratio = round(report.CPU/bare, 2)
	}
	return report, err
}

// consume stores what comes over the bus, and notes when it came.
func (r *panelsRun) consume(ctx context.Context, group *errgroup.Group) (*wiretap, func(), error) {
	rules, err := ingest.InstallRules(ctx, r.pool)
	if err != nil {
		return nil, nil, err
	}
	own, done, err := r.openPostgresBus(ctx, group, 4)
	if err != nil {
		return nil, nil, err
	}
	conns := ingest.Conns(1)
	pool, err := pg.Open(ctx, r.server.AppURL(stationDB), pg.Options{MaxConns: conns, MinConns: conns, Warm: ingest.Warm, Name: instance + "/ingest"})
	if err != nil {
		done()
		return nil, nil, err
	}
	tap := &wiretap{Bus: own}
	in := ingest.New(ingest.Deps{Pool: pool, Logger: r.log, Metrics: prometheus.NewRegistry(), Rules: rules, Buses: []bus.Bus{tap}})
	ended := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	group.Go(func() error {
		defer close(ended)
		return in.Run(ctx)
	})
	return tap, func() {
		stop()
		<-ended
		pool.Close()
		done()
	}, nil
}

// start begins the workers and waits until each panel is held and at rest.
func (r *panelsRun) start(ctx context.Context) error {
	for n := range r.o.Workers {
		w, err := r.serve(ctx, "worker", "DOZOR_INSTANCE="+instance+"-"+strconv.Itoa(n+1), "DOZOR_POLL_INTERVAL="+r.o.PollInterval.String(),
			fmt.Sprintf("DOZOR_MAX_PANELS=%d", r.o.Panels), "DOZOR_SUBSCRIBE="+strconv.FormatBool(r.o.Subscribe))
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	states := pglive.New(r.pool, pg.NewHints(r.pool, nil, r.log), r.log)
	limit := readyLimit + time.Duration(r.o.Panels)*100*time.Millisecond
	err := until(ctx, r.workers[0].child, limit, "the links to panels", func(ctx context.Context) error {
		all, err := states.States(ctx)
		if err != nil {
			return err
		}
		up := 0
		for _, state := range all {
			if state.Link == live.LinkUp {
				up++
			}
		}
		if up < r.o.Panels {
			return fmt.Errorf("%d of %d are up", up, r.o.Panels)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.log.Info("links are up", "panels", r.o.Panels)
	if err := waitForNames(ctx, r.workers[0].child, r.sim, r.sample(), r.o.Panels); err != nil {
		return err
	}
	r.log.Info("names are read")
	for i := range r.targets {
		t := &r.targets[i]
		if t.before, err = r.sim.newest(ctx, t.number); err != nil {
			return err
		}
		if t.zones, err = r.sim.zones(ctx, t.number); err != nil {
			return err
		}
	}
	return nil
}

// sample are panels of which the questions are counted: all of a few, some of many.
func (r *panelsRun) sample() []target {
	var some []target
	step := max(len(r.targets)/polledOf, 1)
	for i := 0; i < len(r.targets); i += step {
		some = append(some, r.targets[i])
	}
	return some
}

// polls counts the questions for news of a sample.
func (r *panelsRun) polls(ctx context.Context) (int, error) {
	sum := 0
	for _, t := range r.sample() {
		n, err := r.sim.asked(ctx, t.number, satel.CmdNewData)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// measure raises events and compares what the panels recorded with what came.
func (r *panelsRun) measure(ctx context.Context, seen *wiretap) (report PanelsReport, err error) {
	if err := r.settle(ctx); err != nil {
		return report, err
	}
	polled, err := r.polls(ctx)
	if err != nil {
		return report, err
	}
	meters := r.serverMeters()
	first := len(meters)
	for _, w := range r.workers {
		meters = append(meters, w.meter())
	}
	meters = append(meters, r.process.meter(), processMeter("bench", os.Getpid()))
	seen.take()
	used, err := startMeters(meters...)
	if err != nil {
		return report, err
	}
	begun := time.Now()
	acts := schedule(len(r.targets), r.o.Rate/2, r.o.Duration, min(openFor, halfARound(r.o.Panels, r.o.Rate/2)), rand.New(rand.NewPCG(seed, seed)))
	if _, err := play(ctx, r.sim, r.targets, acts); err != nil {
		return report, errors.Join(err, r.workers[0].ended())
	}
	elapsed := time.Since(begun)
	processes, err := used.stop()
	if err != nil {
		return report, err
	}
	asked, err := r.polls(ctx)
	if err != nil {
		return report, err
	}
	truths, err := records(ctx, r.sim, r.targets, r.o.Limit)
	if err != nil {
		return report, err
	}
	if err := r.awaitStored(ctx, len(truths)); err != nil {
		return report, err
	}
	report = PanelsReport{
		Panels: r.o.Panels, Workers: r.o.Workers, Events: len(truths), FloorMS: ms(r.o.floor()),
		PollHz:    round(float64(asked-polled)/float64(len(r.sample()))/elapsed.Seconds(), 2),
		Processes: processes, options: r.o, elapsed: elapsed,
	}
	total := 0.0
	for _, p := range processes[first : first+len(r.workers)] {
		total += p.CPU
		report.WorkerCPU = max(report.WorkerCPU, round(100*p.CPU/elapsed.Seconds(), 1))
		report.WorkerRSS = max(report.WorkerRSS, p.RSS)
	}
	report.CPU = round(1e6*total/elapsed.Seconds()/float64(r.o.Panels), 1)

	came := match(truths, seen.take())
	report.Latency = summarise(slices.Concat(came.begins, came.ends))
	stored, err := r.stored(ctx)
	if err != nil {
		return report, err
	}
	kept := match(truths, stored)
	report.Lost, report.Duplicated = kept.lost, kept.surplus
	return report, exact(report.Lost, report.Duplicated)
}

// awaitStored waits until as many records are stored as the panels have written, or the
// limit has passed: what is missing then is counted as lost.
func (r *panelsRun) awaitStored(ctx context.Context, wanted int) error {
	deadline := time.Now().Add(r.o.Limit)
	for {
		stored, err := r.stored(ctx)
		if err != nil {
			return err
		}
		if len(stored) >= wanted || time.Now().After(deadline) {
			// One too many would come about now.
			return pause(ctx, quiet)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// stored are the records that ingest has kept since the panels were driven.
func (r *panelsRun) stored(ctx context.Context) ([]arrival, error) {
	rows, err := r.pool.Query(ctx, `
		SELECT panel_id, code, restore, CASE WHEN source_kind = $1 THEN source_number ELSE 0 END, recorded_at
		FROM events WHERE source = 'panel' AND raw IS NOT NULL AND NOT historic`, string(satel.SourceZone))
	if err != nil {
		return nil, fmt.Errorf("read what was stored: %w", err)
	}
	defer rows.Close()
	driven := map[ids.PanelID]bool{}
	for _, t := range r.targets {
		driven[t.id] = t.last > 0
	}
	var stored []arrival
	for rows.Next() {
		var a arrival
		if err := rows.Scan((*int64)(&a.panel), &a.code, &a.restore, &a.zone, &a.at); err != nil {
			return nil, fmt.Errorf("read what was stored: %w", err)
		}
		if driven[a.panel] {
			stored = append(stored, a)
		}
	}
	return stored, rows.Err()
}
