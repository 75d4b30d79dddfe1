package bench

import (
	"io"
	"time"
)

// PanelsReport is what Panels has measured.
type PanelsReport struct {
	Panels  int `json:"panels"`
	Workers int `json:"workers"`
	// PollHz is how often a panel was asked for news a second, on average.
	PollHz float64 `json:"poll_hz"`
	// Events is how many records the panels wrote: alarms and their ends.
	Events     int `json:"events"`
	Lost       int `json:"lost"`
	Duplicated int `json:"duplicated"` // stored twice
	// FloorMS is the longest that the panel's protocol alone takes for one event.
	FloorMS float64 `json:"floor_ms"`
	// Latency is from the change at the panel to the consumer of the bus.
	Latency Latency `json:"latency_ms"`
	// WorkerCPU is that of the busiest worker in percent of one core, WorkerRSS the memory
	// of the largest at the end.
	WorkerCPU float64 `json:"worker_cpu_percent"`
	WorkerRSS float64 `json:"worker_rss_mib"`
	// CPU is that of all workers, in microseconds for a panel and a second; BareCPU what
	// polling as often with the protocol's client alone took, in the same run.
	CPU       float64      `json:"cpu_us_per_panel_second"`
	BareCPU   float64      `json:"bare_cpu_us_per_panel_second"`
	Ratio     float64      `json:"ratio_to_bare"`
	Processes []ProcessUse `json:"processes"`

	options PanelsOptions
	elapsed time.Duration
}

// Print writes the report: a table, or one JSON object.
func (r *PanelsReport) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	o := r.options
	t := newTable(w)
	how := "polled"
	if o.Subscribe {
		how = "subscribed to"
	}
	t.line("%d panels, %s, %d workers, %g events a second; %d events", r.Panels, how, r.Workers, o.Rate, r.Events)
	t.line("panels: poll %v (%g a second measured), answer %v, gap %v", o.PollInterval, r.PollHz, o.AnswerDelay, o.MinGap)
	t.line("")
	t.row("ms", "p50", "p95", "p99", "max", "protocol's floor")
	t.row("change to bus", r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max, r.FloorMS)
	t.line("")
	t.line("the busiest worker: %g %% of a core, %g MiB", r.WorkerCPU, r.WorkerRSS)
	t.line("a panel: %g µs of CPU a second; polled as often by the client alone %g (ratio %g)", r.CPU, r.BareCPU, r.Ratio)
	t.line("lost %d, stored twice %d", r.Lost, r.Duplicated)
	t.processes(r.Processes, r.elapsed)
	return t.flush()
}
