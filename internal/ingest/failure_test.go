package ingest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/ingest"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func withLogger(t *testing.T, expected ...string) func(*ingest.Deps) {
	return func(d *ingest.Deps) { d.Logger = testkit.Logger(t, expected...) }
}

func TestWhatNobodyCanReadIsADeadLetterAndAnAlarm(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	good := s.message(t, signal{code: codePanic, source: 2, at: s.now})
	broken := bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.alarm.1", Body: []byte("{\"v\":"), Trace: "\x00"}
	forged := s.message(t, signal{code: codeFire, source: 2, at: s.now})
	forged.Key = bus.Key{2}
	deliveries := s.deliver(broken, good, forged)
	verdicts, err := s.in.Process(context.Background(), deliveries)
	require.NoError(t, err)
	require.Equal(t, []ingest.Outcome{ingest.Dead, ingest.Ack, ingest.Dead}, []ingest.Outcome{verdicts[0].Outcome, verdicts[1].Outcome, verdicts[2].Outcome})
	require.NotEmpty(t, verdicts[0].Reason)
	a := s.alarms(t)
	require.Len(t, a, 2)
	for _, one := range a {
		if one.Kind == "unreadable" {
			require.Equal(t, 2, one.Priority)
			require.Equal(t, 2, one.Count)
		}
	}
	require.Equal(t, 2, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters d JOIN alarms a ON a.id = d.alarm_id AND a.kind = 'unreadable' WHERE d.panel_id = 1"))
	require.Equal(t, "Unreadable event from panel Panel 1", textOf(s.frames(t), "unreadable"))

	again, err := s.in.Process(context.Background(), s.deliver(broken))
	require.NoError(t, err)
	require.Equal(t, ingest.Dead, again[0].Outcome)
	require.Equal(t, 2, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters"), "one for each key")
	require.Equal(t, a, s.alarms(t), "and no alarm again")
	s.check(t)
}

func textOf(frames []frame, kind string) string {
	for _, f := range frames {
		if f.Alarm.Kind == kind {
			return f.Alarm.TextEN
		}
	}
	return ""
}

func TestAPoisonOfNoKnownSiteIsADeadLetterThatSomebodyHearsOf(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1, withLogger(t, "no known site"))
	stranger := s.message(t, signal{panel: 99, code: codePanic, source: 2, at: s.now})
	lost := bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "?", Body: []byte("?")}
	verdicts, err := s.in.Process(context.Background(), s.deliver(stranger, lost, s.message(t, signal{code: codePanic, source: 2, at: s.now})))
	require.NoError(t, err)
	require.Equal(t, ingest.Dead, verdicts[0].Outcome)
	require.Equal(t, ingest.Dead, verdicts[1].Outcome)
	require.Equal(t, ingest.Ack, verdicts[2].Outcome)
	require.Len(t, s.alarms(t), 1)
	require.Equal(t, 2, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters"))
	s.check(t)
}

// poison makes the database refuse events with a condition, as a message would that
// breaks something nobody thought of.
func (s *station) poison(t *testing.T, table, when string) {
	t.Helper()
	s.Exec(t, fmt.Sprintf(`CREATE FUNCTION poison_%[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END $$;
		CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON %[1]s FOR EACH ROW WHEN (%[2]s) EXECUTE FUNCTION poison_%[1]s()`, table, when))
}

func TestAPoisonInABatchIsDoneAloneAndTheOthersDontSuffer(t *testing.T) {
	t.Parallel()
	s := newStation(t, 3)
	s.poison(t, "events", "NEW.zone = 66")
	var msgs []bus.Message
	for i := range 60 {
		msgs = append(msgs, s.message(t, signal{panel: 1 + i%3, code: codeFire, source: 10 + i, at: s.now.Add(time.Duration(i) * time.Second)}))
	}
	verdicts, err := s.in.Process(context.Background(), s.deliver(msgs...))
	require.NoError(t, err)
	dead := 0
	for i, v := range verdicts {
		if v.Outcome == ingest.Dead {
			dead++
			require.Equal(t, 56, i)
		} else {
			require.Equal(t, ingest.Ack, v.Outcome)
		}
	}
	require.Equal(t, 1, dead)
	require.Equal(t, 59, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events WHERE kind = 'fire'"))
	require.Equal(t, 59, testkit.One[int](t, s.Database, "SELECT sum(ring)::int FROM alarms WHERE kind = 'fire'"))
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM alarms WHERE kind = 'unreadable' AND site_id = 3"))
	s.check(t)
}

func TestAnEventThatCantBeBundledIsAnAlarmOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.send(t, signal{code: codeFire, source: 30, at: s.now})
	s.poison(t, "alarms", "NEW.event_count > 1")
	s.send(t, signal{code: codeFire, source: 31, at: s.now.Add(time.Second)})
	a := s.alarms(t)
	require.Len(t, a, 2)
	require.False(t, a[1].Joinable)
	require.Equal(t, 1, a[1].Ring)
	s.check(t)
}

