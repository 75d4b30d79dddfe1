package outbox_test

import (
	"context"
	"testing"
)

// BenchmarkStamp gives positions to 500 rows a step; one operation is one row.
func BenchmarkStamp(b *testing.B) {
	s := setup(b)
	r := s.relay()
	s.fill(b.N)
	b.ResetTimer()
	for done := 0; done < b.N; {
		n, err := r.Stamp(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		done += n
	}
}

// BenchmarkStampOne is the way of a single alarm: one row, one step.
func BenchmarkStampOne(b *testing.B) {
	s := setup(b)
	r := s.relay()
	for b.Loop() {
		b.StopTimer()
		s.append(note(1))
		b.StartTimer()
		if n, err := r.Stamp(context.Background()); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
}
