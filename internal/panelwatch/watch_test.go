package panelwatch_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/panelwatch"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// recorder is a bus of which the outcome can be chosen; it keeps what each key said.
type recorder struct {
	outcome bus.Outcome
	said    map[bus.Key]wire.Station
}

func (r *recorder) Publish(_ context.Context, msgs []bus.Message) []bus.Outcome {
	out := make([]bus.Outcome, len(msgs))
	for i, m := range msgs {
		out[i] = r.outcome
		if report, err := wire.DecodeReport(m.Body); err == nil {
			r.said[m.Key] = *report.Station
		}
	}
	return out
}

type bench struct {
	t     *testing.T
	db    *testkit.Database
	bus   *recorder
	watch *panelwatch.Watch
}

func setup(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	db := testkit.DB(t)
	db.Exec(t, `INSERT INTO sites (id, name) VALUES (1, 'Apteka')`)
	db.Exec(t, `INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES (1, 1, 'Centrala', 'h', 1, '')`)
	b := &bench{t: t, db: db, bus: &recorder{outcome: bus.Confirmed, said: map[bus.Key]wire.Station{}}}
	b.watch = panelwatch.New(panelwatch.Config{
		Pool: db.Pool, Bus: b.bus, Trace: func() string { return "" }, ClockLimit: 5 * time.Minute,
	})
	return b
}

// round looks once and returns what was said then.
func (b *bench) round() []wire.Station {
	b.t.Helper()
	b.bus.said = map[bus.Key]wire.Station{}
	require.NoError(b.t, b.watch.Round(b.t.Context()))
	var said []wire.Station
	for _, s := range b.bus.said {
		said = append(said, s)
	}
	return said
}

func (b *bench) clock(link string, offset time.Duration) {
	b.db.Exec(b.t, `INSERT INTO panel_states (panel_id, fence, seq, answered_at, body)
		VALUES (1, 1, 1, dozor_now(), jsonb_build_object('link', $1::text, 'clock_offset_ms', $2::bigint))
		ON CONFLICT (panel_id) DO UPDATE SET body = excluded.body`, link, offset.Milliseconds())
}

func TestAWrongClockIsSaidOnceAndIsRightAgainWellWithinTheLimit(t *testing.T) {
	b := setup(t)
	b.clock("up", 4*time.Minute)
	require.Empty(t, b.round())
	b.clock("up", -6*time.Minute)
	said := b.round()
	require.Len(t, said, 1)
	require.Equal(t, wire.ClockWrong, said[0].Code)
	require.Equal(t, "-360", said[0].Args["offset_s"])
	require.Empty(t, b.round())

	b.clock("up", -4*time.Minute)
	require.Empty(t, b.round(), "just within the limit it may go out again")
	b.clock("down", 0)
	require.Empty(t, b.round(), "who does not answer says nothing about the clock")
	b.clock("up", time.Second)
	said = b.round()
	require.Len(t, said, 1)
	require.Equal(t, wire.ClockRight, said[0].Code)
	require.Empty(t, b.round())
	b.clock("up", time.Hour)
	require.Equal(t, "3600", b.round()[0].Args["offset_s"], "the next time is another fault")
}

func TestWhatTheBusDidNotConfirmIsSaidAgainUnderTheSameKey(t *testing.T) {
	b := setup(t)
	b.clock("up", time.Hour)
	b.bus.outcome = bus.Unknown
	require.Len(t, b.round(), 1)
	first := b.bus.said
	b.bus.outcome = bus.Confirmed
	require.Len(t, b.round(), 1)
	require.Equal(t, first, b.bus.said)
	require.Empty(t, b.round())
}

func TestGraveChangesOfAPanelAreToldTogetherWhenNoMoreCome(t *testing.T) {
	b := setup(t)
	change := func(kind string, number int, what, was, now string, grave bool) {
		b.db.Exec(t, `INSERT INTO panel_changes (panel_id, kind, number, what, was, now, grave) VALUES (1, $1, $2, $3, $4, $5, $6)`,
			kind, number, what, was, now, grave)
	}
	pass := func(by string) { b.db.Exec(t, `UPDATE station_clock SET shift = shift + $1::interval`, by) }
	change("zone", 5, "vanished", "Magazyn", "", true)
	change("zone", 6, "name", "a", "b", false)
	require.Empty(t, b.round(), "more may come")
	change("zone", 7, "function", "5", "6", true)
	change("panel", 0, "model", "INTEGRA 64", "INTEGRA 128", true)
	pass("16 seconds")
	said := b.round()
	require.Len(t, said, 1)
	require.Equal(t, wire.SettingsChanged, said[0].Code)
	require.Equal(t, map[string]string{"zones_gone": "5", "reactions": "7", "model": "INTEGRA 64 → INTEGRA 128"}, said[0].Args)
	require.Empty(t, b.round())
}
