package linkwatch_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/linkwatch"
	"dozor/internal/live/pglive"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// recorder is a bus of which the outcome can be chosen: what it confirms is kept.
type recorder struct {
	mu      sync.Mutex
	outcome bus.Outcome
	keys    map[bus.Key]int
	reports []wire.Report
}

func (r *recorder) Publish(_ context.Context, msgs []bus.Message) []bus.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]bus.Outcome, len(msgs))
	for i, m := range msgs {
		out[i] = r.outcome
		r.keys[m.Key]++
		report, err := wire.DecodeReport(m.Body)
		if err == nil {
			r.reports = append(r.reports, report)
		}
	}
	return out
}

func (r *recorder) codes() []wire.StationCode {
	r.mu.Lock()
	defer r.mu.Unlock()
	var codes []wire.StationCode
	for _, report := range r.reports {
		codes = append(codes, report.Station.Code)
	}
	return codes
}

type bench struct {
	t     *testing.T
	db    *testkit.Database
	bus   *recorder
	watch *linkwatch.Watch
	panel ids.PanelID
}

func setup(t *testing.T) *bench {
	db := testkit.DB(t)
	db.Exec(t, `INSERT INTO sites (id, name) VALUES (1, 'Apteka')`)
	db.Exec(t, `INSERT INTO panels (id, site_id, name, host, port, code_secret, link_grace) VALUES (1, 1, 'Centrala', 'h', 1, '', '30 s')`)
	b := &bench{t: t, db: db, panel: 1, bus: &recorder{outcome: bus.Confirmed, keys: map[bus.Key]int{}}}
	b.newWatch()
	return b
}

func (b *bench) newWatch() {
	b.watch = linkwatch.New(linkwatch.Config{Pool: b.db.Pool, Bus: b.bus, Trace: func() string { return "" }})
	b.round()
}

func (b *bench) round() { require.NoError(b.t, b.watch.Round(context.Background())) }

func (b *bench) pass(interval string) {
	b.db.Exec(b.t, `UPDATE station_clock SET shift = shift + $1::interval`, interval)
}

func (b *bench) answer() {
	b.db.Exec(b.t, `INSERT INTO panel_states (panel_id, fence, seq, answered_at, body) VALUES (1, 1, 1, dozor_now(), '{}')
		ON CONFLICT (panel_id) DO UPDATE SET answered_at = dozor_now()`)
}

func TestSilencePastTheGraceIsSaidOnceAndItsEndToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer()
	b.pass("20 s")
	b.round()
	require.Empty(t, b.bus.codes(), "within the grace")
	b.pass("11 s")
	b.round()
	b.round()
	require.Equal(t, []wire.StationCode{wire.LinkLost}, b.bus.codes())
	b.answer()
	b.round()
	b.round()
	require.Equal(t, []wire.StationCode{wire.LinkLost, wire.LinkRestored}, b.bus.codes())
}

func TestAStationThatWasOffHasNotLostItsLinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer()
	b.pass("8 hours")
	b.newWatch()
	b.pass("10 s")
	b.round()
	require.Empty(t, b.bus.codes())
	b.pass("25 s")
	b.round()
	require.Equal(t, []wire.StationCode{wire.LinkLost}, b.bus.codes(), "silent since the station is back")
}

func TestWhatTheBusDidNotConfirmIsSaidAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.bus.outcome = bus.Unknown
	b.pass("31 s")
	b.round()
	b.round()
	b.bus.outcome = bus.Confirmed
	b.newWatch() // another process goes on
	b.round()
	b.round()
	require.Len(t, b.bus.keys, 1)
	for _, n := range b.bus.keys {
		require.Equal(t, 3, n, "twice in vain, once confirmed")
	}
}

// Its last answer is an hour old, but nobody asked it meanwhile.
func TestAPanelThatIsEnabledAgainHasItsWholeGrace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answer()
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	b.db.Exec(t, "UPDATE panels SET code_secret = $1", ring.Seal([]byte("1234")))
	sites := site.New(site.Deps{Pool: b.db.Pool, Keyring: ring, Audit: audit.New(ring, "test"), States: pglive.New(b.db.Pool, nil, testkit.Logger(t))})
	enable := func(version int64, on bool) {
		_, err := sites.EditPanel(t.Context(), access.Station("test"), b.panel, version, site.PanelChange{Enabled: &on})
		require.NoError(t, err)
	}
	enable(1, false)
	b.pass("1 hour")
	enable(2, true)
	b.pass("20 s")
	b.round()
	require.Empty(t, b.bus.codes())
	b.pass("11 s")
	b.round()
	require.Equal(t, []wire.StationCode{wire.LinkLost}, b.bus.codes())
}

func TestADisabledPanelIsNotMissed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.db.Exec(t, `UPDATE panels SET enabled = false`)
	b.pass("1 hour")
	b.round()
	require.Empty(t, b.bus.codes())
}
