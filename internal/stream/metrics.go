package stream

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the hub's figures.
type Metrics struct {
	position      prometheus.Gauge
	subscriptions prometheus.Gauge
	lastHead      prometheus.Gauge
	holes         prometheus.Counter
	reads         *prometheus.CounterVec
	resumes       *prometheus.CounterVec
}

// NewMetrics registers the hub's figures; with nil they are counted and not shown.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	return &Metrics{
		position: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_stream_position", Help: "Position up to which this instance holds the stream.",
		}),
		subscriptions: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_stream_subscriptions", Help: "Clients attached to this instance.",
		}),
		lastHead: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_stream_head_timestamp_seconds", Help: "When the stream's head was last read from the primary.",
		}),
		holes: with.NewCounter(prometheus.CounterOpts{
			Name: "dozor_stream_holes_total", Help: "Frames that did not come through the fan-out and were read.",
		}),
		reads: with.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_stream_reads_total", Help: "Pages read below the ring, by tier: buffer or table.",
		}, []string{"tier"}),
		resumes: with.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_stream_resumes_total", Help: "How resumes began: ring, below (the ring), waiting (for this instance to catch up), reset.",
		}, []string{"way"}),
	}
}
