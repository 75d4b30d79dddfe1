package bench

import (
	"fmt"
	"io"
)

// PushReport is what Push has measured. What is of the peer is null where none was named.
type PushReport struct {
	Clients int `json:"clients"`
	// PerSecond is how many messages were received by those who read.
	PerSecond float64 `json:"messages_per_s"`
	// PerCPUSecond divides them by the CPU time of the server's process: all that it did
	// meanwhile, positions, heartbeats and the slow ones included.
	PerCPUSecond float64 `json:"messages_per_cpu_s"`
	// P99 is from before a notification is written to when a client has it.
	P99 float64 `json:"p99_ms"`
	// KiBPerClient is by how much the server's memory has grown, from before the first
	// client to the end.
	KiBPerClient float64 `json:"kib_per_client"`

	PeerPerCPUSecond *float64 `json:"peer_messages_per_cpu_s"`
	PeerP99          *float64 `json:"peer_p99_ms"`
	PeerKiBPerClient *float64 `json:"peer_kib_per_client"`
	Ratio            *float64 `json:"ratio_to_peer"`

	// Slow clients stopped reading; LetGo of them were disconnected.
	Slow  int `json:"slow_clients"`
	LetGo int `json:"slow_let_go"`
	// Lost and Duplicated are sums over those who read.
	Lost       int          `json:"lost"`
	Duplicated int          `json:"duplicated"`
	Processes  []ProcessUse `json:"processes"`

	options PushOptions
	dozor   pushed
	peer    *pushed
}

// newPushReport reports of dozor, and of the peer if there is one.
func newPushReport(o PushOptions, dozor pushed, peers []pushed) PushReport {
	r := PushReport{
		Clients: o.Clients, PerSecond: dozor.perSecond(), PerCPUSecond: dozor.perCPUSecond(),
		P99: dozor.latency.P99, KiBPerClient: dozor.kibPerClient(o.Clients),
		Slow: o.slow(), LetGo: dozor.letGo, Lost: dozor.lost, Duplicated: dozor.doubled,
		Processes: dozor.processes, options: o, dozor: dozor,
	}
	for _, peer := range peers {
		perCPU, p99, kib := peer.perCPUSecond(), peer.latency.P99, peer.kibPerClient(o.Clients)
		ratio := round(r.PerCPUSecond/perCPU, 3)
		r.peer, r.PeerPerCPUSecond, r.PeerP99, r.PeerKiBPerClient, r.Ratio = &peer, &perCPU, &p99, &kib, &ratio
	}
	return r
}

func (r *PushReport) verdict() error { return exact(r.Lost, r.Duplicated) }

// Print writes the report: a table, or one JSON object.
func (r *PushReport) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	o := r.options
	t := newTable(w)
	t.line("%d clients, %d of them slow; %g notifications a second of %d bytes for %v", r.Clients, r.Slow, o.Rate, o.Bytes, o.Duration)
	t.line("")
	t.row("", "messages/s", "messages/CPU s", "CPU s", "KiB/client", "ms p50", "p95", "p99", "max", "slow let go", "lost", "doubled")
	row := func(name string, p *pushed) {
		t.row(name, p.perSecond(), p.perCPUSecond(), p.cpu(), p.kibPerClient(r.Clients),
			p.latency.P50, p.latency.P95, p.latency.P99, p.latency.Max, fmt.Sprintf("%d of %d", p.letGo, r.Slow), p.lost, p.doubled)
	}
	row("dozor", &r.dozor)
	if r.peer != nil {
		row("peer", r.peer)
	}
	t.line("")
	if r.peer == nil {
		t.line("compared with nothing: no --peer was given")
	} else {
		t.line("dozor sends %g messages for each that the peer sends in the same CPU time", *r.Ratio)
	}
	t.processes(r.Processes, r.dozor.elapsed)
	return t.flush()
}
