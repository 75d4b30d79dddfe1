package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/ingest"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func (s *station) report(t testing.TB, site ids.SiteID, kind event.Kind) ingest.Reported {
	t.Helper()
	var done ingest.Reported
	require.NoError(t, s.Pool.InTx(context.Background(), func(tx pgx.Tx) error {
		var now time.Time
		err := tx.QueryRow(context.Background(), "SELECT dozor_now() FROM sites WHERE id = $1 FOR NO KEY UPDATE", int64(site)).Scan(&now)
		if err != nil {
			return err
		}
		done, err = ingest.Report(context.Background(), tx, event.Reported(site, kind, "ktoś dzwonił", "", now), "request-1")
		return err
	}))
	return done
}

func TestWhatAPersonReportsIsBundledLikeAnyEvent(t *testing.T) {
	t.Parallel()
	s := newStation(t, 2)
	opened := s.report(t, 1, event.Burglary)
	require.False(t, opened.Joined)
	require.Equal(t, []any{"new", 1, "burglary", 2, ids.PanelID(0)},
		[]any{opened.Alarm.State, opened.Alarm.Ring, opened.Alarm.Kind, opened.Alarm.Priority, opened.Alarm.PanelID})
	require.Equal(t, "Zgłoszenie: ktoś dzwonił", opened.Alarm.TextPL)

	s.send(t, signal{code: codeBurglary, source: 5, at: s.now.Add(time.Second)})
	a := s.alarms(t)
	require.Len(t, a, 1, "the zone joins what was opened by hand")
	require.True(t, a[0].Confirmed, "told by a person and seen by a zone")
	joined := s.report(t, 1, event.Burglary)
	require.True(t, joined.Joined)
	require.Equal(t, opened.Alarm.ID, joined.Alarm.ID)
	require.Equal(t, 3, joined.Alarm.Ring, "each report rings")
	require.Equal(t, int64(3), joined.Alarm.Version)

	other := s.report(t, 2, event.Burglary)
	require.NotEqual(t, opened.Alarm.ID, other.Alarm.ID)
	frames := s.frames(t)
	require.Len(t, frames, 4)
	require.Equal(t, []string{wire.AlarmNew, wire.AlarmUpdated, wire.AlarmUpdated, wire.AlarmNew}, []string{frames[0].Type, frames[1].Type, frames[2].Type, frames[3].Type})
	require.Equal(t, "hand", frames[0].Events[0].Source)
	require.Equal(t, "request-1", frames[0].Trace)
	require.Equal(t, joined.Alarm, frames[2].Alarm, "the answer is what everybody sees")
	s.check(t)
}

// A pause ends by an event that rings, in the event's own transaction, with its timer.
func TestAnEventThatRingsWakesAPausedAlarm(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) VALUES (3, 'ola', 'Ola', 'operator', '')")
	at := s.now.Add(-2 * time.Minute)
	s.send(t, signal{code: codeBurglary, source: 5, at: at})
	s.Exec(t, "UPDATE alarms SET state = 'claimed', owner_id = 3, claimed_at = dozor_now(), paused_until = dozor_now() + interval '1 hour', version = version + 1")
	s.Exec(t, "INSERT INTO timers (kind, subject, due_at) SELECT 'alarm.wake', id, paused_until FROM alarms UNION ALL SELECT 'alarm.wake', '999', dozor_now()")
	s.send(t, signal{code: codeBurglary, source: 5, at: at.Add(time.Second)})
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*) FROM alarms WHERE paused_until IS NOT NULL"), "the same zone only counts")
	require.NotNil(t, s.frames(t)[1].Alarm.PausedUntil)
	s.send(t, signal{code: codeBurglary, source: 7, at: at.Add(2 * time.Second)})
	require.Zero(t, testkit.One[int](t, s.Database, "SELECT count(*) FROM alarms WHERE paused_until IS NOT NULL"))
	last := s.frames(t)[2]
	require.Nil(t, last.Alarm.PausedUntil)
	require.Equal(t, []any{2, "claimed", int64(4)}, []any{last.Ring, last.Alarm.State, last.Alarm.Version})
	require.Equal(t, "999", testkit.One[string](t, s.Database, "SELECT string_agg(subject, ',') FROM timers"))
	require.Equal(t, []string{"open", "confirm", "ring", "wake"}, testkit.One[[]string](t, s.Database, "SELECT array_agg(act ORDER BY id) FROM alarm_actions"))
	s.check(t)
}
