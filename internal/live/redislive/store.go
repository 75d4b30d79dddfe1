package redislive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"dozor/internal/live"
	"dozor/internal/live/pglive"
)

const (
	// operationLimit bounds one step in Redis, its repetition and a new connection included.
	operationLimit = 250 * time.Millisecond
	// poolSize bounds the connections of one process, subscriptions aside.
	poolSize = 16
)

// Config of a store. All of it is required but CAFile.
type Config struct {
	// URL names the server, see Parse.
	URL string
	// CAFile is a PEM file with the authorities to trust for TLS, instead of the system's.
	CAFile string
	// Ledger gives the fences of leases.
	Ledger *pglive.Ledger
	Log    *slog.Logger
}

// Store is the live port over Redis. Safe for concurrent use.
type Store struct {
	client redis.UniversalClient
	ledger *pglive.Ledger
	log    *slog.Logger

	running   sync.WaitGroup // subscriptions' goroutines
	listening atomic.Int64
	blind     atomic.Bool // PostgreSQL could not be asked in the last Renew
	stats     counters
}

var (
	_ live.States = (*Store)(nil)
	_ live.Leases = (*Store)(nil)
	_ live.Fanout = (*Store)(nil)
)

// New makes the store. It connects with the first call; the error is about the URL and the
// CAFile only.
func New(cfg Config) (*Store, error) {
	server, err := Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.CAFile != "" {
		if err := server.trust(cfg.CAFile); err != nil {
			return nil, err
		}
	}
	quiet.Do(logging.Disable)
	return &Store{client: server.connect(), ledger: cfg.Ledger, log: cfg.Log.With("component", "redislive")}, nil
}

// quiet ends go-redis's own lines on the standard error output, in a form that is not
// ours: what they tell is in the errors that it returns.
var quiet sync.Once

// Wait returns when every subscription, whose contexts must have ended, has too.
func (s *Store) Wait() { s.running.Wait() }

// Close ends the connections; to be called after Wait.
func (s *Store) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close the connections to Redis: %w", err)
	}
	return nil
}

const (
	lifeKey   = "live:life"
	canaryKey = "live:canary"
	canaryFor = time.Minute
)

// Check writes and reads a value that nobody needs, and returns why that is not possible;
// Reason says it in a word. It is what a breaker tries with.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	want := strconv.FormatInt(time.Now().UnixNano(), 10)
	if err := s.client.Set(ctx, canaryKey, want, canaryFor).Err(); err != nil {
		return fmt.Errorf("write to Redis: %w", err)
	}
	// Other processes write theirs meanwhile: that there is one is what counts.
	if err := s.client.Get(ctx, canaryKey).Err(); err != nil {
		return fmt.Errorf("read what was just written to Redis: %w", err)
	}
	return nil
}

// Life names the life of the data. Another name than before means that anything written
// before may be missing: Redis was emptied, restarted, or another server took its place.
func (s *Store) Life(ctx context.Context) (string, error) {
	reply, err := s.run(ctx, nameLife, []string{lifeKey})
	if err != nil {
		return "", fmt.Errorf("name the life of the data: %w", err)
	}
	name, ok := reply.(string)
	if !ok {
		return "", fmt.Errorf("name the life of the data: unexpected answer %T", reply)
	}
	return name, nil
}

// Reason says in a stable word why Redis could not serve: "password", "permission",
// "read_only", "memory", "replicas", "loading", "clients", "tls", "timeout", "refused",
// "broken" (the connection ended), else "error"; empty for nil. A plain port that is spoken
// to with TLS is silent, which is "timeout", and the other way round it hangs up, "broken":
// Redis says no more.
func Reason(err error) string {
	switch {
	case err == nil:
		return ""
	case redis.IsAuthError(err):
		return "password"
	case redis.IsPermissionError(err):
		return "permission"
	case redis.IsReadOnlyError(err):
		return "read_only"
	case redis.IsOOMError(err):
		return "memory"
	case redis.IsNoReplicasError(err):
		return "replicas"
	case redis.IsLoadingError(err), redis.IsMasterDownError(err):
		return "loading"
	case redis.IsMaxClientsError(err):
		return "clients"
	case isTLS(err):
		return "tls"
	case isTimeout(err):
		return "timeout"
	case isRefused(err):
		return "refused"
	case isBroken(err):
		return "broken"
	default:
		return "error"
	}
}

type counters struct {
	published, outdated, delivered, caughtUp, resubscribed, unreadable, reclaimed atomic.Int64
}

// Stats counts since the store was made.
type Stats struct {
	Published    int64 // frames published, repetitions included
	Outdated     int64 // frames not published because the buffer is of a higher epoch
	Delivered    int64 // frames delivered as they were published
	CaughtUp     int64 // frames delivered from the buffer after a subscription was made anew
	Resubscribed int64 // subscriptions made anew
	Unreadable   int64 // messages and members of the buffer that could not be decoded
	Reclaimed    int64 // leases that Redis had lost and their holders put back
	Listening    int64 // subscriptions that stand now
}

// Stats returns the counters as they stand.
func (s *Store) Stats() Stats {
	return Stats{
		Published: s.stats.published.Load(), Outdated: s.stats.outdated.Load(), Delivered: s.stats.delivered.Load(),
		CaughtUp: s.stats.caughtUp.Load(), Resubscribed: s.stats.resubscribed.Load(), Unreadable: s.stats.unreadable.Load(),
		Reclaimed: s.stats.reclaimed.Load(), Listening: s.listening.Load(),
	}
}

var errAnswer = errors.New("unexpected answer of a script")
