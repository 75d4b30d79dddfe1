package deadletter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/bus"
	"dozor/internal/bus/amqpbus"
	"dozor/internal/bus/pgbus"
	"dozor/internal/deadletter"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var adam = access.Principal{UserID: 1, Name: "Adam Byk", Role: access.Admin}

// station is a database with site 1 and panel 1, a bus over it and, once it consumes, an
// ingest behind the bus.
type station struct {
	*deadletter.Letters
	t   *testing.T
	db  *testkit.Database
	bus bus.Bus
}

func open(t *testing.T, change ...func(*deadletter.Deps)) *station {
	t.Helper()
	db, log := testkit.DB(t), testkit.Logger(t, "no known site")
	db.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) VALUES (1, 'adam', 'Adam Byk', 'admin', 'x')")
	db.Exec(t, "INSERT INTO sites (id, name, address, city) VALUES (1, 'Apteka', '', '')")
	s := &station{t: t, db: db, bus: pgbus.New(db.Pool, db.Direct, pg.NewHints(db.Pool, db.Direct, log), log)}
	s.addPanel(1)
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	deps := deadletter.Deps{Pool: db.Pool, Audit: audit.New(ring, "test"), Bus: s.bus, Logger: log}
	for _, c := range change {
		c(&deps)
	}
	s.Letters = deadletter.New(deps)
	return s
}

func (s *station) addPanel(id int) {
	s.db.Exec(s.t, "INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES ($1, 1, $2, $2, 10004, '')", id, fmt.Sprintf("Panel %d", id))
	s.db.Exec(s.t, "INSERT INTO panel_logs (panel_id, cursor_segment) VALUES ($1, 500)", id)
}

// consume runs an ingest for as long as the test lasts.
func (s *station) consume() {
	in := ingest.New(ingest.Deps{Pool: s.db.Pool, Logger: testkit.Logger(s.t, "no known site"), Metrics: prometheus.NewRegistry(), Buses: []bus.Bus{s.bus}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		require.NoError(s.t, <-ended)
	})
}

// holdUp is what a worker publishes of a panel's record n.
func (s *station) holdUp(panel, n int) bus.Message {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	record, err := satel.NewRecord(satel.RecordFields{At: now.In(event.PanelZone()), Code: 0x07B, Partition: 1, Source: 2})
	require.NoError(s.t, err)
	r := wire.Report{
		PanelID: ids.PanelID(panel), Model: 3, ReceivedAt: now, NotBefore: now,
		Record: &wire.Record{Raw: record[:], Index: []byte{0, byte(n >> 8), byte(n)}, Epoch: 1, Number: 100, Offset: -n},
	}
	body, err := r.Encode()
	require.NoError(s.t, err)
	return bus.Message{Key: event.ReportKey(r), Lane: bus.Live, Topic: fmt.Sprintf("satel.alarm.%d", panel), Body: body}
}

// garbage is what nobody can read, of panel 1.
func garbage(n int) bus.Message {
	return bus.Message{Key: bus.Key{1, byte(n >> 8), byte(n), 9}, Lane: bus.Live, Topic: "satel.event.1", Body: []byte{0xff, byte(n)}}
}

// setAside publishes messages and waits until each is a letter; it returns them from the first.
func (s *station) setAside(msgs ...bus.Message) []deadletter.Letter {
	s.t.Helper()
	for _, o := range s.bus.Publish(s.t.Context(), msgs) {
		require.Equal(s.t, bus.Confirmed, o)
	}
	require.Eventually(s.t, func() bool {
		n, err := s.Waiting(s.t.Context())
		return err == nil && n == int64(len(msgs))
	}, 20*time.Second, 10*time.Millisecond)
	list, _, err := s.List(s.t.Context(), deadletter.Filter{}, deadletter.MaxPage)
	require.NoError(s.t, err)
	letters := make([]deadletter.Letter, len(msgs))
	for i, m := range msgs {
		for _, l := range list {
			if l.Key == fmt.Sprintf("%x", m.Key[:]) {
				letters[i] = l
			}
		}
		require.NotZero(s.t, letters[i].ID)
	}
	return letters
}

