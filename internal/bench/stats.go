package bench

import (
	"math"
	"slices"
	"time"
)

// Latency sums up many latencies, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// summarise sums up samples, which it sorts. Of none everything is 0.
func summarise(samples []time.Duration) Latency {
	slices.Sort(samples)
	return Latency{
		P50: ms(quantile(samples, 0.50)), P95: ms(quantile(samples, 0.95)),
		P99: ms(quantile(samples, 0.99)), Max: ms(quantile(samples, 1)),
	}
}

// quantile is the smallest sample that a share q of all samples does not exceed (nearest
// rank), so that it is a latency that somebody had.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// ms is a duration in milliseconds with two decimals.
func ms(d time.Duration) float64 { return round(float64(d)/float64(time.Millisecond), 2) }

func round(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(v*scale) / scale
}
