package desk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/alarm"
	"dozor/internal/desk"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/testkit"
	"dozor/internal/timer"
)

// due moves the one timer to a moment ago, together with the pause that it ends.
func (b *bundle) due(t *testing.T) {
	t.Helper()
	b.db.Exec(t, "UPDATE timers SET due_at = dozor_now() - interval '1 second'")
	b.db.Exec(t, "UPDATE alarms SET paused_until = (SELECT due_at FROM timers) WHERE paused_until IS NOT NULL")
}

func TestAPausedAlarmComesBackOnceAndRings(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
	paused := b.do(t, anna, desk.Step{Act: alarm.Pause, Version: 2, Pause: 10 * time.Minute, Text: "oddzwonią o szóstej"})
	require.NotNil(t, paused.PausedUntil)
	require.WithinDuration(t, time.Now().Add(10*time.Minute), *paused.PausedUntil, time.Minute)
	require.Equal(t, 1, paused.Ring)

	one, other := timer.NewRunner(b.db.Pool, b.Timers()), timer.NewRunner(b.db.Pool, b.Timers())
	ran, err := one.Round(t.Context())
	require.NoError(t, err)
	require.Zero(t, ran, "it is not due")
	b.due(t)
	counts := make(chan int, 2)
	for _, r := range []*timer.Runner{one, other} {
		go func() {
			n, err := r.Round(t.Context())
			if err != nil {
				n = -1
			}
			counts <- n
		}()
	}
	require.Equal(t, 1, <-counts+<-counts, "one of two instances wakes it")
	require.Equal(t, "claimed 4 2 t", testkit.One[string](t, b.db, "SELECT concat_ws(' ', state, version, ring, paused_until IS NULL) FROM alarms WHERE id = 10"))
	require.Equal(t, "wake", testkit.One[string](t, b.db, "SELECT act FROM alarm_actions ORDER BY id DESC LIMIT 1"))
	require.Equal(t, 2, b.frames(t)[2].Ring)
}

func TestWhatEndsAPauseEndsItsTimer(t *testing.T) {
	t.Parallel()
	for _, end := range []desk.Step{
		{Act: alarm.Resume, Version: 4},
		{Act: alarm.Release, Version: 4},
		{Act: alarm.Resolve, Version: 4, Outcome: "test", Text: "koniec"},
	} {
		b := setup(t, false)
		b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
		b.do(t, anna, desk.Step{Act: alarm.Ack, Version: 2})
		b.do(t, anna, desk.Step{Act: alarm.Pause, Version: 3, Pause: time.Minute, Text: "czekam"})
		after := b.do(t, anna, end)
		require.Nil(t, after.PausedUntil, end.Act)
		require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM timers"), end.Act)
	}
}

func TestOnlyItsOwnerPausesAndForAWhile(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
	b.conflict(t, jan, desk.Step{Act: alarm.Pause, Version: 2, Pause: 5 * time.Minute, Text: "x"})
	for _, minutes := range []int{0, -1, 61} {
		_, err := b.Do(t.Context(), anna, 10, desk.Step{Act: alarm.Pause, Version: 2, Pause: time.Duration(minutes) * time.Minute, Text: "x"})
		var e *errs.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, errs.Invalid, e.Kind)
	}
}

func TestAnAlarmOpenedByHandJoinsWhatIsOpenAtItsSite(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	first, joined, err := b.Open(t.Context(), anna, desk.Report{SiteID: 1, Kind: "panic", Text: "Klientka krzyczy", Caller: "sąsiad"})
	require.NoError(t, err)
	require.False(t, joined)
	require.Equal(t, 1, first.Priority)
	require.Equal(t, "new", first.State)
	again, joined, err := b.Open(t.Context(), jan, desk.Report{SiteID: 1, Kind: "panic", Text: "Dzwoni drugi sąsiad"})
	require.NoError(t, err)
	require.True(t, joined)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, 2, again.Ring, "each hold-up rings")
	require.Equal(t, "hand hand", testkit.One[string](t, b.db, "SELECT string_agg(source, ' ') FROM events WHERE alarm_id = $1", int64(first.ID)))
	require.Equal(t, 2, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE act = 'alarm.report'"))
	require.Equal(t, 2, testkit.One[int](t, b.db, "SELECT count(*) FROM outbox"))

	for code, r := range map[string]desk.Report{
		"site_not_found": {SiteID: 77, Kind: "fire", Text: "x"},
		"invalid_kind":   {SiteID: 1, Kind: "link", Text: "x"},
		"invalid_text":   {SiteID: 1, Kind: "fire", Text: "  "},
		"invalid_caller": {SiteID: 1, Kind: "fire", Text: "x", Caller: strings.Repeat("x", 201)},
	} {
		_, _, err := b.Open(t.Context(), anna, r)
		var e *errs.Error
		require.ErrorAs(t, err, &e, code)
		require.Equal(t, code, e.Code)
	}
	b.db.Exec(t, "UPDATE sites SET retired_at = dozor_now() WHERE id = 2")
	_, _, err = b.Open(t.Context(), anna, desk.Report{SiteID: 2, Kind: "fire", Text: "dym"})
	require.ErrorIs(t, err, desk.ErrSiteRetired)
}

