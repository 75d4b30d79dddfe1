package outbox

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the relay's figures.
type Metrics struct {
	depth         prometheus.Gauge
	oldest        prometheus.Gauge
	stamped       prometheus.Counter
	publishErrors prometheus.Counter
	stampSeconds  prometheus.Histogram
	lastStep      prometheus.Gauge
}

// NewMetrics registers the relay's figures; with nil they are counted and not shown.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	return &Metrics{
		depth: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_outbox_depth", Help: "Notifications without a position, as last measured; counted up to 10000.",
		}),
		oldest: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_outbox_oldest_seconds", Help: "Age of the oldest notification without a position.",
		}),
		stamped: with.NewCounter(prometheus.CounterOpts{
			Name: "dozor_outbox_stamped_total", Help: "Notifications that were given their position.",
		}),
		publishErrors: with.NewCounter(prometheus.CounterOpts{
			Name: "dozor_outbox_publish_errors_total", Help: "Publications that the fan-out refused; they are repeated.",
		}),
		stampSeconds: with.NewHistogram(prometheus.HistogramOpts{
			Name: "dozor_outbox_stamp_seconds", Help: "Duration of the transaction that gives positions, where it gave any.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
		lastStep: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_outbox_last_step_timestamp_seconds", Help: "When the relay last looked into the outbox with success.",
		}),
	}
}
