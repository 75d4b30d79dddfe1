package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/satel"
)

// ErrInexact is wrapped by the error of a run in which events were lost or doubled.
var ErrInexact = errors.New("not every event arrived exactly once")

const (
	// quiet is how long is waited after the last expected event for one too many.
	quiet = 2 * time.Second
	// seed makes every run raise its alarms in the same pattern.
	seed = 1
	// connecting bounds how many screens connect at once.
	connecting = 8
)

// alarmRun is what one run of Alarm works with.
type alarmRun struct {
	o       AlarmOptions
	log     *slog.Logger
	api     *api
	sim     *simulator
	metrics string // URL; empty: not known
	child   *child // the dozor that the run started; nil: it measures another's
	meters  []meter
	own     *station // that the run made; nil: it measures another's
	disk    string   // folder beside the database; empty: it is another's
	targets []target
}

// Alarm measures the way from a change at a panel to every screen. With a report comes an
// error wrapping ErrInexact when an event was lost or doubled.
func Alarm(ctx context.Context, o AlarmOptions) (report AlarmReport, err error) {
	if err := o.check(); err != nil {
		return report, err
	}
	r := &alarmRun{o: o, log: o.logger()}
	if o.URL != "" {
		err = r.join(ctx)
	} else {
		var s *station
		if s, err = newStation(ctx, o.Settings); err != nil {
			return report, err
		}
		defer func() { err = errors.Join(err, s.close(ctx)) }()
		if err := s.use(ctx, o.Adapters); err != nil {
			return report, err
		}
		r.own = s
		err = r.start(ctx, s)
	}
	if r.api != nil {
		defer r.api.close()
	}
	if r.sim != nil {
		defer r.sim.close()
	}
	if err != nil {
		return report, err
	}
	return r.measure(ctx)
}

// start makes panels and a dozor that has them.
func (r *alarmRun) start(ctx context.Context, s *station) error {
	process, simulated, err := s.simulate(ctx, r.o.Panels, panelTimes{r.o.LogDelay, r.o.AnswerDelay, r.o.MinGap})
	if err != nil {
		return err
	}
	r.sim = simulated
	addresses, err := simulated.panels(ctx)
	if err != nil {
		return err
	}
	panels, err := s.addPanels(ctx, addresses, true)
	if err != nil {
		return err
	}
	dozor, err := s.serve(ctx, "worker,api,relay", "DOZOR_POLL_INTERVAL="+r.o.PollInterval.String(),
		fmt.Sprintf("DOZOR_MAX_PANELS=%d", r.o.Panels))
	if err != nil {
		return err
	}
	r.child, r.metrics, r.disk = dozor.child, dozor.metrics, s.dir
	r.api = newAPI(dozor.url, benchLogin, s.password)
	r.meters = append(s.serverMeters(), dozor.meter(), process.meter())
	for i, id := range panels {
		r.targets = append(r.targets, target{number: i + 1, id: id})
	}
	return nil
}

// join takes a running dozor and the simulated panels that it has.
func (r *alarmRun) join(ctx context.Context) error {
	password, err := os.ReadFile(r.o.PasswordFile)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	r.api = newAPI(r.o.URL, r.o.Login, secret.Redacted(strings.TrimRight(string(password), "\r\n")))
	r.sim, r.metrics = newSimulator(r.o.SimControl), r.o.MetricsURL
	addresses, err := r.sim.panels(ctx)
	if err != nil {
		return err
	}
	views, err := r.api.panels(ctx)
	if err != nil {
		return err
	}
	r.targets = pair(addresses, views)
	if len(r.targets) < r.o.Panels {
		return fmt.Errorf("%d panels of that dozor are simulated by %s; --panels wants %d", len(r.targets), r.o.SimControl, r.o.Panels)
	}
	r.targets = r.targets[:r.o.Panels]
	return nil
}

