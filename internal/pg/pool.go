package pg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool is the application's way to the primary; PgBouncer may stand in it.
type Pool struct{ *pgxpool.Pool }

// Direct is an unpooled way to the primary, for what needs a session of its own.
type Direct struct{ *pgxpool.Pool }

// Options of a pool; zero values mean the defaults of pgx.
type Options struct {
	MaxConns int32
	// Pooled is set where PgBouncer stands in between: no prepared statements.
	Pooled bool
	// Name is seen in pg_stat_activity.
	Name string
	// MinConns are kept open from the beginning.
	MinConns int32
	// Warm readies each new session before it is used; not called where PgBouncer stands
	// in between, since the next transaction may have another session.
	Warm func(ctx context.Context, conn *pgx.Conn) error
}

// connectTimeout bounds one attempt to connect, so that a frozen host is left soon.
const connectTimeout = 3 * time.Second

// Open makes a pool. It connects lazily: a database that is down is found out by the
// first statement, and the pool recovers by itself.
func Open(ctx context.Context, dsn string, opts Options) (*Pool, error) {
	p, err := open(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	return &Pool{p}, nil
}

// OpenDirect makes a direct pool; its DSN must not lead through PgBouncer.
func OpenDirect(ctx context.Context, dsn string, opts Options) (*Direct, error) {
	opts.Pooled = false
	p, err := open(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	return &Direct{p}, nil
}

func open(ctx context.Context, dsn string, opts Options) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, badDSN(err)
	}
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if opts.Name != "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = opts.Name
	}
	if opts.MaxConns > 0 {
		cfg.MaxConns = opts.MaxConns
	}
	cfg.MinConns = opts.MinConns
	if opts.Pooled {
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	} else {
		cfg.AfterConnect = opts.Warm
	}
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open a pool: %w", err)
	}
	return p, nil
}

// badDSN hides what pgx quotes: a DSN holds a password.
func badDSN(error) error {
	return errors.New("the database URL can't be read: want postgres://user:password@host:port/database?options")
}

// maxTxAttempts bounds how often a transaction is run again after a deadlock or a
// serialisation failure; past it something is wrong that waiting does not mend.
const maxTxAttempts = 5

// InTx runs f in a transaction and commits. After a deadlock or a serialisation
// failure it runs f again, so f has no effect outside of the transaction.
func (p *Pool) InTx(ctx context.Context, f func(tx pgx.Tx) error) error {
	return inTx(ctx, p.Pool, f)
}

// InTx is Pool.InTx over a direct connection.
func (d *Direct) InTx(ctx context.Context, f func(tx pgx.Tx) error) error {
	return inTx(ctx, d.Pool, f)
}

// begin bounds the pause between two statements of a transaction: a process that stands
// still in the middle of one, or whose host is gone, would keep its locks, the relay's on
// the stream among them, until it goes on or its connection is given up after hours. Sent
// with the beginning, it costs no way to the server of its own, and holds for this
// transaction alone, whoever else shares the session by way of PgBouncer.
const begin = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '3s'"

func inTx(ctx context.Context, pool *pgxpool.Pool, f func(tx pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: begin}, f)
		if err == nil || attempt == maxTxAttempts || !IsRetryable(err) {
			return err
		}
		pause := time.Duration(attempt*attempt) * 2 * time.Millisecond
		select {
		case <-time.After(pause + rand.N(pause)):
		case <-ctx.Done():
			return err
		}
	}
}

// IsRetryable reports whether running the same transaction again may succeed at once:
// a deadlock or a serialisation failure.
func IsRetryable(err error) bool {
	switch Code(err) {
	case "40001", "40P01":
		return true
	}
	return false
}

// IsTemporary reports whether an error says that the database is away or overloaded
// rather than that the statement is wrong. Work that met one is done again later and
// never counted against.
func IsTemporary(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	code := Code(err)
	if code == "" {
		// No answer of the server in it: a connection that broke or never stood.
		_, isConnect := errors.AsType[*pgconn.ConnectError](err)
		return isConnect || pgconn.SafeToRetry(err) || pgconn.Timeout(err) || isNetwork(err)
	}
	switch code[:2] {
	case "08", "53", "57", "58": // connection, resources, operator, system
		return true
	case "25": // the primary became a standby; this process stood still for too long
		return code == "25006" || code == "25P03"
	case "55":
		return code == "55P03" // lock not available
	}
	return IsRetryable(err)
}

// Code is the SQLSTATE of an error, empty where the server said none.
func Code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}
