package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/bus/hedge"
	"dozor/internal/config"
	"dozor/internal/lifecycle"
	"dozor/internal/live/pglive"
	"dozor/internal/live/redislive"
	"dozor/internal/live/tiers"
	"dozor/internal/obs"
	"dozor/internal/resilience"
	"dozor/internal/roster"
)

// Names of the parts that a station can do without, as people see them.
const (
	partRabbit = "rabbitmq"
	partRedis  = "redis"
)

// part is a server that the station can do without, behind its breaker.
type part struct {
	name    string
	breaker *resilience.Breaker
	canary  func(context.Context) error
	// ask asks it something; with an error it is of no use.
	ask func(context.Context) error
	// trouble is what keeps a part of it from working, without asking.
	trouble func() error
	// word says in a stable word what an error is about.
	word func(error) string
}

// openBus puts RabbitMQ before PostgreSQL's bus, if there is one.
func (c *core) openBus(servers config.Servers) error {
	c.bus, c.buses = c.pgbus, []bus.Bus{c.pgbus}
	if servers.AMQP == "" {
		return nil
	}
	broker, err := amqpbus.New(amqpbus.Config{URL: servers.AMQP.Reveal(), CAFile: servers.AMQPCA, Name: c.instance, Logger: c.log})
	if err != nil {
		return fmt.Errorf("AMQP_URL: %w", err)
	}
	breaker := resilience.New(partRabbit, c.log)
	c.broker, c.brokerBreaker = broker, breaker
	c.bus = hedge.New(hedge.Config{First: broker, Second: c.pgbus, Breaker: breaker})
	c.buses = append(c.buses, broker)
	c.parts = append(c.parts, part{
		name: partRabbit, breaker: breaker,
		canary: func(ctx context.Context) error { return broker.Probe(ctx, bus.Live) },
		ask: func(ctx context.Context) error {
			_, err := broker.Depth(ctx, bus.Live)
			return cmp.Or(broker.Health().BlockedErr(), err)
		},
		trouble: func() error { return broker.Health().Err() },
		word:    amqpbus.Reason,
	})
	return nil
}

// openLive puts Redis before PostgreSQL's live state, if there is one. reads says that
// this process shows live state to people.
func (c *core) openLive(servers config.Servers, reads bool) error {
	cfg := tiers.Config{
		Postgres: pglive.New(c.pool, c.hints, c.log), Hints: c.hints, Authority: pglive.NewAuthority(c.pool), Reads: reads, Log: c.log,
	}
	if servers.Redis != "" {
		store, err := redislive.New(redislive.Config{URL: servers.Redis.Reveal(), CAFile: servers.RedisCA, Ledger: pglive.NewLedger(c.pool), Log: c.log})
		if err != nil {
			return fmt.Errorf("REDIS_URL: %w", err)
		}
		c.redis = store
		cfg.Redis, cfg.Breaker = store, resilience.New(partRedis, c.log)
		c.parts = append(c.parts, part{
			name: partRedis, breaker: cfg.Breaker, canary: store.Check, ask: store.Check,
			trouble: func() error { return nil }, word: redislive.Reason,
		})
	}
	c.live = tiers.New(cfg)
	return nil
}

// partServices run what stands between this process and the parts.
func (c *core) partServices() []lifecycle.Service {
	var services []lifecycle.Service
	for _, p := range c.parts {
		services = append(services, lifecycle.Service{Name: p.name, Run: func(ctx context.Context) error {
			return p.breaker.Run(ctx, p.canary)
		}})
	}
	return append(services,
		lifecycle.Service{Name: "live", Run: c.live.Keep},
		lifecycle.Service{Name: "roster", Run: c.roster.Run})
}

// sources look at the parts for the roster.
func (c *core) sources() []roster.Source {
	sources := make([]roster.Source, len(c.parts))
	for i, p := range c.parts {
		sources[i] = p.look
	}
	return sources
}

func (p part) look(ctx context.Context) roster.Part {
	asked := time.Now()
	err := p.ask(ctx)
	seen := roster.Part{Name: p.name, State: roster.OK}
	if err == nil {
		seen.LatencyMS = float64(time.Since(asked).Microseconds()) / 1000
	} else {
		// A process that asks the part for nothing else finds out here.
		p.breaker.Failed(err)
	}
	// What its links have met says why; the question may just not have been answered in time.
	if err = cmp.Or(p.trouble(), err); err != nil {
		seen.State, seen.Reason, seen.Detail = roster.Down, p.word(err), err.Error()
	}
	status := p.breaker.Status()
	seen.Since, seen.Opened = status.Since.UTC(), status.Opened
	if status.State != resilience.Closed {
		seen.State, seen.Detail = roster.Aside, cmp.Or(seen.Detail, status.LastError)
	}
	return seen
}

// showParts tells probes and metrics how this process sees the parts.
func (c *core) showParts(health *obs.Health) {
	for _, p := range c.parts {
		health.AddOptional(p.name, func(context.Context) (string, error) {
			for _, seen := range c.roster.Parts() {
				if seen.Name == p.name && seen.State != roster.OK {
					return string(seen.State), errors.New(strings.TrimPrefix(seen.Reason+": "+seen.Detail, ": "))
				}
			}
			return "", nil
		})
		c.registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "dozor_breaker_open", Help: "1 while this process goes on without the part.", ConstLabels: prometheus.Labels{"part": p.name},
			}, func() float64 {
				if p.breaker.Closed() {
					return 0
				}
				return 1
			}),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "dozor_breaker_opened_total", Help: "How often the part was put aside.", ConstLabels: prometheus.Labels{"part": p.name},
			}, func() float64 { return float64(p.breaker.Status().Opened) }),
		)
	}
}