func TestNoAlarmOfADeadLetterIsAnErrorThatSomebodyHearsOf(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1, withLogger(t, "its alarm could not be stored"))
	s.poison(t, "events", "true")
	verdicts, err := s.in.Process(context.Background(), s.deliver(s.message(t, signal{code: codeFire, source: 30, at: s.now})))
	require.NoError(t, err)
	require.Equal(t, ingest.Dead, verdicts[0].Outcome)
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters WHERE alarm_id IS NULL"))
}

func TestOurOwnFaultKillsNoMessage(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.Exec(t, "ALTER TABLE events RENAME COLUMN kind TO sort")
	verdicts, err := s.in.Process(context.Background(), s.deliver(s.message(t, signal{code: codeFire, source: 30, at: s.now}), s.message(t, signal{code: codeFire, source: 31, at: s.now})))
	require.ErrorContains(t, err, "42703")
	for _, v := range verdicts {
		require.Equal(t, ingest.Later, v.Outcome)
	}
	require.Zero(t, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM dead_letters"))
}

func TestADatabaseThatIsAwayCostsNothing(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	msgs := s.deliver(s.message(t, signal{code: codeFire, source: 30, at: s.now}), bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.event.1"})
	away, cancel := context.WithCancel(context.Background())
	cancel()
	verdicts, err := s.in.Process(away, msgs)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []ingest.Outcome{ingest.Later, ingest.Later}, []ingest.Outcome{verdicts[0].Outcome, verdicts[1].Outcome})

	// Locked out for longer than the time there is.
	tx, err := s.Owner.Begin(context.Background())
	require.NoError(t, err)
	_, err = tx.Exec(context.Background(), "SELECT 1 FROM sites FOR UPDATE")
	require.NoError(t, err)
	short, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	verdicts, err = s.in.Process(short, msgs)
	require.Error(t, err)
	require.Equal(t, ingest.Later, verdicts[0].Outcome)
	require.NoError(t, tx.Rollback(context.Background()))

	verdicts, err = s.in.Process(context.Background(), msgs)
	require.NoError(t, err)
	require.Equal(t, []ingest.Outcome{ingest.Ack, ingest.Dead}, []ingest.Outcome{verdicts[0].Outcome, verdicts[1].Outcome})
	s.check(t)
}

func TestAPanicHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	s := newStation(t, 1, func(d *ingest.Deps) {
		d.Hit = func(point string) {
			if point == "ingest.before_commit" && times.Add(1) == 1 {
				panic("a mistake of ours")
			}
		}
	})
	s.process(t, s.message(t, signal{code: codeFire, source: 30, at: s.now}), s.message(t, signal{code: codeFire, source: 31, at: s.now}))
	require.Equal(t, 2, s.alarms(t)[0].Count)
	s.check(t)
}

func TestACrashAfterTheCommitIsMadeGoodByTheBus(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool
	s := newStation(t, 1, func(d *ingest.Deps) {
		d.Hit = func(point string) {
			if point == "ingest.after_commit" && !dead.Swap(true) {
				panic("killed")
			}
		}
	})
	s.process(t, s.message(t, signal{code: codePanic, source: 2, at: s.now}), s.message(t, signal{code: codePanic, source: 3, at: s.now}))
	a := s.alarms(t)
	require.Equal(t, 2, a[0].Ring)
	require.Equal(t, 2, a[0].Count)
	s.check(t)
}

// Two instances get the same sites, partly the same messages, in other orders.
func TestTwoAtOnceOnTheSameSites(t *testing.T) {
	t.Parallel()
	s := newStation(t, 8)
	other := ingest.New(ingest.Deps{Pool: s.Pool, Logger: testkit.Logger(t), Metrics: prometheus.NewRegistry()})
	var msgs []bus.Message
	for i := range 400 {
		code := codeFire
		if i%5 == 0 {
			code = codeMains
		}
		msgs = append(msgs, s.message(t, signal{panel: 1 + i*7%8, code: code, source: 1 + i%100, at: s.now.Add(time.Duration(i) * time.Millisecond), offset: -i}))
	}
	var group sync.WaitGroup
	errors := make(chan error, 16)
	for n := range 4 {
		group.Go(func() {
			in := s.in
			if n%2 == 1 {
				in = other
			}
			for i := 0; i < len(msgs); i += 50 {
				from := (i + n*100) % len(msgs)
				if _, err := in.Process(context.Background(), s.deliver(msgs[from:from+50]...)); err != nil {
					errors <- err
				}
			}
		})
	}
	group.Wait()
	close(errors)
	for err := range errors {
		require.NoError(t, err)
	}
	require.Equal(t, 400, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events"))
	require.Len(t, s.alarms(t), 16)
	require.Equal(t, 320, testkit.One[int](t, s.Database, "SELECT sum(ring)::int FROM alarms WHERE kind = 'fire'"), "each fire rang once")
	require.Zero(t, testkit.One[int](t, s.Database, "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()"))
	s.check(t)
}

func TestABatchThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	verdicts, err := s.in.Process(context.Background(), make([]bus.Delivery, ingest.MaxBatch+1))
	require.Error(t, err)
	require.Equal(t, ingest.Later, verdicts[0].Outcome)
	m, err := ingest.StationReport(1, 0, wire.Station{Code: wire.LinkLost}, s.now, "")
	require.NoError(t, err)
	require.Equal(t, "station.link_lost", m.Topic)
}
