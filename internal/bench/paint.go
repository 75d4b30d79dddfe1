package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/wire"
)

// ScreenOptions say what Screen does.
type ScreenOptions struct {
	Open     int           `default:"300" placeholder:"N" help:"How many alarms are open already."`
	Panels   int           `default:"4" placeholder:"N" help:"How many panels raise alarms; all of their P1 and P2 must find room on the screen."`
	Rate     float64       `default:"2" placeholder:"N" help:"Alarms per second over all panels."`
	Duration time.Duration `default:"60s" placeholder:"TIME" help:"How long alarms are raised."`
	Chromium string        `env:"CHROMIUM" placeholder:"FILE" help:"The browser; Chromium or Chrome is looked for when not set."`

	Settings `embed:""`
}

const (
	maxOpen = 5000
	// paintLimit is how long the last alarm may take to be painted.
	paintLimit = 10 * time.Second
	// longFrame is what people see as a jerk, in milliseconds.
	longFrame = 50
)

func (o *ScreenOptions) check() error {
	var problems []error
	if o.Open < 0 || o.Open > maxOpen {
		problems = append(problems, fmt.Errorf("--open: want 0 to %d", maxOpen))
	}
	if o.Panels < 1 || o.Panels > maxPanels {
		problems = append(problems, fmt.Errorf("--panels: want 1 to %d", maxPanels))
	}
	if o.Rate <= 0 || o.Duration <= 0 {
		problems = append(problems, errors.New("--rate and --duration: want more than nothing"))
	}
	return errors.Join(problems...)
}

// ScreenReport is what Screen has measured.
type ScreenReport struct {
	Open   int `json:"open"`
	Alarms int `json:"alarms"`
	// Painted is how many frames of P1 and P2 were seen on the screen.
	Painted int `json:"painted"`
	// Paint is the time from a frame's arrival in the page to its painting.
	Paint Latency `json:"paint_ms"`
	// Frame is the time between two pictures of the browser.
	Frame Latency `json:"frame_ms"`
	// LongFrames took more than 50 ms.
	LongFrames int          `json:"long_frames"`
	Lost       int          `json:"lost"`
	Processes  []ProcessUse `json:"processes"`

	elapsed time.Duration
}

// Print writes the report: a table, or one JSON object.
func (r *ScreenReport) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	t := newTable(w)
	t.line("%d alarms with %d open, %d frames painted, %d lost", r.Alarms, r.Open, r.Painted, r.Lost)
	t.line("")
	t.row("ms", "p50", "p95", "p99", "max")
	t.row("frame received to painted", r.Paint.P50, r.Paint.P95, r.Paint.P99, r.Paint.Max)
	t.row("between two pictures", r.Frame.P50, r.Frame.P95, r.Frame.P99, r.Frame.Max)
	t.line("")
	t.line("pictures that took more than %d ms: %d", longFrame, r.LongFrames)
	t.processes(r.Processes, r.elapsed)
	return t.flush()
}

//go:embed paint.js
var paintScript string

// Screen measures a real browser: from the arrival of a frame in the page to the picture
// that shows it. With a report comes an error wrapping ErrInexact when an alarm was never
// seen there.
func Screen(ctx context.Context, o ScreenOptions) (report ScreenReport, err error) {
	if err := o.check(); err != nil {
		return report, err
	}
	s, err := newStation(ctx, o.Settings)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	alarms := &alarmRun{o: AlarmOptions{
		Panels: o.Panels, Rate: o.Rate, Duration: o.Duration,
		PollInterval: 250 * time.Millisecond, AnswerDelay: 20 * time.Millisecond, MinGap: 10 * time.Millisecond,
	}, log: s.log}
	if err := alarms.start(ctx, s); err != nil {
		return report, err
	}
	defer alarms.api.close()
	defer alarms.sim.close()
	if err := alarms.prepare(ctx); err != nil {
		return report, err
	}
	if err := s.fill(ctx, o.Open); err != nil {
		return report, err
	}
	tab, end, err := s.browse(ctx, o.Chromium, alarms.api.base, o.Open)
	if err != nil {
		return report, err
	}
	defer end()
	return alarms.watch(ctx, tab, o)
}

// fill opens so many alarms, each at a site of its own, whose links are lost.
func (s *station) fill(ctx context.Context, open int) error {
	addresses := make([]address, open)
	for i := range addresses {
		addresses[i] = address{"127.0.0.1", 20_000 + i}
	}
	panels, err := s.addPanels(ctx, addresses, false)
	if err != nil {
		return err
	}
	messages := make([]bus.Message, open)
	for i, panel := range panels {
		report := wire.Report{PanelID: panel, Station: &wire.Station{Code: wire.LinkLost, Subject: instance}, ReceivedAt: time.Now().UTC(), Model: -1}
		body, err := report.Encode()
		if err != nil {
			return err
		}
		messages[i] = bus.Message{Key: event.ReportKey(report), Lane: bus.Live, Topic: fmt.Sprintf("satel.alarm.%d", panel), Body: body}
	}
	group, running := errgroup.WithContext(ctx)
	out, done, err := s.openBus(running, group)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(messages, publishBatch) {
		if err = publish(ctx, out, batch); err != nil {
			break
		}
	}
	done()
	if err := errors.Join(err, group.Wait()); err != nil {
		return fmt.Errorf("open %d alarms: %w", open, err)
	}
	return until(ctx, nil, readyLimit, "the open alarms", func(ctx context.Context) error {
		var there int
		if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM alarms WHERE state <> 'closed'").Scan(&there); err != nil {
			return err
		}
		if there < open {
			return fmt.Errorf("%d of %d are there", there, open)
		}
		return nil
	})
}

