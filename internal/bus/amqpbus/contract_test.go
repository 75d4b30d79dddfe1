package amqpbus_test

import (
	"context"
	"encoding/hex"
	"net/url"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/bus/bustest"
	"dozor/internal/rabbittemp"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestContract(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t testing.TB) bustest.System {
		return &system{vhost: testkit.Vhost(t), server: testkit.Rabbit(t), letters: map[bus.Key]bustest.DeadLetter{}}
	})
}

type system struct {
	server  *rabbittemp.Server
	vhost   string
	letters map[bus.Key]bustest.DeadLetter // taken off the queue so far
}

func (s *system) Window() int { return 1000 }

func (s *system) DeadLetter(_ context.Context, key bus.Key) (bustest.DeadLetter, bool, error) {
	if l, ok := s.letters[key]; ok {
		return l, true, nil
	}
	// The only one in the test's virtual host that takes anything off this queue.
	conn, err := amqp.Dial(s.server.URL(s.vhost))
	if err != nil {
		return bustest.DeadLetter{}, false, err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return bustest.DeadLetter{}, false, err
	}
	for {
		d, ok, err := ch.Get(amqpbus.DeadQueue, true)
		if err != nil {
			return bustest.DeadLetter{}, false, err
		}
		if !ok {
			break
		}
		id, err := hex.DecodeString(d.MessageId)
		if err != nil {
			return bustest.DeadLetter{}, false, err
		}
		text := func(name string) string { v, _ := d.Headers[name].(string); return v }
		s.letters[bus.Key(id)] = bustest.DeadLetter{Reason: text("reason"), Message: bus.Message{
			Key: bus.Key(id), Lane: bus.Lane(text("lane")), Topic: text("topic"), Trace: text("traceparent"), Body: d.Body,
		}}
	}
	l, ok := s.letters[key]
	return l, ok, nil
}

// Process has a bus of its own, through a proxy of its own.
func (s *system) Process(t testing.TB) bustest.Process {
	t.Helper()
	p := newProcess(t, s.vhost, amqpbus.Limits{})
	return bustest.Process{Bus: p.bus, Way: p, Kill: p.kill}
}

// process is a bus behind a proxy, as one operating system process has it.
type process struct {
	*faultproxy.Proxy
	bus *amqpbus.Bus

	mu   sync.Mutex
	dead bool
}

func newProcess(t testing.TB, vhost string, limits amqpbus.Limits) *process {
	t.Helper()
	server := testkit.Rabbit(t)
	proxy := faultproxy.New(t, "tcp", server.Addr())
	address, err := url.Parse(server.URL(vhost))
	require.NoError(t, err)
	address.Host = proxy.Addr()
	b, err := amqpbus.New(amqpbus.Config{URL: address.String(), Name: "contract", Logger: testkit.Logger(t), Limits: limits})
	require.NoError(t, err)
	t.Cleanup(func() {
		proxy.Cut()
		require.NoError(t, b.Close())
	})
	return &process{Proxy: proxy, bus: b}
}

func (p *process) DropConfirms() { p.DropAnswers() }

func (p *process) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.Proxy.Heal()
	}
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	p.Cut()
}
