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
	// Making a database takes longer than most cases, so they take turns with a few.
	free := make(chan *record.Record, 3)
	for range cap(free) {
		free <- record.New(t, "postgres")
	}
	livetest.Run(t, func(t testing.TB) livetest.System {
		with := <-free
		t.Cleanup(func() {
			with.Empty(t)
			free <- with
		})
		return &system{with}
	})
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
