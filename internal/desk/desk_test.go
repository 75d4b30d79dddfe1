package desk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/audit"
	"dozor/internal/desk"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var (
	anna = access.Principal{UserID: 1, Name: "Anna Nowak", Role: access.Operator}
	jan  = access.Principal{UserID: 2, Name: "Jan Lis", Role: access.Operator}
	ewa  = access.Principal{UserID: 3, Name: "Ewa Kot", Role: access.Supervisor}
)

type bundle struct {
	*desk.Desk
	db       *testkit.Database
	notified atomic.Int64
}

// setup makes three people, two sites with a panel each, names, and alarm 10 at site 1.
func setup(t *testing.T, pooled bool) *bundle {
	t.Helper()
	db := testkit.DB(t)
	pool := db.Pool
	if pooled {
		var err error
		pool, err = pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 4, Pooled: true})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
	}
	db.Exec(t, `INSERT INTO users (id, login, name, role, password_hash) VALUES
		(1, 'anna', 'Anna Nowak', 'operator', 'x'), (2, 'jan', 'Jan Lis', 'operator', 'x'), (3, 'ewa', 'Ewa Kot', 'supervisor', 'x')`)
	db.Exec(t, "INSERT INTO sites (id, name, address, city) VALUES (1, 'Apteka', 'Polna 1', 'Poznań'), (2, 'B', '', '')")
	db.Exec(t, "INSERT INTO panels (id, site_id, name, host, port, code_secret) VALUES (1, 1, 'p', 'h', 1, 'x'), (2, 2, 'p', 'h', 2, 'x')")
	db.Exec(t, "INSERT INTO panel_objects (panel_id, kind, number, name) VALUES (1, 'zone', 3, 'Drzwi'), (1, 'partition', 1, 'Parter'), (1, 'user', 9, 'Kierownik')")
	b := &bundle{db: db}
	b.insertAlarm(t, 10, 1, "burglary", 2)
	db.Exec(t, "SELECT setval(pg_get_serial_sequence('alarms', 'id'), 1000)")
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	b.Desk = desk.New(desk.Deps{Pool: pool, Audit: audit.New(ring, "test"), Notified: func() { b.notified.Add(1) }})
	return b
}

func (b *bundle) insertAlarm(t *testing.T, id, site int, kind string, priority int) {
	t.Helper()
	b.db.Exec(t, `INSERT INTO alarms (id, site_id, panel_id, kind, priority, joinable, code, zone, partition, zones, first_effective_at, last_effective_at)
		VALUES ($1, $2::bigint, $2, $3, $4, true, 130, 3, 1, '{3}', dozor_now(), dozor_now())`, id, site, kind, priority)
}

func (b *bundle) do(t *testing.T, by access.Principal, s desk.Step) wire.Alarm {
	t.Helper()
	v, err := b.Do(t.Context(), by, 10, s)
	require.NoError(t, err)
	return v
}

// conflict expects a refusal that says how the alarm stands and who acted.
func (b *bundle) conflict(t *testing.T, by access.Principal, s desk.Step) desk.Conflict {
	t.Helper()
	_, err := b.Do(t.Context(), by, 10, s)
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "alarm_conflict", e.Code)
	require.Equal(t, errs.Conflict, e.Kind)
	c, ok := e.Detail.(desk.Conflict)
	require.True(t, ok)
	require.EqualValues(t, 10, c.Alarm.ID)
	return c
}

