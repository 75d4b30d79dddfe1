package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/ingest"
)

// BenchmarkProcess gives batches of 500 new records of many sites: a tenth raises alarms
// or joins them, the rest is access, arming and the like; and a storm, where all raise.
func BenchmarkProcess(b *testing.B) {
	for _, storm := range []bool{false, true} {
		for _, sites := range []int{5, 50} {
			b.Run(fmt.Sprintf("storm=%t/sites=%d", storm, sites), func(b *testing.B) {
				s := newStation(b, sites)
				batches := make([][]bus.Delivery, b.N)
				n := 0
				for i := range batches {
					msgs := make([]bus.Message, ingest.MaxBatch)
					for j := range msgs {
						n++
						g := signal{panel: 1 + n%sites, code: codePlainAccess, source: 9, at: s.now.Add(time.Duration(n) * time.Millisecond), segment: segment, offset: -n}
						switch {
						case storm || n%10 == 0:
							g.code, g.source = codeBurglary, 1+n%64
						case n%10 == 1:
							g.code, g.restore = codeArming, true
						}
						msgs[j] = s.message(b, g)
					}
					batches[i] = s.deliver(msgs...)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for _, batch := range batches {
					if _, err := s.in.Process(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*ingest.MaxBatch)/b.Elapsed().Seconds(), "events/s")
				b.StopTimer()
				require.Positive(b, s.stored.Load())
			})
		}
	}
}
