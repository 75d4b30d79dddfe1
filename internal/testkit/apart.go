package testkit

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/pg"
	"dozor/internal/testkit/faultproxy"
)

// Apart is what one more operating system process would have of a database: pools and
// hints of its own, over a way of its own that can be broken.
type Apart struct {
	Pool   *pg.Pool
	Direct *pg.Direct
	Hints  *pg.Hints
	Way    *faultproxy.Proxy

	t     testing.TB
	stop  context.CancelFunc
	ended chan error
}

// Apart opens the database as a process of that name does; pooled is one that does without
// prepared statements, as behind PgBouncer. Whoever uses it closes it, after what stands on it.
func (d *Database) Apart(t testing.TB, name string, pooled bool, log *slog.Logger) *Apart {
	t.Helper()
	dsn, err := url.Parse(d.AppURL)
	require.NoError(t, err)
	query := dsn.Query()
	a := &Apart{t: t, ended: make(chan error, 1)}
	a.Way = faultproxy.New(t, "unix", filepath.Join(query.Get("host"), ".s.PGSQL.5432"))
	query.Set("host", filepath.Dir(a.Way.Addr()))
	dsn.RawQuery = query.Encode()

	ctx := context.Background()
	a.Pool, err = pg.Open(ctx, dsn.String(), pg.Options{MaxConns: 6, Name: name, Pooled: pooled})
	require.NoError(t, err)
	a.Direct, err = pg.OpenDirect(ctx, dsn.String(), pg.Options{MaxConns: 2, Name: name})
	require.NoError(t, err)
	a.Hints = pg.NewHints(a.Pool, a.Direct, log)
	running, stop := context.WithCancel(ctx)
	a.stop = stop
	go func() { a.ended <- a.Hints.Run(running) }()
	return a
}

// Close ends the hints and the pools. A statement that was broken off keeps its connection
// until the server hangs up, so the way is cut first.
func (a *Apart) Close() {
	a.stop()
	require.NoError(a.t, <-a.ended)
	a.Way.Cut()
	a.Pool.Close()
	a.Direct.Close()
}