func (b *bundle) frames(t *testing.T) []wire.Alarm {
	t.Helper()
	rows, err := b.db.Owner.Query(t.Context(), "SELECT type, site_id, version, ring, data FROM outbox ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	var list []wire.Alarm
	for rows.Next() {
		var frameType string
		var site, version int64
		var ring int
		var raw []byte
		require.NoError(t, rows.Scan(&frameType, &site, &version, &ring, &raw))
		var data wire.AlarmData
		require.NoError(t, json.Unmarshal(raw, &data))
		require.Equal(t, wire.AlarmUpdated, frameType)
		require.EqualValues(t, data.Alarm.Site.ID, site)
		require.Equal(t, data.Alarm.Version, version)
		require.Equal(t, data.Alarm.Ring, ring)
		list = append(list, data.Alarm)
	}
	require.NoError(t, rows.Err())
	return list
}

func TestAnAlarmFromClaimToClose(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		var after []wire.Alarm
		step := func(by access.Principal, s desk.Step, state string) wire.Alarm {
			t.Helper()
			s.Version = int64(len(after) + 1)
			v := b.do(t, by, s)
			require.Equal(t, state, v.State)
			require.Equal(t, s.Version+1, v.Version)
			after = append(after, v)
			return v
		}
		v := step(anna, desk.Step{Act: alarm.Claim}, "claimed")
		require.Equal(t, &wire.UserRef{ID: 1, Name: "Anna Nowak"}, v.Owner)
		require.NotNil(t, v.ClaimedAt)
		require.Equal(t, wire.SiteRef{ID: 1, Name: "Apteka", Address: "Polna 1", City: "Poznań"}, v.Site)
		require.Equal(t, []string{"Drzwi", "Parter"}, []string{v.ZoneName, v.PartitionName})
		require.NotEmpty(t, v.TextPL)
		require.NotEmpty(t, v.TextEN)
		v = step(anna, desk.Step{Act: alarm.Release}, "new")
		require.Nil(t, v.Owner)
		require.Nil(t, v.ClaimedAt)
		require.Equal(t, 2, v.Ring, "nobody has it: it calls again")
		step(jan, desk.Step{Act: alarm.Claim}, "claimed")
		v = step(ewa, desk.Step{Act: alarm.Takeover}, "claimed")
		require.Equal(t, &wire.UserRef{ID: 3, Name: "Ewa Kot"}, v.Owner)
		step(ewa, desk.Step{Act: alarm.Ack}, "acknowledged")
		v = step(jan, desk.Step{Act: alarm.Note, Text: " patrol sent "}, "acknowledged")
		require.Equal(t, ewa.UserID, v.Owner.ID, "a note changes no owner")
		v = step(ewa, desk.Step{Act: alarm.Resolve, Outcome: "false_user", Text: "forgot the code"}, "resolved")
		require.Equal(t, []string{"false_user", "forgot the code"}, []string{v.Outcome, v.OutcomeText})
		require.False(t, testkit.One[bool](t, b.db, "SELECT joinable FROM alarms"), "later events open a new alarm")
		v = step(anna, desk.Step{Act: alarm.Reopen}, "acknowledged")
		require.Equal(t, anna.UserID, v.Owner.ID)
		require.Empty(t, v.Outcome)
		require.Nil(t, v.ResolvedAt)
		step(anna, desk.Step{Act: alarm.Resolve, Outcome: "real", Text: "police came"}, "resolved")
		v = step(jan, desk.Step{Act: alarm.Close}, "closed")
		require.NotNil(t, v.ClosedAt)
		require.Equal(t, "police came", v.OutcomeText)
		step(jan, desk.Step{Act: alarm.Note, Text: "report 17"}, "closed")

		require.Equal(t, after, b.frames(t), "each step told the whole alarm, in order")
		require.EqualValues(t, len(after), b.notified.Load())
		acts := []string{"claim", "release", "claim", "takeover", "ack", "note", "resolve", "reopen", "resolve", "close", "note"}
		require.Equal(t, acts, testkit.One[[]string](t, b.db, "SELECT array_agg(act ORDER BY id) FROM alarm_actions"))
		require.Equal(t, strings.Split("alarm."+strings.Join(acts, " alarm."), " "), testkit.One[[]string](t, b.db, "SELECT array_agg(act ORDER BY id) FROM audit"))
		require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM audit WHERE details::text LIKE '%police%'"), "what was written stands apart")
		require.Equal(t, 4, testkit.One[int](t, b.db, "SELECT count(*) FROM audit_values WHERE field = 'text'"))

		det, err := b.Detail(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, after[len(after)-1], det.Alarm)
		require.Len(t, det.Actions, len(acts))
		require.Equal(t, "claim", det.Actions[0].Act)
		last := det.Actions[len(acts)-1]
		require.Equal(t, []any{"note", "report 17", "closed", "closed", int64(12), jan.UserID}, []any{last.Act, last.Text, last.FromState, last.ToState, last.Version, last.Actor.ID})
	}
}

func TestWhatTheDeskRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	c := b.conflict(t, anna, desk.Step{Act: alarm.Ack, Version: 1})
	require.Equal(t, "new", c.Alarm.State)
	require.Nil(t, c.Actor, "nobody did anything yet")
	b.conflict(t, anna, desk.Step{Act: alarm.Claim, Version: 7})
	b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
	for name, s := range map[string]struct {
		by   access.Principal
		step desk.Step
	}{
		"claimed already":      {jan, desk.Step{Act: alarm.Claim, Version: 2}},
		"old version":          {anna, desk.Step{Act: alarm.Ack, Version: 1}},
		"not the owner":        {jan, desk.Step{Act: alarm.Ack, Version: 2}},
		"not theirs to give":   {jan, desk.Step{Act: alarm.Release, Version: 2}},
		"not acknowledged":     {anna, desk.Step{Act: alarm.Resolve, Version: 2, Outcome: "real", Text: "x"}},
		"close without an end": {anna, desk.Step{Act: alarm.Close, Version: 2}},
		"reopen what is open":  {anna, desk.Step{Act: alarm.Reopen, Version: 2}},
	} {
		c := b.conflict(t, s.by, s.step)
		require.Equal(t, []any{"claimed", int64(2), &wire.UserRef{ID: 1, Name: "Anna Nowak"}}, []any{c.Alarm.State, c.Alarm.Version, c.Actor}, name)
	}
	for name, s := range map[string]struct {
		by   access.Principal
		step desk.Step
		kind errs.Kind
	}{
		"takeover by an operator":    {jan, desk.Step{Act: alarm.Takeover, Version: 2}, errs.Forbidden},
		"resolve without a text":     {anna, desk.Step{Act: alarm.Resolve, Version: 2, Outcome: "real", Text: " \n"}, errs.Invalid},
		"resolve without an outcome": {anna, desk.Step{Act: alarm.Resolve, Version: 2, Text: "x"}, errs.Invalid},
		"unknown outcome":            {anna, desk.Step{Act: alarm.Resolve, Version: 2, Outcome: "fine", Text: "x"}, errs.Invalid},
		"long note":                  {anna, desk.Step{Act: alarm.Note, Text: strings.Repeat("ż", 2001)}, errs.Invalid},
		"zero byte":                  {anna, desk.Step{Act: alarm.Note, Text: "a\x00b"}, errs.Invalid},
		"text of a claim":            {anna, desk.Step{Act: alarm.Claim, Text: "x"}, errs.Invalid},
		"unknown act":                {anna, desk.Step{Act: "delete"}, errs.Invalid},
	} {
		_, err := b.Do(t.Context(), s.by, 10, s.step)
		require.Equal(t, s.kind, errs.KindOf(err), "%s: %v", name, err)
	}
	_, err := b.Do(t.Context(), anna, 999, desk.Step{Act: alarm.Claim, Version: 1})
	require.ErrorIs(t, err, desk.ErrAlarmNotFound)
	_, err = b.Do(t.Context(), anna, 999, desk.Step{Act: alarm.Note, Text: "x"})
	require.ErrorIs(t, err, desk.ErrAlarmNotFound)
	require.Len(t, b.frames(t), 1, "what was refused left nothing")
	require.Equal(t, 1, testkit.One[int](t, b.db, "SELECT count(*) FROM audit"))
	_, err = b.Do(t.Context(), anna, 10, desk.Step{Act: alarm.Note, Text: strings.Repeat("ż", 2000)})
	require.NoError(t, err)
}

