package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/bus"
)

type metrics struct {
	batch    *prometheus.HistogramVec
	duration *prometheus.HistogramVec
	messages *prometheus.CounterVec
	failed   *prometheus.CounterVec
}

// What became of messages, as the metric's label says it.
const (
	resultStored    = "stored"
	resultDuplicate = "duplicate"
	resultNoSegment = "no_segment"
	resultDead      = "dead"
)

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		batch: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dozor_ingest_batch_messages", Help: "Messages of one received batch.",
			Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500},
		}, []string{"lane"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dozor_ingest_batch_seconds", Help: "Time from having a batch to its settlement in the database.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}, []string{"lane"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_ingest_messages_total", Help: "Messages settled, by what became of them.",
		}, []string{"lane", "result"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dozor_ingest_failures_total", Help: "Batches that were given back because of an error.",
		}, []string{"lane"}),
	}
	r.MustRegister(m.batch, m.duration, m.messages, m.failed)
	// There from the beginning: of a counter that appears with its first message nobody sees
	// that it grew.
	for _, lane := range bus.Lanes {
		m.failed.WithLabelValues(string(lane))
		for _, result := range []string{resultStored, resultDuplicate, resultNoSegment, resultDead} {
			m.messages.WithLabelValues(string(lane), result)
		}
	}
	return m
}
