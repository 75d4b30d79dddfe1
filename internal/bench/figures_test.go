package bench

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/ids"
)

func TestQuantilesAreSamplesThatSomebodyHad(t *testing.T) {
	samples := make([]time.Duration, 0, 100)
	for i := 100; i >= 1; i-- {
		samples = append(samples, time.Duration(i)*time.Millisecond)
	}
	require.Equal(t, Latency{P50: 50, P95: 95, P99: 99, Max: 100}, summarise(samples))
	require.Equal(t, Latency{P50: 7, P95: 7, P99: 7, Max: 7}, summarise([]time.Duration{7 * time.Millisecond}))
	require.Equal(t, Latency{}, summarise(nil))
	require.Equal(t, 1.24, ms(1235900*time.Nanosecond))
}

func TestQuantilesHaveTheirShareBelowThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1000), 1, 200).Draw(t, "samples")
		q := rapid.Float64Range(0.001, 1).Draw(t, "q")
		samples := make([]time.Duration, len(values))
		for i, v := range values {
			samples[i] = time.Duration(v)
		}
		summarise(samples)
		at := quantile(samples, q)
		upTo, below := 0, 0
		for _, s := range samples {
			if s <= at {
				upTo++
			}
			if s < at {
				below++
			}
		}
		require.GreaterOrEqual(t, float64(upTo), q*float64(len(samples))-1e-9)
		require.Less(t, float64(below), q*float64(len(samples))+1e-9)
	})
}

func TestMedian(t *testing.T) {
	require.Equal(t, 25.0, median([]float64{40, 10, 30, 20}))
	require.Equal(t, 10.0, median([]float64{90, 10, 1}))
	require.Zero(t, median(nil))
}

const page = `# HELP dozor_own_share_seconds From the last byte
# TYPE dozor_own_share_seconds histogram
dozor_own_share_seconds_bucket{le="0.01"} 10
dozor_own_share_seconds_bucket{le="0.1"} 60
dozor_own_share_seconds_bucket{le="1"} 100
dozor_own_share_seconds_bucket{le="+Inf"} 100
dozor_own_share_seconds_sum 12.5
dozor_own_share_seconds_count 100
dozor_own_share_seconds_other 3
go_goroutines 12
`

func read(t *testing.T, text string) histogram {
	t.Helper()
	h, err := readHistogram(strings.NewReader(text), ownShare)
	require.NoError(t, err)
	return h
}

func TestHistogramsOfMetricsAreRead(t *testing.T) {
	h := read(t, page)
	require.Equal(t, []float64{10, 60, 100, 100}, h.counts)
	require.Equal(t, []float64{0.01, 0.1, 1, math.Inf(1)}, h.bounds)
	require.Equal(t, 12.5, h.sum)

	for _, wrong := range []string{"", "go_goroutines 12\n", strings.ReplaceAll(page, "+Inf", "2"), strings.ReplaceAll(page, `"} 60`, `"} sixty`)} {
		_, err := readHistogram(strings.NewReader(wrong), ownShare)
		require.Error(t, err)
	}
}

func TestQuantilesOfAHistogramLieInTheirBucket(t *testing.T) {
	h := read(t, page)
	require.InDelta(t, 0.01+0.09*40/50, h.quantile(0.5), 1e-9, "the 50th is the 40th of 50 between 10 and 100 ms")
	require.InDelta(t, 0.01, h.quantile(0.1), 1e-9)
	require.InDelta(t, 1, h.quantile(1), 1e-9)
	require.Equal(t, 1.0, h.max())
	require.Equal(t, OwnShare{P50: 82, P99: 977.5, Max: 1000}, h.summary())
}

func TestWhatIsAboveTheLastBoundIsBoundedByTheSum(t *testing.T) {
	h := histogram{bounds: []float64{1, 2, math.Inf(1)}, counts: []float64{1, 2, 4}, sum: 0.5 + 1.5 + 3 + 9}
	require.InDelta(t, 14-0-1-2, h.max(), 1e-9, "the others have at least 0, 1 and 2")
	require.GreaterOrEqual(t, h.max(), 9.0)
	require.LessOrEqual(t, h.quantile(0.99), h.max())
}

