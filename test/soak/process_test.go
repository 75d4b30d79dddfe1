package soak

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/bus/hedge"
	"dozor/internal/bus/pgbus"
	"dozor/internal/resilience"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

// process is one process's end of a bus, with its ways to the servers.
type process struct {
	publisher bus.Publisher
	consumed  []bus.Bus // all that its consumers listen to
	ways      []*faultproxy.Proxy
}

func overRabbit(t *testing.T, vhost string) (*amqpbus.Bus, *faultproxy.Proxy) {
	server := testkit.Rabbit(t)
	way := faultproxy.New(t, "tcp", server.Addr())
	address, err := url.Parse(server.URL(vhost))
	require.NoError(t, err)
	address.Host = way.Addr()
	b, err := amqpbus.New(amqpbus.Config{URL: address.String(), Name: "soak", Logger: (&testkit.LogBook{}).Logger()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b, way
}

func overPostgres(t *testing.T, db *testkit.Database) (*pgbus.Bus, *faultproxy.Proxy) {
	log := (&testkit.LogBook{}).Logger()
	apart := db.Apart(t, "soak", false, log)
	t.Cleanup(apart.Close)
	return pgbus.New(apart.Pool, apart.Direct, apart.Hints, log), apart.Way
}

// adapters are what is soaked: each makes one more process on the same servers.
var adapters = []struct {
	name string
	open func(t *testing.T) func() process
}{
	{"RabbitMQ", func(t *testing.T) func() process {
		vhost := testkit.Vhost(t)
		return func() process {
			b, way := overRabbit(t, vhost)
			return process{publisher: b, consumed: []bus.Bus{b}, ways: []*faultproxy.Proxy{way}}
		}
	}},
	{"PostgreSQL", func(t *testing.T) func() process {
		db := testkit.DB(t)
		return func() process {
			b, way := overPostgres(t, db)
			return process{publisher: b, consumed: []bus.Bus{b}, ways: []*faultproxy.Proxy{way}}
		}
	}},
	{"Hedge", func(t *testing.T) func() process {
		vhost, db := testkit.Vhost(t), testkit.DB(t)
		return func() process {
			first, toFirst := overRabbit(t, vhost)
			second, toSecond := overPostgres(t, db)
			breaker := resilience.New("broker", (&testkit.LogBook{}).Logger(), resilience.WithDelay(500*time.Millisecond))
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() {
				ended <- breaker.Run(ctx, func(ctx context.Context) error { return first.Probe(ctx, bus.Live) })
			}()
			t.Cleanup(func() {
				cancel()
				require.NoError(t, <-ended)
			})
			return process{
				publisher: hedge.New(hedge.Config{First: first, Second: second, Breaker: breaker}),
				consumed:  []bus.Bus{first, second}, ways: []*faultproxy.Proxy{toFirst, toSecond},
			}
		}
	}},
}
