package timer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
	"dozor/internal/timer"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const kind timer.Kind = "test"

// setup makes a database with a table in which effects leave a trace each.
func setup(t *testing.T) *testkit.Database {
	t.Helper()
	db := testkit.DB(t)
	db.Exec(t, "CREATE TABLE traces (subject text, at timestamptz)")
	db.Exec(t, "GRANT INSERT ON traces TO dozor_app")
	return db
}

func leaveTrace(ctx context.Context, tx pgx.Tx, due timer.Due) error {
	_, err := tx.Exec(ctx, "INSERT INTO traces VALUES ($1, $2)", due.Subject, due.At)
	return err
}

func set(t *testing.T, db *testkit.Database, subject string, after time.Duration) time.Time {
	t.Helper()
	var due time.Time
	require.NoError(t, db.Pool.InTx(t.Context(), func(tx pgx.Tx) error {
		var err error
		due, err = timer.Set(t.Context(), tx, kind, subject, after)
		return err
	}))
	return due
}

func traces(t *testing.T, db *testkit.Database) map[string]int {
	t.Helper()
	rows, err := db.Owner.Query(t.Context(), "SELECT subject, count(*)::int FROM traces GROUP BY 1")
	require.NoError(t, err)
	found := map[string]int{}
	var subject string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&subject, &n}, func() error { found[subject] = n; return nil })
	require.NoError(t, err)
	return found
}

func TestATimerRunsWhenItIsDueAndOnce(t *testing.T) {
	t.Parallel()
	db := setup(t)
	r := timer.NewRunner(db.Pool, map[timer.Kind]timer.Effect{kind: leaveTrace})
	round := func(want int) {
		t.Helper()
		ran, err := r.Round(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, ran)
	}
	set(t, db, "a", time.Minute)
	set(t, db, "b", time.Minute)
	later := set(t, db, "b", time.Hour) // in place of the other
	set(t, db, "c", time.Minute)
	require.NoError(t, db.Pool.InTx(t.Context(), func(tx pgx.Tx) error { return timer.Clear(t.Context(), tx, kind, "c") }))
	db.Exec(t, "INSERT INTO timers (kind, subject, due_at) VALUES ('of a newer program', 'x', dozor_now())")
	round(0)
	db.Exec(t, "UPDATE station_clock SET shift = '2 minutes'")
	round(1)
	require.Equal(t, map[string]int{"a": 1}, traces(t, db))
	round(0)
	db.Exec(t, "UPDATE station_clock SET shift = '2 hours'")
	round(1)
	require.Equal(t, later, testkit.One[time.Time](t, db, "SELECT at FROM traces WHERE subject = 'b'").UTC(), "the effect is told when it was due")
	require.Equal(t, "of a newer program", testkit.One[string](t, db, "SELECT string_agg(kind, ',') FROM timers"))
}

func TestOneThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	db := setup(t)
	for n := range 450 { // more than a page
		db.Exec(t, "INSERT INTO timers (kind, subject, due_at) VALUES ('test', $1, dozor_now())", fmt.Sprint(n))
	}
	broken := true
	r := timer.NewRunner(db.Pool, map[timer.Kind]timer.Effect{kind: func(ctx context.Context, tx pgx.Tx, due timer.Due) error {
		if err := leaveTrace(ctx, tx, due); err != nil || broken && due.Subject == "7" {
			return errors.Join(err, errors.New("seven"))
		}
		return nil
	}})
	ran, err := r.Round(t.Context())
	require.ErrorContains(t, err, "seven")
	require.Equal(t, 449, ran)
	require.NotContains(t, traces(t, db), "7", "a failed effect left nothing")
	broken = false
	ran, err = r.Round(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, ran)
	require.Equal(t, 1, traces(t, db)["7"])
}

// Many run the same timers, and connections are killed in the middle of effects.
func TestWhoeverDiesATimerIsDoneOnce(t *testing.T) {
	t.Parallel()
	db := setup(t)
	const timers, runners = 120, 6
	for n := range timers {
		db.Exec(t, "INSERT INTO timers (kind, subject, due_at) VALUES ('test', $1, dozor_now())", fmt.Sprint(n))
	}
	var mu sync.Mutex
	killed := map[string]bool{}
	effect := func(ctx context.Context, tx pgx.Tx, due timer.Due) error {
		if err := leaveTrace(ctx, tx, due); err != nil {
			return err
		}
		mu.Lock()
		dies := len(due.Subject) == 2 && !killed[due.Subject]
		killed[due.Subject] = true
		mu.Unlock()
		if !dies {
			return nil
		}
		_, err := db.Owner.Exec(ctx, "SELECT pg_terminate_backend($1)", tx.Conn().PgConn().PID())
		return err
	}
	var wg sync.WaitGroup
	for range runners {
		wg.Go(func() {
			r := timer.NewRunner(db.Pool, map[timer.Kind]timer.Effect{kind: effect})
			for range 3 {
				_, _ = r.Round(t.Context()) // the dead ones complain; the next round does their work
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, killed)
	require.Eventually(t, func() bool {
		_, _ = timer.NewRunner(db.Pool, map[timer.Kind]timer.Effect{kind: leaveTrace}).Round(t.Context())
		return testkit.One[int](t, db, "SELECT count(*) FROM timers") == 0
	}, 10*time.Second, 20*time.Millisecond)
	done := traces(t, db)
	require.Len(t, done, timers)
	for subject, n := range done {
		require.Equal(t, 1, n, subject)
	}
}

func TestATimerThatIsBeingRunIsPassedOverByWhoHoldsItsSubject(t *testing.T) {
	t.Parallel()
	db := setup(t)
	set(t, db, "a", 0)
	set(t, db, "b", 0)
	inside, goOn := make(chan struct{}), make(chan struct{})
	r := timer.NewRunner(db.Pool, map[timer.Kind]timer.Effect{kind: func(ctx context.Context, tx pgx.Tx, due timer.Due) error {
		if due.Subject == "a" {
			close(inside)
			<-goOn
		}
		return leaveTrace(ctx, tx, due)
	}})
	ended := make(chan error, 1)
	go func() { _, err := r.Round(t.Context()); ended <- err }()
	<-inside
	tag, err := db.Pool.Exec(t.Context(), timer.ClearUnlocked, string(kind), []string{"a", "b", "c"})
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected(), "b; nobody waits for a")
	close(goOn)
	require.NoError(t, <-ended)
	require.Equal(t, map[string]int{"a": 1}, traces(t, db))
}