func TestOnlyWhatWasCountedSinceIsSummedUp(t *testing.T) {
	before := read(t, page)
	after := read(t, strings.NewReplacer(`"1"} 100`, `"1"} 104`, `"+Inf"} 100`, `"+Inf"} 104`, "sum 12.5", "sum 15.0").Replace(page))
	since, err := after.since(before)
	require.NoError(t, err)
	require.Equal(t, 4.0, since.total())
	require.Equal(t, 1.0, since.max())
	require.InDelta(t, 0.1+0.9/2, since.quantile(0.5), 1e-9)

	none, err := before.since(before)
	require.NoError(t, err)
	require.Zero(t, none.total())
	_, err = before.since(after)
	require.ErrorContains(t, err, "started anew")
	_, err = before.since(histogram{})
	require.ErrorContains(t, err, "bounds")
}

func seenAt(panel, code, zone int, restore bool, at time.Duration) arrival {
	return arrival{signature{panel: ids.PanelID(panel), code: code, zone: zone, restore: restore}, time.Unix(0, 0).Add(at)}
}

func TestArrivalsAreMatchedWithRecordsOfTheSameSignatureInOrder(t *testing.T) {
	record := func(panel, code, zone int, restore bool, at time.Duration) truth {
		return truth(seenAt(panel, code, zone, restore, at))
	}
	records := []truth{
		record(1, 130, 5, false, 0), record(1, 130, 5, true, 10), record(1, 130, 5, false, 20), record(2, 130, 5, false, 0),
	}
	v := match(records, []arrival{
		seenAt(2, 130, 5, false, 7), seenAt(1, 130, 5, false, 3), seenAt(1, 130, 5, true, 15), seenAt(1, 130, 5, false, 24),
	})
	require.Equal(t, []time.Duration{7, 3, 4}, v.begins)
	require.Equal(t, []time.Duration{5}, v.ends)
	require.Zero(t, v.lost)
	require.Zero(t, v.surplus)
	require.Equal(t, time.Unix(0, 24), v.last)
}

func TestLostAndInventedEventsAreCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 50).Draw(t, "records")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var records []truth
		var arrivals []arrival
		lost, surplus := 0, 0
		for i := range n {
			a := seenAt(1+random.IntN(3), 130+random.IntN(2), 1+random.IntN(3), random.IntN(2) == 0, time.Duration(i))
			records = append(records, truth(a))
			if random.IntN(5) == 0 {
				lost++
				continue
			}
			arrivals = append(arrivals, a)
		}
		for range random.IntN(4) {
			arrivals = append(arrivals, seenAt(9, 1, 1, false, 0))
			surplus++
		}
		random.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
		v := match(records, arrivals)
		require.Equal(t, lost, v.lost)
		require.Equal(t, surplus, v.surplus)
		require.Len(t, append(v.begins, v.ends...), n-lost)
	})
	require.ErrorIs(t, exact(1, 0), ErrInexact)
	require.ErrorIs(t, exact(0, 1), ErrInexact)
	require.NoError(t, exact(0, 0))
}

