package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dozor/internal/desk"
	"dozor/internal/ids"
	"dozor/internal/testkit"
)

// insertEvents stores n events, alternating between the sites; every second of site 1
// belongs to alarm 10. They come in the order of their ids.
func (b *bundle) insertEvents(t *testing.T, n int) []ids.EventID {
	t.Helper()
	made := make([]ids.EventID, n)
	for i := range n {
		made[i] = ids.NewEventID()
		site := 1 + i%2
		b.db.Exec(t, `INSERT INTO events (id, site_id, panel_id, source, kind, priority, code, zone, partition, user_number, alarm_id,
			epoch, segment, log_offset, panel_time, received_at, effective_at)
			VALUES ($1, $2::bigint, $2, 'panel', 'burglary', 2, 130, 3, 1, 9, CASE WHEN $2 = 1 THEN 10 END, 1, $3::bigint, 0,
			        '2026-10-25 02:30', '2026-10-25T01:30:20Z', '2026-10-25T01:30:00Z')`, made[i], site, 1000-i)
	}
	return made
}

func TestEventsOfAnAlarmInTheOrderOfTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t, true)
	made := b.insertEvents(t, 6)
	det, err := b.Detail(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, det.Events, 3)
	require.Equal(t, []ids.EventID{made[4], made[2], made[0]}, []ids.EventID{det.Events[0].ID, det.Events[1].ID, det.Events[2].ID},
		"the log says so, whatever came first")
	e := det.Events[0]
	require.Equal(t, []string{"Drzwi", "Kierownik", "2026-10-25T02:30"}, []string{e.ZoneName, e.UserName, e.PanelTime})
	require.Equal(t, time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), e.At)
	require.NotEmpty(t, e.TextPL)
	require.EqualValues(t, 10, e.AlarmID)
}

func TestListsOfEvents(t *testing.T) {
	t.Parallel()
	b := setup(t, true)
	made := b.insertEvents(t, 20)
	for name, c := range map[string]struct {
		filter desk.EventFilter
		want   int
	}{
		"all":                {desk.EventFilter{}, 20},
		"of a site":          {desk.EventFilter{SiteID: 1}, 10},
		"of a panel":         {desk.EventFilter{PanelID: 2}, 10},
		"of both":            {desk.EventFilter{SiteID: 2, PanelID: 2}, 10},
		"of different sites": {desk.EventFilter{SiteID: 1, PanelID: 2}, 0},
		"of no panel":        {desk.EventFilter{PanelID: 99}, 0},
	} {
		seen := []string{}
		for f := c.filter; ; {
			page, next, err := b.Events(t.Context(), f, 3)
			require.NoError(t, err, name)
			require.NotNil(t, page, name)
			for _, e := range page {
				seen = append(seen, fmt.Sprint(e.ID))
			}
			if next == uuid.Nil {
				break
			}
			f.Before = next
		}
		require.Len(t, seen, c.want, name)
		require.IsDecreasing(t, append(seen, ""), name)
	}
	newest, _, err := b.Events(t.Context(), desk.EventFilter{}, 1)
	require.NoError(t, err)
	require.Equal(t, made[19], newest[0].ID)
	require.Equal(t, testkit.One[string](t, b.db, "SELECT name FROM sites WHERE id = $1", int64(newest[0].SiteID)), newest[0].SiteName)
}