func (r *alarmRun) measure(ctx context.Context) (report AlarmReport, err error) {
	if err := r.prepare(ctx); err != nil {
		return report, err
	}
	from, err := r.api.position(ctx)
	if err != nil {
		return report, err
	}
	driven := r.driven()
	screens := make([]*screen, r.o.Clients)
	for i := range screens {
		screens[i] = newScreen(r.api, from, driven, r.log)
	}
	watching, leave := context.WithCancel(ctx)
	defer leave()
	group, watching := errgroup.WithContext(watching)
	defer func() { leave(); err = afterwards(ctx, err, group.Wait()) }()
	if err := connect(watching, group, screens); err != nil {
		return report, err
	}
	r.log.Info("screens are connected", "clients", len(screens))
	return r.raise(watching, screens)
}

// driven are the panels that raise alarms: events of others are nobody's business.
func (r *alarmRun) driven() map[ids.PanelID]bool {
	driven := map[ids.PanelID]bool{}
	for _, t := range r.targets {
		driven[t.id] = true
	}
	return driven
}

// afterwards is the error of a run whose helpers have ended, too. The failure of one ends
// the run's context; then that failure is what counts.
func afterwards(ctx context.Context, err, failed error) error {
	if failed != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return failed
	}
	return errors.Join(err, failed)
}

// prepare waits until the station is at rest: links up, names read.
func (r *alarmRun) prepare(ctx context.Context) error {
	panels := make([]ids.PanelID, len(r.targets))
	for i, t := range r.targets {
		panels[i] = t.id
	}
	if err := r.api.waitForLinks(ctx, r.child, panels); err != nil {
		return err
	}
	r.log.Info("links are up", "panels", len(panels))
	if err := waitForNames(ctx, r.child, r.sim, r.targets, len(r.targets)); err != nil {
		return err
	}
	for i := range r.targets {
		t := &r.targets[i]
		var err error
		if t.before, err = r.sim.newest(ctx, t.number); err != nil {
			return err
		}
		if r.o.Burst > 0 {
			continue
		}
		if t.zones, err = r.sim.zones(ctx, t.number); err != nil {
			return err
		}
	}
	return nil
}

// waitForNames waits until none of the targets, some of so many panels, is asked for names any
// more: the worker reads them after it has connected, and that is not what is measured.
func waitForNames(ctx context.Context, c *child, s *simulator, targets []target, panels int) error {
	const calm = 1500 * time.Millisecond
	limit := 3*readyLimit + time.Duration(panels)*100*time.Millisecond
	asked, since := -1, time.Now()
	return until(ctx, c, limit, "the names of panels to be read", func(ctx context.Context) error {
		sum := 0
		for _, t := range targets {
			n, err := s.asked(ctx, t.number, satel.CmdObjectName)
			if err != nil {
				return err
			}
			if n == 0 {
				return errors.New("not all are asked for names yet")
			}
			sum += n
		}
		if sum != asked {
			asked, since = sum, time.Now()
		}
		if time.Since(since) < calm {
			return errors.New("names are being read")
		}
		return nil
	})
}