func TestTheFloorIsThatOfTheProtocol(t *testing.T) {
	o := AlarmOptions{
		Panels: 20, Burst: 401, PollInterval: 250 * time.Millisecond, LogDelay: 300 * time.Millisecond,
		AnswerDelay: 20 * time.Millisecond, MinGap: 10 * time.Millisecond,
	}
	require.Equal(t, 610*time.Millisecond, o.floor(), "poll, log delay, two questions")
	require.Equal(t, 630*time.Millisecond, o.burstFloor(), "21 records of one panel")
}

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	good := AlarmOptions{Panels: 1, Clients: 1, Rate: 1, Duration: time.Second, Limit: time.Second, PollInterval: time.Second}
	require.NoError(t, good.check())
	for want, change := range map[string]func(*AlarmOptions){
		"--panels":       func(o *AlarmOptions) { o.Panels = 0 },
		"--clients":      func(o *AlarmOptions) { o.Clients = -1 },
		"--rate":         func(o *AlarmOptions) { o.Rate = 0 },
		"--limit":        func(o *AlarmOptions) { o.Limit = 0 },
		"negative":       func(o *AlarmOptions) { o.MinGap = -1 },
		"than its memor": func(o *AlarmOptions) { o.Burst = 30_000 },
		"needs all of":   func(o *AlarmOptions) { o.URL = "http://localhost:8080" },
	} {
		o := good
		change(&o)
		require.ErrorContains(t, o.check(), want)
		_, err := Alarm(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
	_, err := Panels(t.Context(), PanelsOptions{})
	require.ErrorContains(t, err, "--panels")
	require.ErrorContains(t, err, "--workers")
	require.ErrorContains(t, err, "--rate and --duration")
	_, err = Ingest(t.Context(), IngestOptions{})
	require.ErrorContains(t, err, "--events")
	require.ErrorContains(t, err, "--panels")
}

func TestAScheduleHasTheRateAndEndsEveryAlarmBeforeTheNextOfItsPanel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		panels := rapid.IntRange(1, 30).Draw(t, "panels")
		rate := rapid.Float64Range(0.5, 200).Draw(t, "rate")
		duration := time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond
		acts := schedule(panels, rate, duration, halfARound(panels, rate), rand.New(rand.NewPCG(1, 2)))
		alarms, open, turns := 0, make([]bool, panels), make([]int, panels)
		for i, a := range acts {
			if i > 0 {
				require.GreaterOrEqual(t, a.due, acts[i-1].due)
			}
			require.NotEqual(t, a.violate, open[a.target])
			require.Equal(t, turns[a.target], a.turn)
			open[a.target] = a.violate
			if a.violate {
				alarms++
				require.Less(t, a.due, duration+time.Duration(float64(time.Second)/rate))
			} else {
				turns[a.target]++
			}
		}
		require.InDelta(t, math.Ceil(duration.Seconds()*rate), alarms, 1)
		require.NotContains(t, open, true)
	})
}

func TestPanelsArePairedByAddressOrByAPortThatOnlyOneHas(t *testing.T) {
	views := []panelView{{ID: 7, Host: "sim", Port: 10004}, {ID: 8, Host: "10.0.0.5", Port: 10005}, {ID: 9, Host: "a", Port: 10006}, {ID: 10, Host: "b", Port: 10006}}
	targets := pair([]address{{"0.0.0.0", 10004}, {"10.0.0.5", 10005}, {"0.0.0.0", 10006}, {"0.0.0.0", 1}}, views)
	require.Equal(t, []target{{number: 1, id: 7}, {number: 2, id: 8}}, targets)
}

func TestProcessesAreReadWhateverTheirNameIs(t *testing.T) {
	line := "4242 (a) R (b) S 17 18 19 0 -1 4194560 100 200 0 0 250 50 30 20 20 0 8 0 12345 1000000 512 18446744073709551615 1 1 0"
	s, err := parseStat([]byte(line))
	require.NoError(t, err)
	require.Equal(t, stat{parent: 17, group: 18, own: 3 * time.Second, children: 500 * time.Millisecond, resident: 512 * int64(os.Getpagesize())}, s)
	for _, wrong := range []string{"", "4242 (a", "4242 (a) S 1 2", strings.Replace(line, " 17 ", " x ", 1)} {
		_, err := parseStat([]byte(wrong))
		require.Error(t, err, wrong)
	}
}

func TestUseOfProcessesIsCountedFromTheStart(t *testing.T) {
	m, err := startMeters(processMeter("self", os.Getpid()), meter{"family", func() (usage, error) { return ofFamily(os.Getpid()) }})
	require.NoError(t, err)
	n := 0
	require.Eventually(t, func() bool {
		for i := range 50_000_000 {
			n += i % 7
		}
		used, err := m.stop()
		require.NoError(t, err)
		require.Greater(t, used[0].RSS, 1.0)
		return used[0].CPU > 0.05 && used[1].CPU >= used[0].CPU-0.05
	}, 20*time.Second, time.Millisecond, "work shows as CPU time: %d", n)
	_, err = ofFamily(1 << 30)
	require.Error(t, err)
}