// browse opens the client in a browser, signs in and waits until the queue is whole.
func (s *station) browse(ctx context.Context, binary, url string, open int) (tab context.Context, end func(), err error) {
	options := []chromedp.ExecAllocatorOption{chromedp.WindowSize(1920, 1080), chromedp.Flag("disable-gpu", true)}
	if binary != "" {
		options = append(options, chromedp.ExecPath(binary))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.Flag("no-sandbox", true)) // it refuses to start as root otherwise
	}
	tab, end = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...), chromedp.WithErrorf(s.quietly))
	defer func() {
		if err != nil {
			end()
			err = fmt.Errorf("open the client in a browser: %w", err)
		}
	}()
	if _, err = chromedp.Call(tab, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{Source: paintScript}); err != nil {
		return nil, end, err
	}
	err = chromedp.Do(tab,
		chromedp.Navigate(url),
		chromedp.SendKeys("input[name=login]", benchLogin),
		chromedp.SendKeys("input[name=password]", s.password.Reveal()+"\r"),
		chromedp.Click("[data-played=yes] [data-answer=heard]"), // the desk can be heard: so it says
	)
	if err != nil {
		return nil, end, err
	}
	s.log.Info("signed in to the client", "open", open)
	const ready = `document.querySelector('.link-state[data-phase=live]') !== null`
	return tab, end, until(tab, nil, readyLimit, "the queue to be live", func(ctx context.Context) error {
		live, err := chromedp.Run(ctx, chromedp.Evaluate[bool](ready))
		if err == nil && !live {
			err = errors.New("it is not yet")
		}
		return err
	})
}

func (s *station) quietly(format string, args ...any) {
	s.log.Debug("the browser complains", "what", fmt.Sprintf(format, args...))
}

// watch raises the alarms and collects what the page has seen.
func (r *alarmRun) watch(ctx, tab context.Context, o ScreenOptions) (report ScreenReport, err error) {
	used, err := startMeters(r.meters...)
	if err != nil {
		return report, err
	}
	begun := time.Now()
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool]("bench.counting = true")); err != nil {
		return report, fmt.Errorf("begin to count in the page: %w", err)
	}
	acts := schedule(len(r.targets), o.Rate, o.Duration, halfARound(len(r.targets), o.Rate), rand.New(rand.NewPCG(seed, seed)))
	if report.Alarms, err = play(ctx, r.sim, r.targets, acts); err != nil {
		return report, r.explain(err)
	}
	report.Lost, err = r.painted(tab)
	if err != nil {
		return report, err
	}
	report.elapsed = time.Since(begun)
	if report.Processes, err = used.stop(); err != nil {
		return report, err
	}
	samples, err := chromedp.Run(tab, chromedp.Evaluate[[]float64]("bench.samples"))
	if err != nil {
		return report, fmt.Errorf("read what the page has seen: %w", err)
	}
	pictures, err := chromedp.Run(tab, chromedp.Evaluate[[]float64]("bench.frames"))
	if err != nil {
		return report, fmt.Errorf("read what the page has seen: %w", err)
	}
	report.Open, report.Painted = o.Open, len(samples)
	report.Paint, report.Frame = summarise(durations(samples)), summarise(durations(pictures))
	for _, took := range pictures {
		if took > longFrame {
			report.LongFrames++
		}
	}
	if report.Painted == 0 {
		report.Lost = report.Alarms
	}
	return report, exact(report.Lost, 0)
}

// painted waits until nothing is awaited in the page, and returns what still is.
func (r *alarmRun) painted(tab context.Context) (waiting int, err error) {
	deadline := time.Now().Add(paintLimit)
	for {
		// Frames of the last alarms may still be on their way.
		if err := pause(tab, quiet); err != nil {
			return 0, err
		}
		waiting, err = chromedp.Run(tab, chromedp.Evaluate[int]("bench.waiting()"))
		if err != nil {
			return 0, fmt.Errorf("ask the page what it waits for: %w", err)
		}
		if waiting == 0 || time.Now().After(deadline) {
			r.log.Log(tab, slog.LevelInfo, "the page was asked", "waiting", waiting)
			return waiting, nil
		}
	}
}

func durations(milliseconds []float64) []time.Duration {
	out := make([]time.Duration, len(milliseconds))
	for i, v := range milliseconds {
		out[i] = time.Duration(v * float64(time.Millisecond))
	}
	return out
}
