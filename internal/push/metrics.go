package push

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the transport's figures.
type Metrics struct {
	connections prometheus.Gauge
	closed      *prometheus.CounterVec
	messages    prometheus.Counter
	ownShare    prometheus.Histogram
}

// NewMetrics registers the transport's figures; with nil they are counted and not shown.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	with := promauto.With(reg)
	return &Metrics{
		connections: with.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_push_connections", Help: "Open WebSocket connections.",
		}),
		closed: with.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_push_closed_total", Help: "Connections ended, by close code; gone where the client left.",
		}, []string{"code"}),
		messages: with.NewCounter(prometheus.CounterOpts{
			Name: "dozor_push_messages_total", Help: "Messages written to clients.",
		}),
		ownShare: with.NewHistogram(prometheus.HistogramOpts{
			Name:    "dozor_own_share_seconds",
			Help:    "From the last byte of a panel's answer to the write of its frame to the first client of this instance.",
			Buckets: []float64{.001, .0025, .005, .0075, .01, .0125, .015, .0175, .02, .025, .03, .04, .05, .075, .1, .15, .25, .5, .75, 1, 2.5, 5, 10},
		}),
	}
}
