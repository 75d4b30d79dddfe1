package worker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are a worker's figures. Panels are counted, never named: names live in logs.
type metrics struct {
	inferred prometheus.Counter
	commands *prometheus.CounterVec
	lost     *prometheus.CounterVec
	leases   prometheus.Gauge // time of the last round that the store answered
}

func (w *Worker) register(r prometheus.Registerer) {
	with := promauto.With(r)
	w.metrics = metrics{
		inferred: with.NewCounter(prometheus.CounterOpts{
			Name: "dozor_worker_inferred_total", Help: "Alarms published from state bits because no record explained them in time.",
		}),
		commands: with.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_worker_commands_total", Help: "Commands to panels, by how they ended.",
		}, []string{"result"}),
		lost: with.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_worker_links_lost_total", Help: "Connections that ended or could not be made, by reason.",
		}, []string{"reason"}),
		leases: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_worker_leases_timestamp_seconds", Help: "When leases were last renewed and taken.",
		}),
	}
	with.NewGaugeFunc(prometheus.GaugeOpts{Name: "dozor_worker_panels_quarantined", Help: "Panels held that failed so long that they are tried seldom."},
		func() float64 { return float64(w.quarantined()) })
	with.NewGaugeFunc(prometheus.GaugeOpts{Name: "dozor_worker_unsettled", Help: "Records sent whose keys were not yet seen in PostgreSQL."},
		func() float64 { return float64(w.budget.unsettled()) })
	with.NewGaugeFunc(prometheus.GaugeOpts{Name: "dozor_worker_panels", Help: "Panels held by this worker."},
		func() float64 { held, _ := w.panels(); return float64(held) })
	with.NewGaugeFunc(prometheus.GaugeOpts{Name: "dozor_worker_panels_up", Help: "Panels held that are connected."},
		func() float64 { _, up := w.panels(); return float64(up) })
}

func (w *Worker) panels() (held, up int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.sessions {
		if h.session.ready.Load() {
			up++
		}
	}
	return len(w.sessions), up
}

func (w *Worker) quarantined() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.sessions {
		if h.session.quarantined.Load() {
			n++
		}
	}
	return n
}

func (m *metrics) renewed() { m.leases.Set(float64(time.Now().UnixNano()) / 1e9) }
