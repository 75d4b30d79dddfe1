package testkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/pg"
	"dozor/internal/pgtemp"
)

// One server a test process, started by the first test that asks.
var postgres struct {
	once   sync.Once
	server *pgtemp.Server
	dir    string
	err    error
	count  atomic.Int64
}

const template = "dozor_template"

func startPostgres() (*pgtemp.Server, error) {
	postgres.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		postgres.dir, postgres.err = os.MkdirTemp("", "dozor-test-")
		if postgres.err != nil {
			return
		}
		if postgres.err = os.Chmod(postgres.dir, 0o755); postgres.err != nil {
			return
		}
		postgres.server, postgres.err = pgtemp.Start(ctx, pgtemp.Config{Dir: postgres.dir + "/pg", Unsafe: true})
		if postgres.err != nil {
			return
		}
		if postgres.err = postgres.server.CreateDatabase(ctx, template, ""); postgres.err != nil {
			return
		}
		_, postgres.err = pg.Migrate(ctx, postgres.server.OwnerURL(template), slog.New(slog.DiscardHandler))
	})
	return postgres.server, postgres.err
}

func stopPostgres(ctx context.Context) error {
	var err error
	if postgres.server != nil {
		err = postgres.server.Stop(ctx)
	}
	if postgres.dir != "" {
		err = errors.Join(err, os.RemoveAll(postgres.dir))
	}
	return err
}

// Database is a migrated database that belongs to one test.
type Database struct {
	Name     string
	AppURL   string
	OwnerURL string
	Pool     *pg.Pool   // as the application
	Direct   *pg.Direct // as the application, without a pooler
	Owner    *pg.Pool   // as the owner: for shifting clocks and breaking things
}

// DB makes a database for the test, dropped with it.
func DB(t testing.TB) *Database {
	t.Helper()
	ctx := context.Background()
	server, err := startPostgres()
	require.NoError(t, err, "start the private PostgreSQL")
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), postgres.count.Add(1))
	require.NoError(t, server.CreateDatabase(ctx, name, template))

	db := &Database{Name: name, AppURL: server.AppURL(name), OwnerURL: server.OwnerURL(name)}
	db.Pool, err = pg.Open(ctx, db.AppURL, pg.Options{MaxConns: 16, Name: t.Name()})
	require.NoError(t, err)
	db.Direct, err = pg.OpenDirect(ctx, db.AppURL, pg.Options{MaxConns: 8, Name: t.Name() + "/direct"})
	require.NoError(t, err)
	db.Owner, err = pg.Open(ctx, db.OwnerURL, pg.Options{MaxConns: 4, Name: t.Name() + "/owner"})
	require.NoError(t, err)
	t.Cleanup(func() {
		db.Pool.Close()
		db.Direct.Close()
		db.Owner.Close()
		conn, err := pgx.Connect(ctx, server.OwnerURL("postgres"))
		if err != nil {
			t.Errorf("drop database %s: %v", name, err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return db
}

// Exec runs a statement as the owner, for the arrangement of a test.
func (d *Database) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := d.Owner.Exec(context.Background(), sql, args...)
	require.NoError(t, err)
}

// One reads one value as the owner.
func One[T any](t testing.TB, d *Database, sql string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, d.Owner.QueryRow(context.Background(), sql, args...).Scan(&v))
	return v
}