// connect starts the screens and waits until each is served.
func connect(ctx context.Context, group *errgroup.Group, screens []*screen) error {
	slots := make(chan struct{}, connecting)
	for _, s := range screens {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		group.Go(func() error { return s.run(ctx) })
		group.Go(func() error {
			select {
			case <-s.ready:
			case <-ctx.Done():
			}
			<-slots
			return nil
		})
	}
	for _, s := range screens {
		select {
		case <-s.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// raise is what is measured.
func (r *alarmRun) raise(ctx context.Context, screens []*screen) (report AlarmReport, err error) {
	before, err := r.histogram(ctx)
	if err != nil {
		return report, err
	}
	used, err := startMeters(append(r.meters, processMeter("bench", os.Getpid()))...)
	if err != nil {
		return report, err
	}
	var disk *diskMeter
	if r.disk != "" {
		if disk, err = watchDisk(ctx, r.disk); err != nil {
			return report, err
		}
		defer disk.stop()
	}
	begun := time.Now()
	alarms := r.o.Burst
	if r.o.Burst > 0 {
		err = burst(ctx, r.sim, r.targets, r.o.Burst)
	} else {
		acts := schedule(len(r.targets), r.o.Rate, r.o.Duration, halfARound(len(r.targets), r.o.Rate), rand.New(rand.NewPCG(seed, seed)))
		alarms, err = play(ctx, r.sim, r.targets, acts)
	}
	if err != nil {
		return report, r.explain(err)
	}
	limit := r.o.Limit + r.o.floor() + r.o.burstFloor()
	truths, err := records(ctx, r.sim, r.targets, limit)
	if err != nil {
		return report, r.explain(err)
	}
	if err := await(ctx, limit, screens, len(truths)); err != nil {
		return report, r.explain(err)
	}
	elapsed := time.Since(begun)
	processes, err := used.stop()
	if err != nil {
		return report, r.explain(err)
	}
	if err := pause(ctx, quiet); err != nil {
		return report, err
	}
	after, err := r.histogram(ctx)
	if err != nil {
		return report, err
	}
	report = r.report(alarms, truths, screens)
	report.Processes, report.elapsed = processes, elapsed
	if r.own != nil {
		if report.States, err = r.own.readStates(ctx, slices.Collect(maps.Keys(r.driven()))); err != nil {
			return report, err
		}
	}
	if disk != nil {
		took, err := disk.end()
		if err != nil {
			return report, err
		}
		report.Disk = &took
	}
	if before != nil {
		own, err := after.since(*before)
		if err != nil {
			return report, err
		}
		if own.total() > 0 {
			share := own.summary()
			report.Own = &share
		}
	}
	return report, report.verdict()
}

// explain adds what became of the dozor that the run started.
func (r *alarmRun) explain(err error) error {
	if r.child != nil {
		return errors.Join(err, r.child.ended())
	}
	return err
}

// histogram reads dozor's own share; nil where nobody said where it is shown.
func (r *alarmRun) histogram(ctx context.Context) (*histogram, error) {
	if r.metrics == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	page, err := fetch(ctx, r.metrics)
	if err != nil {
		return nil, err
	}
	h, err := readHistogram(bytes.NewReader(page), ownShare)
	return &h, err
}

// await waits until every screen has seen so many records, or the limit has passed: what
// is missing then is counted as lost.
func await(ctx context.Context, limit time.Duration, screens []*screen, wanted int) error {
	deadline := time.Now().Add(limit)
	for {
		missing := false
		for _, s := range screens {
			if records, _ := s.count(); records < wanted {
				missing = true
				break
			}
		}
		if !missing || time.Now().After(deadline) {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// report compares what every screen has seen with the truth.
func (r *alarmRun) report(alarms int, truths []truth, screens []*screen) AlarmReport {
	report := AlarmReport{
		Panels: len(r.targets), Clients: len(screens), Events: len(truths), FloorMS: ms(r.o.floor()),
		options: r.o, alarms: alarms, least: len(truths), external: r.o.URL != "",
	}
	var begins, ends []time.Duration
	first, last := time.Time{}, time.Time{}
	for _, t := range truths {
		if first.IsZero() || t.at.Before(first) {
			first = t.at
		}
	}
	for _, s := range screens {
		seen := s.take()
		v := match(truths, seen.Arrivals)
		begins, ends = append(begins, v.begins...), append(ends, v.ends...)
		report.Lost += v.lost
		report.Duplicated += v.surplus + seen.Repeated
		report.least, report.most = min(report.least, len(seen.Arrivals)), max(report.most, len(seen.Arrivals))
		report.provisional = max(report.provisional, seen.Provisional)
		restarts, resets := s.troubles()
		report.restarts, report.resets = report.restarts+restarts, report.resets+resets
		if v.last.After(last) {
			last = v.last
		}
	}
	report.Latency, report.ends = summarise(begins), summarise(ends)
	if r.o.Burst > 0 {
		took, floor := round(last.Sub(first).Seconds(), 3), round(r.o.burstFloor().Seconds(), 3)
		report.Burst, report.Floor = &took, &floor
	}
	return report
}
