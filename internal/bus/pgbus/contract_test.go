package pgbus_test

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/bustest"
	"dozor/internal/bus/pgbus"
	"dozor/internal/pg"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestContract(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t testing.TB) bustest.System { return system{testkit.DB(t)} })
}

type system struct{ db *testkit.Database }

func (s system) Window() int { return 4000 }

func (s system) DeadLetter(ctx context.Context, key bus.Key) (bustest.DeadLetter, bool, error) {
	l := bustest.DeadLetter{Message: bus.Message{Key: key}}
	err := s.db.Pool.QueryRow(ctx, "SELECT lane, topic, trace, body, reason FROM dead_letters WHERE dedup_key = $1", key[:]).
		Scan(&l.Message.Lane, &l.Message.Topic, &l.Message.Trace, &l.Message.Body, &l.Reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	}
	return l, err == nil, err
}

// Process opens pools of its own, through a proxy of its own.
func (s system) Process(t testing.TB) bustest.Process {
	t.Helper()
	p := newProcess(t, s.db)
	return bustest.Process{Bus: p.bus, Way: p, Kill: p.kill}
}

type process struct {
	*faultproxy.Proxy
	bus *pgbus.Bus

	mu   sync.Mutex
	dead bool
}

func newProcess(t testing.TB, db *testkit.Database) *process {
	t.Helper()
	dsn, err := url.Parse(db.AppURL)
	require.NoError(t, err)
	query := dsn.Query()
	proxy := faultproxy.New(t, "unix", filepath.Join(query.Get("host"), ".s.PGSQL.5432"))
	query.Set("host", filepath.Dir(proxy.Addr()))
	dsn.RawQuery = query.Encode()

	ctx, log := context.Background(), testkit.Logger(t)
	pool, err := pg.Open(ctx, dsn.String(), pg.Options{MaxConns: 6, Name: t.Name()})
	require.NoError(t, err)
	direct, err := pg.OpenDirect(ctx, dsn.String(), pg.Options{MaxConns: 2, Name: t.Name() + "/direct"})
	require.NoError(t, err)
	hints := pg.NewHints(pool, direct, log)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- hints.Run(running) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		// A statement that was broken off keeps its connection until the server hangs up.
		proxy.Cut()
		pool.Close()
		direct.Close()
	})
	return &process{Proxy: proxy, bus: pgbus.New(pool, direct, hints, log)}
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