// becomes sends what is to be sent until a letter is no longer replaying.
func (s *station) becomes(id int64, state deadletter.State) deadletter.Letter {
	s.t.Helper()
	var l deadletter.Letter
	require.Eventually(s.t, func() bool {
		if err := s.Send(s.t.Context()); err != nil {
			return false
		}
		var err error
		l, err = s.Get(s.t.Context(), id)
		return err == nil && l.State != deadletter.Replaying
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(s.t, state, l.State, l.Reason)
	return l
}

// The letter also lies in the broker's queue; the row is what is replayed.
func TestALetterThatCameOverTheBrokerIsReplayedOverIt(t *testing.T) {
	t.Parallel()
	broker, err := amqpbus.New(amqpbus.Config{URL: testkit.Rabbit(t).URL(testkit.Vhost(t)), Name: "test", Logger: testkit.Logger(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	s := open(t, func(d *deadletter.Deps) { d.Bus = broker })
	s.bus = broker
	s.consume()
	m := s.holdUp(2, 1)
	require.Eventually(t, func() bool { return broker.Publish(t.Context(), []bus.Message{m})[0] == bus.Confirmed }, 20*time.Second, 50*time.Millisecond)
	l := s.setAside(m)[0]
	require.Eventually(t, func() bool {
		n, err := broker.DeadLetters(t.Context())
		return err == nil && n > 0
	}, 20*time.Second, 20*time.Millisecond)
	s.addPanel(2)
	_, err = s.Replay(t.Context(), adam, l.ID)
	require.NoError(t, err)
	s.becomes(l.ID, deadletter.Stored)
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*)::int FROM events WHERE kind = 'panic'"))
}

func (s *station) acts() []string {
	return testkit.One[[]string](s.t, s.db, "SELECT coalesce(array_agg(act ORDER BY id), '{}') FROM audit")
}

func (s *station) queued() int {
	return testkit.One[int](s.t, s.db, "SELECT count(*)::int FROM (SELECT id FROM bus_backfill_0 UNION ALL SELECT id FROM bus_backfill_1) q")
}

func TestALetterWhoseCauseIsMendedBecomesItsEvent(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	m := s.holdUp(2, 1)
	l := s.setAside(m)[0]
	require.Equal(t, deadletter.Open, l.State)
	require.Contains(t, l.Reason, "not known")
	require.Equal(t, 1, l.Seen, "one delivery counts once, by whomever it is noted")
	require.EqualValues(t, 2, l.PanelID)
	require.Equal(t, "live", l.Lane)
	require.Equal(t, len(m.Body), l.Size)

	s.addPanel(2)
	asked, err := s.Replay(t.Context(), adam, l.ID)
	require.NoError(t, err)
	require.Equal(t, deadletter.Replaying, asked.State)
	require.Equal(t, "Adam Byk", asked.ReplayedBy)
	again, err := s.Replay(t.Context(), adam, l.ID)
	require.NoError(t, err)
	require.Equal(t, asked, again, "asking twice is asking once")

	after := s.becomes(l.ID, deadletter.Stored)
	require.NotNil(t, after.SettledAt)
	require.Equal(t, 1, after.Replays)
	require.Equal(t, after.EventID.String(), testkit.One[string](t, s.db, "SELECT id::text FROM events WHERE kind = 'panic' AND panel_id = 2"))
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*)::int FROM alarms WHERE kind = 'panic' AND state = 'new' AND NOT historic"))

	_, err = s.Replay(t.Context(), adam, l.ID)
	require.ErrorIs(t, err, deadletter.ErrSettled)
	_, err = s.Dismiss(t.Context(), adam, l.ID, "x")
	require.ErrorIs(t, err, deadletter.ErrSettled)
	require.Equal(t, []string{"dead_letter.replay"}, s.acts(), "what changed nothing leaves no entry")
}

func TestALetterThatFailsAgainRaisesNoSecondAlarm(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	l := s.setAside(garbage(1))[0]
	require.Equal(t, "Apteka", l.SiteName)
	require.Equal(t, "Panel 1", l.PanelName)
	require.NotZero(t, l.AlarmID)
	const alarms = "SELECT array_agg(id || '/' || ring || '/' || event_count) FROM alarms"
	before := testkit.One[[]string](t, s.db, alarms)
	for n := range 3 {
		_, err := s.Replay(t.Context(), adam, l.ID)
		require.NoError(t, err)
		after := s.becomes(l.ID, deadletter.Open)
		require.Equal(t, n+2, after.Seen)
		require.True(t, after.LastSeenAt.After(l.LastSeenAt))
		require.Equal(t, l.FirstSeenAt, after.FirstSeenAt)
	}
	require.Equal(t, before, testkit.One[[]string](t, s.db, alarms))
}

// More than one request takes, some of which can be read now: each is tried once, and what
// became of them is told.
func TestAllAreReplayedInBoundedBatches(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	const strangers, broken = 420, 180
	var msgs []bus.Message
	for n := range strangers {
		msgs = append(msgs, s.holdUp(2, n))
	}
	for n := range broken {
		msgs = append(msgs, garbage(n))
	}
	for _, o := range s.bus.Publish(t.Context(), msgs) {
		require.Equal(t, bus.Confirmed, o)
	}
	require.Eventually(t, func() bool {
		n, err := s.Waiting(t.Context())
		return err == nil && n == strangers+broken
	}, 30*time.Second, 20*time.Millisecond)
	s.addPanel(2)

	run, left, err := s.ReplayAll(t.Context(), adam, "", uuid.Nil)
	require.NoError(t, err)
	require.Equal(t, deadletter.MaxReplay, run.Taken)
	require.Equal(t, strangers+broken-deadletter.MaxReplay, left)
	s.finished(run.ID)
	next, left, err := s.ReplayAll(t.Context(), adam, "", run.ID)
	require.NoError(t, err)
	require.Equal(t, run.ID, next.ID)
	require.Equal(t, strangers+broken, next.Taken, "those that failed again are not taken again")
	require.Zero(t, left)
	done := s.finished(run.ID)
	require.Equal(t, deadletter.Replay{ID: run.ID, Taken: strangers + broken, Stored: strangers, Failed: broken}, done)
	require.Equal(t, strangers, testkit.One[int](t, s.db, "SELECT count(*)::int FROM events WHERE kind = 'panic'"))

	last, _, err := s.ReplayAll(t.Context(), adam, "", run.ID)
	require.NoError(t, err)
	require.Equal(t, done, last, "nothing is left of it")
	require.Equal(t, []string{"dead_letter.replay_all", "dead_letter.replay_all"}, s.acts())
	require.Equal(t, []string{"500", "100"}, testkit.One[[]string](t, s.db, "SELECT array_agg(details->>'taken' ORDER BY id) FROM audit"))

	_, err = s.Progress(t.Context(), uuid.New())
	require.ErrorIs(t, err, deadletter.ErrReplayNotFound)
}

func (s *station) finished(id uuid.UUID) deadletter.Replay {
	s.t.Helper()
	var run deadletter.Replay
	require.Eventually(s.t, func() bool {
		if err := s.Send(s.t.Context()); err != nil {
			return false
		}
		var err error
		run, err = s.Progress(s.t.Context(), id)
		return err == nil && run.Waiting == 0
	}, 30*time.Second, 20*time.Millisecond)
	return run
}

func TestOnlyThoseOfAReasonAreReplayed(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	letters := s.setAside(s.holdUp(2, 1), garbage(1))
	run, left, err := s.ReplayAll(t.Context(), adam, "NOT KNOWN", uuid.Nil)
	require.NoError(t, err)
	require.Equal(t, 1, run.Taken)
	require.Zero(t, left)
	other, err := s.Get(t.Context(), letters[1].ID)
	require.NoError(t, err)
	require.Equal(t, deadletter.Open, other.State)
	s.becomes(letters[0].ID, deadletter.Open)
	list, _, err := s.List(t.Context(), deadletter.Filter{Reason: "Not Known"}, 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, letters[0].ID, list[0].ID)
}

func TestSeveralInstancesSendEachLetterOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	const letters = 350
	for n := range letters {
		m := garbage(n)
		s.db.Exec(t, "INSERT INTO dead_letters (dedup_key, lane, topic, body, reason) VALUES ($1, 'live', $2, $3, 'r')", m.Key[:], m.Topic, m.Body)
	}
	_, _, err := s.ReplayAll(t.Context(), adam, "", uuid.Nil)
	require.NoError(t, err)
	var group sync.WaitGroup
	failed := make(chan error, 4)
	for range 4 {
		group.Go(func() { failed <- s.Send(t.Context()) })
	}
	group.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.NoError(t, s.Send(t.Context()))
	require.Equal(t, letters, s.queued())
}

// deaf is a bus that loses its answers, or refuses.
type deaf struct {
	bus.Publisher
	outcome bus.Outcome
}

func (d *deaf) Publish(_ context.Context, msgs []bus.Message) []bus.Outcome {
	outcomes := make([]bus.Outcome, len(msgs))
	for i := range outcomes {
		outcomes[i] = d.outcome
	}
	return outcomes
}

func TestWhatHasNoOutcomeIsSentAgain(t *testing.T) {
	t.Parallel()
	away := &deaf{outcome: bus.Unknown}
	s := open(t, func(d *deadletter.Deps) { away.Publisher, d.Bus = d.Bus, away })
	s.consume()
	l := s.setAside(garbage(1))[0]
	_, err := s.Replay(t.Context(), adam, l.ID)
	require.NoError(t, err)
	require.Error(t, s.Send(t.Context()))
	require.NoError(t, s.Send(t.Context()), "not again at once")
	_, err = s.Dismiss(t.Context(), adam, l.ID, "x")
	require.ErrorIs(t, err, deadletter.ErrReplaying)

	s.db.Exec(t, "UPDATE station_clock SET shift = shift + interval '61 seconds'")
	require.Error(t, s.Send(t.Context()), "it was sent again")
	s.db.Exec(t, "UPDATE station_clock SET shift = shift + interval '61 seconds'")
	away.outcome = bus.Refused
	require.NoError(t, s.Send(t.Context()))
	after, err := s.Get(t.Context(), l.ID)
	require.NoError(t, err)
	require.Equal(t, deadletter.Open, after.State)
	require.Contains(t, after.Reason, "refuses")
}

func TestADismissedLetterWaitsForNobody(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	l := s.setAside(garbage(1))[0]
	for _, bad := range []string{"", "  ", strings.Repeat("ż", 501), "a\x00b"} {
		_, err := s.Dismiss(t.Context(), adam, l.ID, bad)
		require.ErrorContains(t, err, "1 to 500", "%q", bad)
	}
	after, err := s.Dismiss(t.Context(), adam, l.ID, " próba łącza ")
	require.NoError(t, err)
	require.Equal(t, deadletter.Dismissed, after.State)
	require.Equal(t, "próba łącza", after.Note)
	require.Equal(t, "Adam Byk", after.DismissedBy)
	n, err := s.Waiting(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = s.Replay(t.Context(), adam, l.ID)
	require.ErrorIs(t, err, deadletter.ErrSettled)
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*)::int FROM audit_values WHERE field = 'reason' AND value = 'próba łącza'"))
	list, _, err := s.List(t.Context(), deadletter.Filter{States: []deadletter.State{deadletter.Open}}, 10)
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = s.Dismiss(t.Context(), adam, 999, "x")
	require.ErrorIs(t, err, deadletter.ErrNotFound)
}

func TestWhatAMessageHoldsIsShownAsItCame(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.consume()
	odd := garbage(2)
	odd.Body = []byte(`{"v": 1, "n": 12345678901234567890, "who": "Łucja"}`)
	empty := garbage(3)
	empty.Body = nil
	letters := s.setAside(garbage(1), odd, empty)
	p, err := s.Reveal(t.Context(), adam, letters[0].ID)
	require.NoError(t, err)
	require.Equal(t, deadletter.Payload{Encoding: "hex", Text: "ff01"}, p)
	p, err = s.Reveal(t.Context(), adam, letters[1].ID)
	require.NoError(t, err)
	require.Equal(t, "json", p.Encoding)
	require.Contains(t, p.Text, "12345678901234567890", "no digit is lost")
	require.True(t, json.Valid([]byte(p.Text)))
	p, err = s.Reveal(t.Context(), adam, letters[2].ID)
	require.NoError(t, err)
	require.Equal(t, deadletter.Payload{Encoding: "hex"}, p)
	require.Equal(t, []string{"dead_letter.reveal", "dead_letter.reveal", "dead_letter.reveal"}, s.acts())
	_, err = s.Reveal(t.Context(), adam, 999)
	require.ErrorIs(t, err, deadletter.ErrNotFound)
}

func TestTheListIsReadInPages(t *testing.T) {
	t.Parallel()
	s := open(t)
	for n := range 7 {
		m := garbage(n)
		s.db.Exec(t, "INSERT INTO dead_letters (dedup_key, lane, topic, body, reason) VALUES ($1, 'live', $2, $3, 'r')", m.Key[:], m.Topic, m.Body)
	}
	var seen []int64
	for before := int64(0); ; {
		list, next, err := s.List(t.Context(), deadletter.Filter{Before: before}, 3)
		require.NoError(t, err)
		for _, l := range list {
			seen = append(seen, l.ID)
		}
		if before = next; next == 0 {
			break
		}
	}
	require.Equal(t, []int64{7, 6, 5, 4, 3, 2, 1}, seen)
}
