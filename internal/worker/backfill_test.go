package worker_test

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/testkit"
	"dozor/satel/sim"
)

// backfillPanels is how many panels return at once; DOZOR_TEST_BACKFILL says how many for
// a measurement, 500 with 40 unread records each.
func backfillPanels(t *testing.T) (panels, small, large int) {
	n, err := strconv.Atoi(os.Getenv("DOZOR_TEST_BACKFILL"))
	if err != nil {
		return 24, 20, 400
	}
	t.Logf("%d panels", n)
	return n, 40, 5000
}

// Panels that return together share what there is: none waits for the one that has
// thousands of unread records, and an alarm of either waits for no walk.
func TestPanelsThatReturnTogetherCatchUpTogether(t *testing.T) {
	t.Parallel()
	panels, small, large := backfillPanels(t)
	w := newTown(t, panels+1)
	first := w.hire("first")
	logs := func() int { return testkit.One[int](t, w.db, "SELECT count(*) FROM panel_logs") }
	w.eventually("all are followed", func() bool { return logs() == panels+1 && w.all() })
	first.stop()
	big := w.panels[panels]
	for _, p := range w.panels[:panels] {
		_, err := p.Burst(small, sim.BurstMixed)
		require.NoError(t, err)
	}
	_, err := big.Burst(large, sim.BurstMixed)
	require.NoError(t, err)

	began := time.Now()
	w.hire("second")
	done := map[ids.PanelID]time.Duration{}
	var alarms []time.Duration
	for n := 0; len(done) < panels+1; n++ {
		require.Less(t, time.Since(began), 10*time.Minute, "%d of %d are caught up", len(done), panels+1)
		for _, id := range w.caughtUp(small, large) {
			if _, known := done[id]; !known {
				done[id] = time.Since(began)
			}
		}
		// Live alarms, of the large one and of others in turn, while most are walked.
		which := panels
		if n%4 > 0 {
			which = n * 7 % panels
		}
		if _, over := done[w.ids[panels]]; !over && (len(done) < panels || len(alarms) < 8) && holds(w.panels[which]) {
			at := time.Since(began).Round(10 * time.Millisecond)
			took := w.alarm(w.panels[which], w.ids[which])
			alarms = append(alarms, took)
			t.Logf("at %v, %d caught up: an alarm of panel %d is stored after %v", at, len(done), which, took)
		}
	}
	last := done[w.ids[panels]]
	delete(done, w.ids[panels])
	times := make([]time.Duration, 0, len(done))
	for _, d := range done {
		times = append(times, d)
	}
	slices.Sort(times)
	slices.Sort(alarms)
	t.Logf("%d panels with %d records: first %v, median %v, last %v; one with %d: %v; %d alarms meanwhile: median %v, at most %v",
		panels, small, times[0], times[len(times)/2], times[len(times)-1], large, last, len(alarms), alarms[len(alarms)/2], alarms[len(alarms)-1])
	require.Less(t, times[len(times)-1], last, "nobody waits for the one that has most")
	require.Less(t, alarms[len(alarms)-1], time.Second, "an alarm is stored while all are walked")
}

// caughtUp lists the panels of which every record is stored.
func (w *town) caughtUp(small, large int) []ids.PanelID {
	return testkit.One[[]ids.PanelID](w.t, w.db, `
		SELECT coalesce(array_agg(panel_id), '{}') FROM (
			SELECT panel_id FROM events WHERE raw IS NOT NULL GROUP BY panel_id
			HAVING count(*) >= CASE WHEN panel_id = $3 THEN $2::int ELSE $1::int END) p`, small, large, int64(w.ids[len(w.ids)-1]))
}

// alarm makes one and returns how long it takes until it is stored.
func (w *town) alarm(p *sim.Panel, id ids.PanelID) time.Duration {
	w.t.Helper()
	at := time.Now()
	stored := func() int {
		return testkit.One[int](w.t, w.db, "SELECT count(*) FROM events WHERE id >= dozor_uuid_floor($2) AND panel_id = $1 AND kind = 'panic' AND NOT restore AND NOT historic AND NOT provisional", int64(id), at)
	}
	_, err := p.Violate(panicZone)
	require.NoError(w.t, err)
	w.eventually("the alarm is stored", func() bool { return stored() > 0 })
	took := time.Since(at)
	_, err = p.RestoreZone(panicZone)
	require.NoError(w.t, err)
	return took
}
