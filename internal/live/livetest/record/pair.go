package record

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"dozor/internal/live/livetest"
	"dozor/internal/redistemp"
	"dozor/internal/testkit"
)

// Pair is a Record and a Redis beside it.
type Pair struct {
	*Record
	Server *redistemp.Server
	Behind *redis.Client // looks behind the adapter
}

// NewPair makes one in which a store, "postgres" or "redis", has the right to grant leases.
func NewPair(t testing.TB, granter string) *Pair {
	p := &Pair{Record: New(t, granter), Server: testkit.Redis(t, redistemp.Config{})}
	p.Behind = Behind(t, p.Server)
	return p
}

// Behind reaches a Redis directly.
func Behind(t testing.TB, server *redistemp.Server) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL())
	require.NoError(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Empty makes both as good as new.
func (p *Pair) Empty(t testing.TB) {
	p.Record.Empty(t)
	require.NoError(t, p.Behind.FlushAll(context.Background()).Err())
}

// Run runs the contract in systems over a few bases. Making a database takes longer than
// most cases, so they take turns.
func Run[B interface{ Empty(t testing.TB) }](t *testing.T, base func(t testing.TB) B, system func(B) livetest.System) {
	free := make(chan B, 3)
	for range cap(free) {
		free <- base(t)
	}
	livetest.Run(t, func(t testing.TB) livetest.System {
		with := <-free
		t.Cleanup(func() {
			with.Empty(t)
			free <- with
		})
		return system(with)
	})
}
