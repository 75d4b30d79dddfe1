package pgbus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/bus/bustest"
	"dozor/internal/bus/pgbus"
	"dozor/internal/testkit"
	"dozor/internal/testkit/faultproxy"
)

func TestContract(t *testing.T) {
	t.Parallel()
	// Making a database takes longer than most cases, so they take turns with a few.
	databases := make(chan *testkit.Database, 3)
	for range cap(databases) {
		databases <- testkit.DB(t)
	}
	bustest.Run(t, func(t testing.TB) bustest.System {
		db := <-databases
		t.Cleanup(func() {
			empty(t, db)
			databases <- db
		})
		return &system{db: db}
	})
}

// processName is how the connections of the contract's processes are known.
const processName = "contract"

// empty makes a database as good as new, once nobody works in it any more: a statement
// that was stuck on the way may still have been under way.
func empty(t testing.TB, db *testkit.Database) {
	db.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName)
	require.Eventually(t, func() bool {
		return testkit.One[int](t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", processName) == 0
	}, 20*time.Second, time.Millisecond)
	db.Exec(t, "TRUNCATE bus_live_0, bus_live_1, bus_backfill_0, bus_backfill_1, dead_letters")
	for _, lane := range []string{"live", "backfill"} {
		// A sequence that was never used has a last value too.
		db.Exec(t, fmt.Sprintf(`UPDATE bus_lanes SET settled = (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM bus_%s_ids)
			WHERE lane = '%[1]s'`, lane))
	}
}

type system struct {
	db        *testkit.Database
	processes int
}

func (s *system) Window() int { return 4000 }

func (s *system) DeadLetter(ctx context.Context, key bus.Key) (bustest.DeadLetter, bool, error) {
	l := bustest.DeadLetter{Message: bus.Message{Key: key}}
	err := s.db.Pool.QueryRow(ctx, "SELECT lane, topic, trace, body, reason FROM dead_letters WHERE dedup_key = $1", key[:]).
		Scan(&l.Message.Lane, &l.Message.Topic, &l.Message.Trace, &l.Message.Body, &l.Reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, false, nil
	}
	return l, err == nil, err
}

// Process opens pools of its own, through a proxy of its own. Every second one does
// without prepared statements, as behind PgBouncer.
func (s *system) Process(t testing.TB) bustest.Process {
	t.Helper()
	s.processes++
	p := newProcess(t, s.db, s.processes%2 == 0)
	return bustest.Process{Bus: p.bus, Way: p, Kill: p.kill}
}

type process struct {
	*faultproxy.Proxy
	bus *pgbus.Bus

	mu   sync.Mutex
	dead bool
}

func newProcess(t testing.TB, db *testkit.Database, pooled bool) *process {
	t.Helper()
	log := testkit.Logger(t)
	apart := db.Apart(t, processName, pooled, log)
	t.Cleanup(apart.Close)
	return &process{Proxy: apart.Way, bus: pgbus.New(apart.Pool, apart.Direct, apart.Hints, log)}
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
