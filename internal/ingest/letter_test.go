package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/ingest"
	"dozor/internal/testkit"
)

// letter is what the tests read of a dead letter.
type letter struct {
	State  string
	Reason string
	Seen   int
	Event  string
	Alarm  int64
}

func (s *station) letter(t *testing.T, m bus.Message) letter {
	t.Helper()
	var l letter
	require.NoError(t, s.Owner.QueryRow(context.Background(), `
		SELECT state, reason, seen, coalesce(event_id::text, ''), coalesce(alarm_id, 0) FROM dead_letters WHERE dedup_key = $1`, m.Key[:]).
		Scan(&l.State, &l.Reason, &l.Seen, &l.Event, &l.Alarm))
	return l
}

// bury has a message set aside, which nothing but the database is against.
func (s *station) bury(t *testing.T, m bus.Message) {
	t.Helper()
	s.poison(t, "events", "NEW.kind <> 'unreadable'")
	s.fail(t, m)
	s.Exec(t, "DROP TRIGGER poison ON events; DROP FUNCTION poison_events")
	require.Equal(t, "open", s.letter(t, m).State)
}

func (s *station) fail(t *testing.T, m bus.Message) {
	t.Helper()
	verdicts, err := s.in.Process(context.Background(), s.deliver(m))
	require.NoError(t, err)
	require.Equal(t, ingest.Dead, verdicts[0].Outcome)
}

// replaying is what a person's request makes of a letter.
func (s *station) replaying(t *testing.T, m bus.Message) {
	t.Helper()
	s.Exec(t, "UPDATE dead_letters SET state = 'replaying' WHERE dedup_key = $1", m.Key[:])
}

func TestAReplayedLetterIsSettledWithItsEvent(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	m := s.message(t, signal{code: codePanic, source: 2, at: s.now})
	s.bury(t, m)
	require.Equal(t, 1, s.letter(t, m).Seen)
	s.replaying(t, m)
	s.process(t, m)
	l := s.letter(t, m)
	require.Equal(t, "stored", l.State)
	require.Equal(t, testkit.One[string](t, s.Database, "SELECT id::text FROM events WHERE kind = 'panic'"), l.Event)
	a := s.alarms(t)
	require.Len(t, a, 2)
	require.Equal(t, "unreadable", a[0].Kind)
	require.Equal(t, "new", a[0].State, "nothing but a person closes it")
	require.Equal(t, "panic", a[1].Kind)

	s.process(t, m)
	require.Equal(t, l, s.letter(t, m), "what is settled stays as it is")
	require.Equal(t, a, s.alarms(t))
	s.check(t)
}

func TestALetterAndItsEventAreSettledTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	var kill bool
	s := newStation(t, 1, func(d *ingest.Deps) {
		d.Hit = func(point string) {
			if kill && point == "ingest.before_commit" {
				panic("killed")
			}
		}
	})
	m := s.message(t, signal{code: codePanic, source: 2, at: s.now})
	s.bury(t, m)
	s.replaying(t, m)
	kill = true
	_, err := s.in.Process(context.Background(), s.deliver(m))
	require.ErrorContains(t, err, "killed")
	require.Equal(t, "replaying", s.letter(t, m).State)
	require.Zero(t, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events WHERE kind = 'panic'"))
	kill = false
	s.process(t, m)
	require.Equal(t, "stored", s.letter(t, m).State)
	s.check(t)
}

func TestALetterThatFailsAgainWaitsAgainAndRaisesNothing(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	m := bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.event.1", Body: []byte("{\"v\":")}
	s.fail(t, m)
	first, alarms := s.letter(t, m), s.alarms(t)
	require.Equal(t, int64(alarms[0].ID), first.Alarm)
	for n := range 3 {
		s.replaying(t, m)
		// Over the broker the body is that of the letter; another one shows that the reason follows.
		m.Body = []byte("?")
		s.fail(t, m)
		l := s.letter(t, m)
		require.Equal(t, "open", l.State)
		require.Equal(t, 2+n, l.Seen)
		require.NotEqual(t, first.Reason, l.Reason)
		require.Equal(t, first.Alarm, l.Alarm)
	}
	require.Equal(t, `{"v":`, testkit.One[string](t, s.Database, "SELECT convert_from(body, 'UTF8') FROM dead_letters"), "the body is that which was first received")
	require.Equal(t, alarms, s.alarms(t), "no alarm, and none that rings again")
	s.check(t)
}

