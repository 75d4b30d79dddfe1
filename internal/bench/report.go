package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// AlarmReport is what Alarm has measured. Own is null where the metrics of dozor are not
// known, Disk where its database is not the run's own, Burst and Floor where no burst was
// raised.
type AlarmReport struct {
	Panels  int `json:"panels"`
	Clients int `json:"clients"`
	// Events is how many records the panels wrote: alarms and their ends.
	Events int `json:"events"`
	// FloorMS is the longest that the panel's protocol alone takes for one alarm.
	FloorMS float64 `json:"floor_ms"`
	// Latency is of alarms, from the change at the panel to the frame at each client.
	Latency Latency   `json:"latency_ms"`
	Own     *OwnShare `json:"own_ms"`
	// Disk is what making one page durable took on PostgreSQL's disk, meanwhile.
	Disk *Latency `json:"disk_ms"`
	// States is what reading a panel's live state takes; null with --url.
	States *StateReads `json:"state_read_ms"`
	// Burst is the time from the burst to the last event at the last client, Floor that of
	// reading the largest share of one panel.
	Burst *float64 `json:"burst_s"`
	Floor *float64 `json:"floor_s"`
	// Lost and Duplicated are sums over all clients.
	Lost       int          `json:"lost"`
	Duplicated int          `json:"duplicated"`
	Processes  []ProcessUse `json:"processes"`

	options          AlarmOptions
	alarms           int
	ends             Latency
	least, most      int // events at the client with the fewest and the most
	provisional      int
	restarts, resets int
	elapsed          time.Duration
	external         bool
}

func (r *AlarmReport) verdict() error { return exact(r.Lost, r.Duplicated) }

func exact(lost, duplicated int) error {
	if lost == 0 && duplicated == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d lost, %d doubled", ErrInexact, lost, duplicated)
}

// Print writes the report: a table, or one JSON object.
func (r *AlarmReport) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	o := r.options
	t := newTable(w)
	what := fmt.Sprintf("%d alarms, %g a second", r.alarms, o.Rate)
	if o.Burst > 0 {
		what = fmt.Sprintf("%d alarms at once", r.alarms)
	}
	t.line("%s; %d panels, %d clients, %d events", what, r.Panels, r.Clients, r.Events)
	assumed := ""
	if r.external {
		assumed = " (as given, not measured)"
	}
	t.line("panels: poll %v, log delay %v, answer %v, gap %v%s", o.PollInterval, o.LogDelay, o.AnswerDelay, o.MinGap, assumed)
	t.line("")
	t.row("ms", "p50", "p95", "p99", "max", "protocol's floor")
	floor := fmt.Sprintf("up to %g", r.FloorMS)
	if r.Burst != nil {
		floor += " for one alone"
	}
	t.row("alarm to screen", r.Latency.P50, r.Latency.P95, r.Latency.P99, r.Latency.Max, floor)
	if r.ends != (Latency{}) {
		t.row("its end", r.ends.P50, r.ends.P95, r.ends.P99, r.ends.Max, "")
	}
	if r.Own != nil {
		t.row("dozor's own share", r.Own.P50, "", r.Own.P99, fmt.Sprintf("<= %g", r.Own.Max), "")
	}
	if r.Disk != nil {
		t.row("one page to the disk", r.Disk.P50, r.Disk.P95, r.Disk.P99, r.Disk.Max, "")
	}
	if r.States != nil {
		t.row("a state from PostgreSQL", r.States.Postgres.P50, r.States.Postgres.P95, r.States.Postgres.P99, r.States.Postgres.Max, "")
		if in := r.States.Redis; in != nil {
			t.row("a state from Redis", in.P50, in.P95, in.P99, in.Max, "")
		}
	}
	if r.Burst != nil {
		t.line("")
		t.line("the whole burst on all screens: %g s (protocol's floor %g s)", *r.Burst, *r.Floor)
	}
	t.line("")
	t.line("lost %d, doubled %d; %d to %d events a client, %d provisional, %d reconnects, %d resets",
		r.Lost, r.Duplicated, r.least, r.most, r.provisional, r.restarts, r.resets)
	t.processes(r.Processes, r.elapsed)
	return t.flush()
}

// IngestReport is what Ingest has measured.
type IngestReport struct {
	Events int `json:"events"`
	// PerSecond counts from the first message published to the last event received.
	PerSecond float64 `json:"events_per_s"`
	// Postgres is the median of four measurements of bare inserts of the same rows.
	Postgres   float64 `json:"postgres_events_per_s"`
	Ratio      float64 `json:"ratio_to_postgres"`
	Lost       int     `json:"lost"`
	Duplicated int     `json:"duplicated"`

	panels           int
	published        time.Duration // until the bus had everything
	elapsed          time.Duration
	baselines        []baseline
	processes        []ProcessUse
	restarts, resets int
}

func (r *IngestReport) verdict() error { return exact(r.Lost, r.Duplicated) }

// Print writes the report: a table, or one JSON object.
func (r *IngestReport) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	t := newTable(w)
	t.line("%d events of %d panels", r.Events, r.panels)
	t.line("")
	t.row("", "events/s", "seconds")
	t.row("published to the bus", round(float64(r.Events)/r.published.Seconds(), 0), round(r.published.Seconds(), 2))
	t.row("from the bus to the wire", r.PerSecond, round(r.elapsed.Seconds(), 2))
	for _, b := range r.baselines {
		t.row(b.name(), round(b.perSecond(), 0), round(b.elapsed.Seconds(), 2))
	}
	t.line("")
	t.line("dozor takes %g of what PostgreSQL takes alone (median %g events/s)", r.Ratio, r.Postgres)
	t.line("lost %d, doubled %d; %d reconnects, %d resets", r.Lost, r.Duplicated, r.restarts, r.resets)
	t.processes(r.processes, r.elapsed)
	return t.flush()
}

func printJSON(w io.Writer, report any) error {
	if err := json.NewEncoder(w).Encode(report); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

// table writes aligned text and keeps the first error.
type table struct {
	w   *tabwriter.Writer
	err error
}

func newTable(w io.Writer) *table {
	return &table{w: tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)}
}

func (t *table) line(format string, args ...any) { t.write(fmt.Sprintf(format, args...) + "\n") }

func (t *table) row(cells ...any) {
	text := ""
	for i, c := range cells {
		if i > 0 {
			text += "\t"
		}
		text += fmt.Sprint(c)
	}
	t.write(text + "\n")
}

func (t *table) write(text string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, text)
	}
}

func (t *table) processes(used []ProcessUse, elapsed time.Duration) {
	if len(used) == 0 {
		return
	}
	t.line("")
	t.row("process", fmt.Sprintf("CPU s of %.1f s", elapsed.Seconds()), "memory MiB")
	for _, p := range used {
		t.row(p.Name, p.CPU, p.RSS)
	}
}

func (t *table) flush() error {
	if t.err == nil {
		t.err = t.w.Flush()
	}
	if t.err != nil {
		return fmt.Errorf("print the report: %w", t.err)
	}
	return nil
}
