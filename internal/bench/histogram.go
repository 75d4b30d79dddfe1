package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ownShare is the histogram of the time that dozor itself needs: from the last byte of a
// panel's answer to the write to the first client.
const ownShare = "dozor_own_share_seconds"

// OwnShare sums up what dozor itself needs for a frame, in milliseconds. Max is an upper
// bound: nothing took longer.
type OwnShare struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// histogram is one of Prometheus: how many values did not exceed each bound.
type histogram struct {
	bounds []float64 // ascending, the last one +Inf
	counts []float64 // cumulative
	sum    float64
}

// readHistogram finds a histogram without labels in the text format of metrics.
func readHistogram(r io.Reader, name string) (histogram, error) {
	var h histogram
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line, found := strings.CutPrefix(lines.Text(), name)
		if !found {
			continue
		}
		head, value, _ := strings.Cut(line, " ")
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		switch bound, isBucket := strings.CutPrefix(head, `_bucket{le="`); {
		case isBucket:
			le, errBound := strconv.ParseFloat(strings.TrimSuffix(bound, `"}`), 64)
			if err != nil || errBound != nil {
				return histogram{}, fmt.Errorf("read metric %s: line %q", name, lines.Text())
			}
			h.bounds, h.counts = append(h.bounds, le), append(h.counts, number)
		case head == "_sum":
			if err != nil {
				return histogram{}, fmt.Errorf("read metric %s: line %q", name, lines.Text())
			}
			h.sum = number
		}
	}
	if err := lines.Err(); err != nil {
		return histogram{}, fmt.Errorf("read metric %s: %w", name, err)
	}
	if n := len(h.bounds); n == 0 || !slices.IsSorted(h.bounds) || !math.IsInf(h.bounds[n-1], 1) {
		return histogram{}, fmt.Errorf("read metric %s: it is not there or not whole", name)
	}
	return h, nil
}

// since is what was counted after an earlier reading of the same histogram.
func (h histogram) since(before histogram) (histogram, error) {
	if !slices.Equal(h.bounds, before.bounds) {
		return histogram{}, fmt.Errorf("the bounds of the histogram have changed: %v, %v", before.bounds, h.bounds)
	}
	d := histogram{bounds: h.bounds, counts: make([]float64, len(h.counts)), sum: h.sum - before.sum}
	for i := range h.counts {
		if d.counts[i] = h.counts[i] - before.counts[i]; d.counts[i] < 0 {
			return histogram{}, fmt.Errorf("the histogram counts less than before: the process was started anew")
		}
	}
	return d, nil
}

func (h histogram) total() float64 {
	if len(h.counts) == 0 {
		return 0
	}
	return h.counts[len(h.counts)-1]
}

// quantile takes values to lie evenly in their bucket. Those above the last bound lie
// between it and the most that their sum allows.
func (h histogram) quantile(q float64) float64 {
	wanted := q * h.total()
	lower, below := 0.0, 0.0
	for i, count := range h.counts {
		upper := h.bounds[i]
		if count >= wanted && count > below {
			if math.IsInf(upper, 1) {
				upper = h.max()
			}
			return lower + (upper-lower)*(wanted-below)/(count-below)
		}
		lower, below = h.bounds[i], count
	}
	return 0
}

// max bounds the largest value from above: by the bound of the highest bucket that has
// one, or, where that is open, by the sum of all less what the others have at least.
func (h histogram) max() float64 {
	rest, lower, below := h.sum, 0.0, 0.0
	highest := 0.0
	for i, count := range h.counts {
		in := count - below
		if in > 0 {
			highest = h.bounds[i]
		}
		if math.IsInf(h.bounds[i], 1) {
			if in > 0 {
				return max(rest-(in-1)*lower, lower)
			}
			break
		}
		rest -= in * lower
		lower, below = h.bounds[i], count
	}
	return highest
}

func (h histogram) summary() OwnShare {
	in := func(seconds float64) float64 { return ms(time.Duration(seconds * float64(time.Second))) }
	return OwnShare{P50: in(h.quantile(0.50)), P99: in(h.quantile(0.99)), Max: in(h.max())}
}