func TestALetterOfAStoredEventIsKnown(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	m := s.message(t, signal{code: codePanic, source: 2, at: s.now})
	s.process(t, m)
	garbled := m
	garbled.Body = m.Body[:20]
	s.fail(t, garbled)
	s.replaying(t, m)
	s.process(t, m)
	require.Equal(t, "known", s.letter(t, m).State)
	require.Equal(t, testkit.One[string](t, s.Database, "SELECT id::text FROM events WHERE kind = 'panic'"), s.letter(t, m).Event)
	s.check(t)
}

// The bus hedges: a message comes twice, and one copy may have been garbled on its way.
func TestAGoodCopySettlesTheLetterOfAGarbledOne(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	for _, goodFirst := range []bool{true, false} {
		good := s.message(t, signal{code: codePanic, source: 2, at: s.now})
		garbled := good
		garbled.Body = []byte("?")
		pair := s.deliver(good, garbled)
		if !goodFirst {
			pair = s.deliver(garbled, good)
		}
		_, err := s.in.Process(context.Background(), pair)
		require.NoError(t, err)
		require.Equal(t, "stored", s.letter(t, good).State, "good first: %v", goodFirst)
		require.NotEmpty(t, s.letter(t, good).Event)
	}
	s.check(t)
}

func TestAnOldLetterIsHistoryAndLeavesLiveAlarmsAlone(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	old := s.message(t, signal{code: codeFire, source: 5, at: s.now.Add(-event30 - time.Minute)})
	young := s.message(t, signal{code: codeFire, source: 6, at: s.now.Add(-event30 + 5*time.Minute)})
	oldEnd := s.message(t, signal{code: codeFire, source: 7, restore: true, at: s.now.Add(-event30 - time.Minute)})
	for _, m := range []bus.Message{old, young, oldEnd} {
		s.bury(t, m)
	}
	s.send(t, signal{code: codeFire, source: 7, at: s.now})
	live := s.alarms(t)
	s.process(t, old)
	s.process(t, oldEnd)
	after := s.alarms(t)
	require.Len(t, after, len(live)+1)
	require.Equal(t, live, after[:len(live)], "the live alarm neither rang nor was restored")
	apart := after[len(live)]
	require.True(t, apart.Historic)
	require.False(t, apart.Joinable)

	s.process(t, young)
	joined := s.alarms(t)
	require.Len(t, joined, len(after))
	require.Equal(t, live[len(live)-1].Ring+1, joined[len(live)-1].Ring, "what happened minutes ago rings where it belongs")
	for _, m := range []bus.Message{old, young, oldEnd} {
		require.Equal(t, "stored", s.letter(t, m).State)
	}
	s.check(t)
}

// event30 is the age from which events are history.
const event30 = 30 * time.Minute

func TestAReplayedRecordOfNoKnownSegmentIsNotStored(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	m := s.message(t, signal{code: codeFire, source: 5, at: s.now})
	s.bury(t, m)
	s.Exec(t, "DELETE FROM panel_log_segments")
	s.replaying(t, m)
	s.process(t, m)
	l := s.letter(t, m)
	require.Equal(t, "open", l.State)
	require.Contains(t, l.Reason, "segment")
	require.Zero(t, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM events WHERE kind = 'fire'"))
	s.check(t)
}

func TestADismissedLetterStaysDismissed(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	m := bus.Message{Key: bus.Key{1}, Lane: bus.Live, Topic: "satel.event.1", Body: []byte("?")}
	s.fail(t, m)
	s.Exec(t, "UPDATE dead_letters SET state = 'dismissed', settled_at = dozor_now()")
	before := s.letter(t, m)
	s.fail(t, m)
	after := s.letter(t, m)
	require.Equal(t, "dismissed", after.State)
	require.Equal(t, before.Reason, after.Reason)
	require.Equal(t, 2, after.Seen)
	s.check(t)
}
