package worker_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/live"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/worker"
	"dozor/satel"
	"dozor/satel/client"
)

// take holds the module as a program that is not ours does, as soon as it is free.
func (s *station) take() (release func()) {
	s.t.Helper()
	for {
		other, err := client.Dial(context.Background(), client.Config{Address: s.sim.PanelAddr(1)})
		if err == nil {
			s.t.Cleanup(other.Close)
			return other.Close
		}
		require.ErrorIs(s.t, err, client.ErrBusy)
	}
}

func (s *station) reason(word string) {
	s.t.Helper()
	s.eventually("the state says "+word, func() bool { return s.state().LinkReason == word })
	require.Equal(s.t, live.LinkDown, s.state().Link)
}

func TestAModuleTakenByAStrangerIsSaidInWordsAndTakenWhenFree(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	release := s.take()
	s.startWorker("w1")
	s.reason("busy_stranger")
	trying := s.state().Trying
	require.Equal(t, 1, trying.Failures)
	require.False(t, trying.Quarantine)
	require.Greater(t, trying.NextAt.Sub(trying.Since), 7*time.Second, "a stranger's module is tried now and then")
	release()
	s.eventually("the link is up", func() bool { return s.state().Link == live.LinkUp })
	require.Nil(t, s.state().Trying)
}

// The module can't tell us who holds it. What we know is that nobody else asked for it
// before our own connection there was cut.
func TestWhatOurBrokenConnectionMayHoldIsTriedOftenUntilItCanNotBeOurs(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.panel.HangUp()
	release := s.take()
	s.reason("busy_own")
	s.eventually("it is tried every two seconds", func() bool {
		trying := s.state().Trying
		return trying.Failures >= 3 && trying.NextAt.Sub(trying.Since) < 8*time.Second
	})
	s.ahead.Store(int64(worker.OwnPatience))
	s.reason("busy_stranger")
	release()
	s.eventually("the link is up", func() bool { return s.state().Link == live.LinkUp })
}

func TestWhatAnotherWorkersConnectionMayHoldIsTriedOftenUntilItCanNotBeOurs(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	stop := s.startWorker("w1")
	s.followed()
	s.eventually("that it answered is on record", func() bool { return !s.state().AnsweredAt.IsZero() })
	stop()
	release := s.take()
	s.startWorker("w2")
	s.reason("busy_worker")
	require.Equal(t, "w2", s.state().Holder)
	s.ahead.Store(int64(worker.BusyPatience))
	s.reason("busy_stranger")
	release()
	s.eventually("the link is up", func() bool { return s.state().Link == live.LinkUp })
}

// A worker that is started again is another one, even where it has the same name.
func TestAPanelThatFailsIsInQuarantineWithWhoeverHasItNext(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	release := s.take()
	stop := s.startWorker("w1")
	s.reason("busy_stranger")
	stop()
	failed := s.state()
	failed.Trying.Failures, failed.Trying.Since, failed.Seq = worker.QuarantineFailures, failed.Trying.Since.Add(-worker.QuarantineSilence), failed.Seq+100
	require.NoError(t, s.live.PutStates(context.Background(), []live.PanelState{failed}))
	s.startWorker("w2")
	s.eventually("it goes on counting", func() bool {
		trying := s.state().Trying
		return s.state().Holder == "w2" && trying != nil && trying.Quarantine && trying.Failures == worker.QuarantineFailures+1
	})
	// Twice as long as an ordinary busy panel stays: it is not passed on.
	fence := s.fence()
	s.ahead.Store(int64(2 * worker.BusyPatience))
	s.eventually("it is tried again here", func() bool { return s.state().Trying.Failures > worker.QuarantineFailures+1 })
	require.Equal(t, fence, s.fence())
	release()
	s.eventually("the link is up", func() bool { return s.state().Link == live.LinkUp })
	require.Nil(t, s.state().Trying, "and nothing of it stays")
}

func TestAttemptsOnOneModuleLieApart(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	for range 3 {
		s.panel.HangUp()
		s.eventually("it is held again", func() bool { return holds(s.panel) })
	}
	connections := s.panel.Connections()
	require.GreaterOrEqual(t, len(connections), 4)
	for i, c := range connections[1:] {
		require.Greater(t, c.OpenedAt.Sub(connections[i].ClosedAt), 900*time.Millisecond)
	}
}

func (s *station) fence() int64 {
	return testkit.One[int64](s.t, s.db, "SELECT fence FROM leases")
}

func TestAWrongKeyIsSaidSparedAndFollowedWhenItIsCorrected(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	require.NoError(t, s.panel.SetKey(true, "Dobry klucz"))
	s.startWorker("w1")
	s.reason("no_answer")
	wrong, right, none := secret.Redacted("zly klucz"), secret.Redacted("Dobry klucz"), secret.Redacted("")
	s.edit(site.PanelChange{Key: &wrong})
	s.reason("key")
	s.eventually("it is in quarantine", func() bool {
		trying := s.state().Trying
		return trying != nil && trying.Quarantine
	})
	require.Greater(t, time.Until(s.state().Trying.NextAt), 50*time.Second, "a wrong key is not tried often")
	s.edit(site.PanelChange{Key: &right})
	s.followed()
	_, err := s.panel.Violate(panicZone)
	require.NoError(t, err)
	s.eventually("the alarm arrives under the key", func() bool { return s.count("raw IS NOT NULL AND zone = $1", panicZone) == 1 })
	require.NoError(t, s.panel.SetKey(false, ""))
	s.panel.HangUp()
	s.reason("no_answer") // silence under a key that was right may be a module that hangs
	s.edit(site.PanelChange{Key: &none})
	s.eventually("the link is up without a key", func() bool { return s.state().Link == live.LinkUp })
}

func TestWhatAModulePushesIsReadAtOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.eventually("the module pushes", func() bool { return s.state().News == live.NewsPushed })
	s.eventually("every list is known", func() bool { return s.asked(satel.CmdTroublesMemory5) })
	var took []time.Duration
	for n := range 30 {
		from := time.Now()
		_, err := s.panel.Violate(panicZone)
		require.NoError(t, err)
		s.eventually("the alarm is stored", func() bool { return s.count("raw IS NOT NULL AND zone = $1 AND NOT restore", panicZone) == n+1 })
		took = append(took, testkit.One[time.Duration](t, s.db, "SELECT max(received_at) - $1::timestamptz FROM events WHERE zone = $2 AND NOT restore", from, panicZone))
		_, err = s.panel.RestoreZone(panicZone)
		require.NoError(t, err)
		s.eventually("its end is stored", func() bool { return s.count("raw IS NOT NULL AND zone = $1 AND restore", panicZone) == n+1 })
	}
	slices.Sort(took)
	t.Logf("panel to received: median %v, worst %v", took[len(took)/2], took[len(took)-1])
	require.Less(t, took[len(took)/2], 250*time.Millisecond, "the poll is slower than that")
}