func TestABatchTakesWhatIsNotUrgentEachByItsOwnVersion(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.insertAlarm(t, 11, 1, "mains", 4)
	b.insertAlarm(t, 12, 2, "mains", 4)
	b.insertAlarm(t, 13, 2, "battery", 5)
	results, err := b.Batch(t.Context(), anna, desk.Step{Act: alarm.Claim}, []desk.Seen{{10, 1}, {11, 1}, {12, 7}, {13, 1}, {99, 1}})
	require.NoError(t, err)
	codes := map[ids.AlarmID]string{}
	for _, r := range results {
		codes[r.ID] = r.Code
	}
	require.Equal(t, map[ids.AlarmID]string{10: "batch_priority", 11: "", 12: "alarm_conflict", 13: "", 99: "alarm_not_found"}, codes)
	require.Equal(t, "10 new, 11 claimed, 12 new, 13 claimed", testkit.One[string](t, b.db, "SELECT string_agg(id || ' ' || state, ', ' ORDER BY id) FROM alarms"))

	for _, seen := range [][]desk.Seen{nil, {{11, 2}, {11, 2}}, make([]desk.Seen, desk.MaxBatch+1)} {
		_, err := b.Batch(t.Context(), anna, desk.Step{Act: alarm.Ack}, seen)
		require.Error(t, err)
	}
	_, err = b.Batch(t.Context(), anna, desk.Step{Act: alarm.Takeover}, []desk.Seen{{11, 2}})
	require.Error(t, err)
}

func TestListsAreNarrowedByWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.insertAlarm(t, 11, 2, "panic", 1)
	b.insertAlarm(t, 12, 2, "mains", 4)
	b.db.Exec(t, "UPDATE alarms SET confirmed_at = dozor_now() WHERE id = 12")
	b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
	list := func(f desk.Filter) []ids.AlarmID {
		page, err := b.List(t.Context(), f, desk.Place{}, 10)
		require.NoError(t, err)
		found := []ids.AlarmID{}
		for _, a := range page.Alarms {
			found = append(found, a.ID)
		}
		return found
	}
	require.Equal(t, []ids.AlarmID{11, 10, 12}, list(desk.Filter{Which: desk.Open}))
	require.Equal(t, []ids.AlarmID{11, 12}, list(desk.Filter{Which: desk.Open, NoOwner: true}))
	require.Equal(t, []ids.AlarmID{10}, list(desk.Filter{Which: desk.Open, OwnerID: 1}))
	require.Equal(t, []ids.AlarmID{11, 12}, list(desk.Filter{Which: desk.Open, Priorities: []int{1, 4}}))
	require.Equal(t, []ids.AlarmID{10}, list(desk.Filter{Which: "claimed"}))
	require.Equal(t, []ids.AlarmID{10}, list(desk.Filter{Which: desk.All, SiteID: 1}))
	require.Equal(t, []ids.AlarmID{12}, list(desk.Filter{Which: desk.All, Kind: "mains"}))
	require.Equal(t, []ids.AlarmID{10}, list(desk.Filter{Which: desk.Open, Search: "POZNAN"}), "without case and marks")
	require.Equal(t, []ids.AlarmID{10}, list(desk.Filter{Which: desk.Open, Search: "drzwi"}), "by a zone's name")
	require.Equal(t, []ids.AlarmID{11}, list(desk.Filter{Which: desk.Open, Search: "#11"}))
	require.Empty(t, list(desk.Filter{Which: desk.Open, Search: "100%"}), "no pattern of LIKE")
	require.Empty(t, list(desk.Filter{Which: desk.All, To: time.Now().Add(-time.Hour)}))
	require.Len(t, list(desk.Filter{Which: desk.All, From: time.Now().Add(-time.Hour)}), 3)

	detail, err := b.Detail(t.Context(), 12)
	require.NoError(t, err)
	require.Len(t, detail.Earlier, 1)
	require.EqualValues(t, 11, detail.Earlier[0].ID)
}
