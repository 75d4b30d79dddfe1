package pglive_test

import (
	"testing"

	"dozor/internal/live/livetest"
	"dozor/internal/live/livetest/record"
	"dozor/internal/live/pglive"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	record.Run(t, func(t testing.TB) *record.Record { return record.New(t, "postgres") }, func(r *record.Record) livetest.System { return &system{r} })
}

type system struct{ *record.Record }

// Process opens the store over a way of its own.
func (s *system) Process(t testing.TB) livetest.Process {
	t.Helper()
	log := testkit.Logger(t)
	apart := s.Connect(t, log)
	store := pglive.New(apart.Pool, apart.Hints, log)
	t.Cleanup(func() {
		store.Wait()
		apart.Close()
	})
	return livetest.Process{States: store, Leases: store, Fanout: store, Way: apart.Way}
}
