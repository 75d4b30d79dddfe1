package obs

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry makes the registry of one app instance, with the metrics of the Go runtime
// and the process, and dozor_info, which says in labels what runs.
func NewRegistry(version, instance string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "dozor_info", Help: "Always 1; the labels say what runs.",
	}, []string{"version", "instance"})
	info.WithLabelValues(version, instance).Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), info)
	return r
}

// Restarts counts the restarts of services by name, as lifecycle.Options.Restarted wants
// it.
func Restarts(r prometheus.Registerer) func(service string) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dozor_service_restarts_total", Help: "Services started again after a failure.",
	}, []string{"service"})
	r.MustRegister(counter)
	return func(service string) { counter.WithLabelValues(service).Inc() }
}
