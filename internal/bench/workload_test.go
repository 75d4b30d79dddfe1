package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

func TestTheMixIsAnOrdinaryDayOfAStation(t *testing.T) {
	shares := 0
	for _, k := range mix {
		shares += k.share
	}
	require.Equal(t, 100, shares)

	panels := []ids.PanelID{3, 5, 8}
	w, err := newWorkload(1, panels)
	require.NoError(t, err)
	now := time.Now()
	reports, err := w.reports(3_000, now)
	require.NoError(t, err)
	rules := event.Shipped().Installed(1)
	msgs, err := w.messages(reports, rules)
	require.NoError(t, err)

	distinct, of, raised, ended := map[[16]byte]bool{}, map[ids.PanelID]int{}, 0, 0
	for i, m := range msgs {
		r, err := wire.DecodeReport(m.Body)
		require.NoError(t, err)
		require.Equal(t, event.ReportKey(r), [16]byte(m.Key))
		distinct[m.Key] = true
		of[r.PanelID]++
		e := event.FromReport(r, rules, event.PanelZone())
		require.False(t, e.Unclassified, "code %d", e.Code)
		require.False(t, e.Historic)
		require.WithinDuration(t, now, e.EffectiveAt, time.Second)
		require.LessOrEqual(t, reports[i].Record.Offset, 0)
		if e.Raises {
			raised++
			require.Contains(t, m.Topic, "satel.alarm.")
		}
		if e.Ends {
			ended++
		}
	}
	require.Len(t, distinct, len(msgs), "no record twice")
	require.Len(t, of, len(panels))
	require.InDelta(t, 115, raised, 60, "a few in a hundred raise alarms")
	require.InDelta(t, raised, ended, 10, "and end")

	places := map[ids.PanelID][2]int64{} // the newest segment and offset of each panel
	for _, r := range reports {
		at := [2]int64{r.Record.Number, int64(r.Record.Offset)}
		before, known := places[r.PanelID]
		require.True(t, !known || at[0] > before[0] || at[0] == before[0] && at[1] == before[1]+1, "in the order of the log")
		places[r.PanelID] = at
	}
}

func TestASeedMakesTheSameRecordsAgain(t *testing.T) {
	now := time.Now()
	var runs [2][]wire.Report
	for i := range runs {
		w, err := newWorkload(7, []ids.PanelID{1, 2})
		require.NoError(t, err)
		runs[i], err = w.reports(500, now)
		require.NoError(t, err)
	}
	require.Equal(t, runs[0], runs[1])
}

func TestRowsOfTheBaselineAreThoseOfTheEvents(t *testing.T) {
	w, err := newWorkload(1, []ids.PanelID{1, 2})
	require.NoError(t, err)
	reports, err := w.reports(1234, time.Now())
	require.NoError(t, err)
	sites := map[ids.PanelID]ids.SiteID{1: 11, 2: 12}
	all, err := commits(reports, event.Shipped().Installed(1), sites)
	require.NoError(t, err)

	events, keys, notices := 0, map[string]bool{}, 0
	for _, c := range all {
		require.LessOrEqual(t, c.size, perCommit)
		events += c.size
		for _, key := range c.keys[0].([][]byte) {
			keys[string(key)] = true
		}
		require.Len(t, c.events[0], c.size)
		for _, site := range c.events[1].([]int64) {
			require.Contains(t, []int64{11, 12}, site)
		}
		notices += len(c.notifications[0].([]int64))
	}
	require.Equal(t, 1234, events)
	require.Len(t, keys, 1234)
	require.Greater(t, notices, 1234/perNotification)
	require.Less(t, notices, 200, "many events share a notification")
}