func TestOfManyWhoClaimOneWins(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.db.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) SELECT n, 'o' || n, 'Operator ' || n, 'operator', 'x' FROM generate_series(100, 139) n")
	var wg sync.WaitGroup
	won := make(chan ids.UserID, 40)
	told := make(chan desk.Conflict, 40)
	for n := range 40 {
		wg.Go(func() {
			by := access.Principal{UserID: ids.UserID(100 + n), Role: access.Operator}
			v, err := b.Do(t.Context(), by, 10, desk.Step{Act: alarm.Claim, Version: 1})
			if err == nil {
				won <- v.Owner.ID
				return
			}
			if e, ok := errors.AsType[*errs.Error](err); ok {
				if c, ok := e.Detail.(desk.Conflict); ok {
					told <- c
					return
				}
			}
			t.Errorf("neither won nor told: %v", err)
		})
	}
	wg.Wait()
	close(won)
	close(told)
	require.Len(t, won, 1)
	require.Len(t, told, 39)
	winner := <-won
	for c := range told {
		require.Equal(t, winner, c.Actor.ID)
		require.Equal(t, winner, c.Alarm.Owner.ID)
		require.EqualValues(t, 2, c.Alarm.Version)
	}
	require.Len(t, b.frames(t), 1)
}

func TestAStepThatCannotBeToldDoesNotHappen(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"outbox", "audit", "alarm_actions"} {
		b := setup(t, false)
		b.db.Exec(t, fmt.Sprintf("REVOKE INSERT ON %s FROM dozor_app", broken))
		_, err := b.Do(t.Context(), anna, 10, desk.Step{Act: alarm.Claim, Version: 1})
		require.Error(t, err)
		require.Equal(t, "new 1", testkit.One[string](t, b.db, "SELECT state || ' ' || version FROM alarms"))
		for _, table := range []string{"outbox", "audit", "alarm_actions"} {
			require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM "+table))
		}
		require.Zero(t, b.notified.Load())
	}
}

func TestListsGoThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		b.db.Exec(t, `INSERT INTO alarms (site_id, kind, priority, state, joinable, outcome, opened_at, first_effective_at, last_effective_at)
			SELECT 1, 'tamper', 1 + n % 5, CASE WHEN n % 3 = 0 THEN 'closed' ELSE 'new' END, false, 'test',
			       dozor_now() - make_interval(mins => n % 7), dozor_now(), dozor_now() FROM generate_series(1, 60) n`)
		through := func(which desk.Which) []wire.Alarm {
			var all []wire.Alarm
			seen := map[ids.AlarmID]bool{}
			for place := (&desk.Place{}); place != nil; {
				page, err := b.List(t.Context(), desk.Filter{Which: which}, *place, 7)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page.Alarms), 7)
				for _, a := range page.Alarms {
					require.False(t, seen[a.ID])
					seen[a.ID] = true
				}
				all = append(all, page.Alarms...)
				place = page.Next
			}
			return all
		}
		open := through(desk.Open)
		require.Len(t, open, 41)
		for i := 1; i < len(open); i++ {
			a, z := open[i-1], open[i]
			require.True(t, a.Priority < z.Priority || a.Priority == z.Priority && !a.OpenedAt.After(z.OpenedAt))
			require.NotEqual(t, "closed", z.State)
		}
		closed, all := through(desk.Closed), through(desk.All)
		require.Len(t, closed, 20)
		require.Len(t, all, 61)
		for i := 1; i < len(all); i++ {
			require.False(t, all[i].OpenedAt.After(all[i-1].OpenedAt))
		}
	}
}

func TestListsSayWhereTheStreamStoodBefore(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.db.Exec(t, "UPDATE stream_head SET epoch = 7, last = 42")
	page, err := b.List(t.Context(), desk.Filter{Which: desk.Open}, desk.Place{}, 10)
	require.NoError(t, err)
	require.Equal(t, wire.StreamPosition{Epoch: 7, Position: 42}, page.Stream)
	det, err := b.Detail(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, wire.StreamPosition{Epoch: 7, Position: 42}, det.Stream)
	_, err = b.Detail(t.Context(), 999)
	require.ErrorIs(t, err, desk.ErrAlarmNotFound)
}

func TestAlarmsOfWhoIsGoneGoBackIntoTheQueue(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	sweep := func(want int, why string) {
		t.Helper()
		n, err := b.ReleaseOrphans(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n, why)
	}
	session := func(id string) {
		b.db.Exec(t, "INSERT INTO sessions (token_hash, id, user_id, expires_at) VALUES (sha256($1::text::bytea), gen_random_uuid(), 1, dozor_now() + interval '12 hours')", id)
	}
	session("old")
	b.db.Exec(t, "UPDATE sessions SET revoked_at = dozor_now()")
	b.do(t, anna, desk.Step{Act: alarm.Claim, Version: 1})
	sweep(0, "a bearer of a token, whose old session ended before")
	session("desk")
	session("phone")
	sweep(0, "signed in")
	b.db.Exec(t, "UPDATE sessions SET revoked_at = dozor_now() WHERE token_hash = sha256('desk')")
	sweep(0, "still signed in on the phone")
	b.db.Exec(t, "UPDATE station_clock SET shift = '13 hours'")
	sweep(1, "the last session has expired")
	sweep(0, "once")
	det, err := b.Detail(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []any{"new", 2, (*wire.UserRef)(nil), int64(3)}, []any{det.Alarm.State, det.Alarm.Ring, det.Alarm.Owner, det.Alarm.Version})
	require.Nil(t, det.Actions[1].Actor, "the station did it")
	require.Equal(t, "owner-gone", testkit.One[string](t, b.db, "SELECT actor FROM audit ORDER BY id DESC LIMIT 1"))
	require.Len(t, b.frames(t), 2)

	b.do(t, jan, desk.Step{Act: alarm.Claim, Version: 3})
	b.do(t, jan, desk.Step{Act: alarm.Ack, Version: 4})
	b.db.Exec(t, "UPDATE users SET disabled_at = dozor_now() WHERE id = 2")
	sweep(1, "disabled")
}

func TestListsAreReadThroughTheirIndexes(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.db.Exec(t, `INSERT INTO alarms (site_id, kind, priority, state, joinable, outcome, first_effective_at, last_effective_at)
		SELECT 1 + n % 2, 'burglary', 2, CASE WHEN n % 334 = 0 THEN 'new' ELSE 'closed' END, false, 'test', dozor_now(), dozor_now()
		FROM generate_series(1, 100300) n`)
	b.db.Exec(t, "ANALYZE alarms")
	for _, list := range []struct {
		filter desk.Filter
		index  string
	}{
		{desk.Filter{Which: desk.Open}, "alarms_queue_idx"},
		{desk.Filter{Which: "new", Priorities: []int{1, 2}}, "alarms_queue_idx"},
		{desk.Filter{Which: desk.Closed}, "alarms_opened_idx"},
		{desk.Filter{Which: desk.All}, "alarms_opened_idx"},
		{desk.Filter{Which: desk.All, Kind: "panic"}, "alarms_kind_opened_idx"},
	} {
		plan := strings.Join(desk.ExplainList(t.Context(), t, b.db.Owner, list.filter), "\n")
		require.Contains(t, plan, list.index, list.filter)
		require.NotContains(t, plan, "Seq Scan on alarms", list.filter)
	}
	page, err := b.List(t.Context(), desk.Filter{Which: desk.Open}, desk.Place{}, 200)
	require.NoError(t, err)
	require.Len(t, page.Alarms, 200)
}
