package command_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/command"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// links answers from a map: the live store has adapters of its own, with own tests.
type links map[ids.PanelID]live.Link

func (l links) States(_ context.Context, panels ...ids.PanelID) ([]live.PanelState, error) {
	var states []live.PanelState
	for _, p := range panels {
		if link, ok := l[p]; ok {
			states = append(states, live.PanelState{PanelID: p, Link: link})
		}
	}
	return states, nil
}

type bundle struct {
	*command.Commands
	db       *testkit.Database
	by       access.Principal
	notified atomic.Int64
	wanted   atomic.Int64
}

// setup makes panels 1 (up), 2 (down), 3 (up, disabled), 4 (up) and an alarm at each of
// two sites.
func setup(t *testing.T, pooled bool) *bundle {
	t.Helper()
	db := testkit.DB(t)
	db.Exec(t, "INSERT INTO users (id, login, name, role, password_hash) VALUES (5, 'anna', 'Anna Nowak', 'operator', 'x')")
	db.Exec(t, "INSERT INTO sites (id, name) VALUES (1, 'A'), (2, 'B')")
	db.Exec(t, `INSERT INTO panels (id, site_id, name, host, port, code_secret, enabled) VALUES
		(1, 1, 'p1', 'h', 1, 'x', true), (2, 1, 'p2', 'h', 2, 'x', true), (3, 1, 'p3', 'h', 3, 'x', false), (4, 2, 'p4', 'h', 4, 'x', true)`)
	db.Exec(t, `INSERT INTO alarms (id, site_id, kind, priority, joinable, first_effective_at, last_effective_at) VALUES
		(10, 1, 'burglary', 2, true, dozor_now(), dozor_now()), (20, 2, 'burglary', 2, true, dozor_now(), dozor_now())`)
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	pool := db.Pool
	if pooled {
		pool, err = pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 4, Pooled: true})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
	}
	b := &bundle{db: db, by: access.Principal{UserID: 5, Name: "Anna Nowak", Role: access.Operator}}
	b.Commands = command.New(command.Deps{
		Pool: pool, Audit: audit.New(ring, "test"),
		Links:     links{1: live.LinkUp, 2: live.LinkDown, 3: live.LinkUp, 4: live.LinkUp},
		Requested: func() { b.wanted.Add(1) }, Notified: func() { b.notified.Add(1) },
	})
	return b
}

func (b *bundle) request(t *testing.T, panel ids.PanelID) wire.Command {
	t.Helper()
	c, err := b.Request(t.Context(), b.by, command.Order{PanelID: panel, Kind: command.Arm, Targets: command.Targets{Partitions: []int{2, 1}}, ArmMode: 1})
	require.NoError(t, err)
	return c
}

func (b *bundle) claim(t *testing.T, held ...command.Held) []command.Claimed {
	t.Helper()
	claimed, err := b.Claim(t.Context(), held)
	require.NoError(t, err)
	return claimed
}

func (b *bundle) get(t *testing.T, id ids.CommandID) wire.Command {
	t.Helper()
	c, err := b.Get(t.Context(), id)
	require.NoError(t, err)
	return c
}

// frames are the commands of the frames in the outbox, in order.
func (b *bundle) frames(t *testing.T) []wire.Command {
	t.Helper()
	rows, err := b.db.Owner.Query(t.Context(), "SELECT type, site_id, data FROM outbox ORDER BY id")
	require.NoError(t, err)
	defer rows.Close()
	var list []wire.Command
	for rows.Next() {
		var frameType string
		var site int64
		var raw []byte
		require.NoError(t, rows.Scan(&frameType, &site, &raw))
		var data struct{ Command wire.Command }
		require.NoError(t, json.Unmarshal(raw, &data))
		require.Equal(t, wire.CommandResult, frameType)
		require.EqualValues(t, data.Command.SiteID, site)
		list = append(list, data.Command)
	}
	require.NoError(t, rows.Err())
	return list
}

func (b *bundle) acts(t *testing.T) []string {
	t.Helper()
	return testkit.One[[]string](t, b.db, "SELECT coalesce(array_agg(actor || ' ' || act ORDER BY id), '{}') FROM audit")
}

func (b *bundle) shift(t *testing.T, by string) {
	t.Helper()
	b.db.Exec(t, "UPDATE station_clock SET shift = shift + $1::text::interval", by)
}

func TestLifeOfACommand(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		c := b.request(t, 1)
		require.Equal(t, "queued", c.State)
		require.Equal(t, []int{1, 2}, c.Partitions)
		require.Equal(t, wire.UserRef{ID: 5, Name: "Anna Nowak"}, c.RequestedBy)
		require.EqualValues(t, 1, c.SiteID)
		require.Equal(t, command.DefaultWithin, c.DeadlineAt.Sub(c.RequestedAt))
		require.EqualValues(t, 1, b.wanted.Load())

		claimed := b.claim(t, command.Held{PanelID: 1, Fence: 7}, command.Held{PanelID: 4, Fence: 8})
		require.Len(t, claimed, 1)
		got := claimed[0]
		require.Equal(t, c.ID, got.ID)
		require.Equal(t, []any{command.Arm, 1, []int{1, 2}, int64(7)}, []any{got.Kind, got.ArmMode, got.Partitions, got.Fence})
		require.NoError(t, got.Deadline.Check())
		require.LessOrEqual(t, got.Deadline.Left(), command.DefaultWithin)
		require.Greater(t, got.Deadline.Left(), command.DefaultWithin-5*time.Second)
		require.Empty(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}), "claimed once")
		require.Empty(t, b.frames(t), "nothing has ended yet")

		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.FromPanel(satel.ResultOK)))
		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.Outcome{Result: command.NoAnswer}), "said twice")
		done := b.get(t, c.ID)
		require.Equal(t, []any{"done", "ok", 0, false}, []any{done.State, done.Result, *done.ResultCode, done.Late})
		require.NotNil(t, done.FinishedAt)
		require.Equal(t, []wire.Command{done}, b.frames(t), "one frame, with the whole command")
		require.Equal(t, []string{"operator command.arm", "worker command.done"}, b.acts(t))
		require.EqualValues(t, 1, b.notified.Load())
		recent, err := b.Recent(t.Context(), 1, 20)
		require.NoError(t, err)
		require.Equal(t, []wire.Command{done}, recent)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	good := command.Order{PanelID: 1, Kind: command.Disarm, Targets: command.Targets{Partitions: []int{1}}}
	with := func(change func(*command.Order)) command.Order { o := good; change(&o); return o }
	for name, c := range map[string]struct {
		order command.Order
		kind  errs.Kind
		code  string
	}{
		"link down":          {with(func(o *command.Order) { o.PanelID = 2 }), errs.Conflict, "panel_link_down"},
		"disabled":           {with(func(o *command.Order) { o.PanelID = 3 }), errs.Conflict, "panel_link_down"},
		"no panel":           {with(func(o *command.Order) { o.PanelID = 99 }), errs.NotFound, "panel_not_found"},
		"zones of arming":    {with(func(o *command.Order) { o.Zones = []int{3} }), errs.Invalid, "invalid_command"},
		"kind":               {with(func(o *command.Order) { o.Kind = "open_the_door" }), errs.Invalid, "invalid_command"},
		"no partitions":      {with(func(o *command.Order) { o.Partitions = nil }), errs.Invalid, "invalid_command"},
		"partition 33":       {with(func(o *command.Order) { o.Partitions = []int{33} }), errs.Invalid, "invalid_command"},
		"partition twice":    {with(func(o *command.Order) { o.Partitions = []int{3, 1, 3} }), errs.Invalid, "invalid_command"},
		"mode of a disarm":   {with(func(o *command.Order) { o.ArmMode = 1 }), errs.Invalid, "invalid_command"},
		"too short":          {with(func(o *command.Order) { o.Within = time.Second }), errs.Invalid, "invalid_command"},
		"too long":           {with(func(o *command.Order) { o.Within = time.Hour }), errs.Invalid, "invalid_command"},
		"no alarm":           {with(func(o *command.Order) { o.AlarmID = 99 }), errs.Invalid, "invalid_command"},
		"other site's alarm": {with(func(o *command.Order) { o.AlarmID = 20 }), errs.Invalid, "invalid_command"},
	} {
		_, err := b.Request(t.Context(), b.by, c.order)
		var e *errs.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, c.kind, e.Kind, name)
		require.Equal(t, c.code, e.Code, name)
	}
	require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM commands"))
	require.Empty(t, b.acts(t))
	_, err := b.Request(t.Context(), b.by, with(func(o *command.Order) { o.AlarmID = 10 }))
	require.NoError(t, err)
	_, err = b.Get(t.Context(), ids.NewCommandID())
	require.ErrorIs(t, err, command.ErrNotFound)
}

func TestUnfinishedCommandsOfAPanelAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	var accepted, refused atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := b.Request(t.Context(), b.by, command.Order{PanelID: 1, Kind: command.ClearAlarm, Targets: command.Targets{Partitions: []int{1}}})
			if err == nil {
				accepted.Add(1)
			} else if errs.KindOf(err) == errs.Conflict {
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 8, accepted.Load())
	require.EqualValues(t, 12, refused.Load())
}

func TestManyClaimersOneWinner(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	first, second := b.request(t, 1), b.request(t, 1)
	var wg sync.WaitGroup
	claims := make(chan command.Claimed, 100)
	for fence := range int64(12) {
		wg.Go(func() {
			got, err := b.Claim(t.Context(), []command.Held{{PanelID: 1, Fence: fence + 1}})
			if err != nil {
				t.Errorf("claim: %v", err)
			}
			for _, c := range got {
				claims <- c
			}
		})
	}
	wg.Wait()
	close(claims)
	seen := map[ids.CommandID]int64{}
	for c := range claims {
		require.NotContains(t, seen, c.ID, "claimed twice")
		seen[c.ID] = c.Fence
	}
	for len(seen) < 2 { // a claimer that met a locked row left it to the next look
		for _, c := range b.claim(t, command.Held{PanelID: 1, Fence: 99}) {
			require.NotContains(t, seen, c.ID)
			seen[c.ID] = c.Fence
		}
	}
	require.Contains(t, seen, first.ID)
	require.Contains(t, seen, second.ID)
	require.ErrorIs(t, b.Finish(t.Context(), first.ID, seen[first.ID]+1000, command.FromPanel(satel.ResultOK)), command.ErrNotYours)
	require.Equal(t, "executing", b.get(t, first.ID).State)
}

func TestClaimsGoByAgeAndOneAPanel(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	first, second, other := b.request(t, 1), b.request(t, 1), b.request(t, 4)
	claimed := b.claim(t, command.Held{PanelID: 1, Fence: 1}, command.Held{PanelID: 4, Fence: 1})
	require.ElementsMatch(t, []ids.CommandID{first.ID, other.ID}, []ids.CommandID{claimed[0].ID, claimed[1].ID})
	claimed = b.claim(t, command.Held{PanelID: 1, Fence: 1}, command.Held{PanelID: 4, Fence: 1})
	require.Len(t, claimed, 1)
	require.Equal(t, second.ID, claimed[0].ID)
}

// The plan of the claim depends on how many wait: with many it once took them all at once.
func TestAFullQueueIsClaimedOneByOne(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		var queued []ids.CommandID
		for range 8 {
			queued = append(queued, b.request(t, 1).ID)
		}
		b.db.Exec(t, "ANALYZE commands")
		for _, id := range queued {
			claimed := b.claim(t, command.Held{PanelID: 1, Fence: 7})
			require.Len(t, claimed, 1)
			require.Equal(t, id, claimed[0].ID)
		}
	}
}

func TestWhoHasALowerFenceClaimsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	c := b.request(t, 1)
	b.db.Exec(t, "INSERT INTO leases (panel_id, holder, fence, expires_at) VALUES (1, 'b', 8, dozor_now() + interval '10 s')")
	require.Empty(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}))
	require.Equal(t, "queued", b.get(t, c.ID).State)
	require.Len(t, b.claim(t, command.Held{PanelID: 1, Fence: 8}), 1)
}

func TestAnExpiredCommandIsNeverClaimed(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	c := b.request(t, 1)
	b.shift(t, "15 s")
	require.Empty(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}))
	n, err := b.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got := b.get(t, c.ID)
	require.Equal(t, []string{"expired", "expired"}, []string{got.State, got.Result})
	require.Equal(t, []wire.Command{got}, b.frames(t))
	require.ErrorIs(t, b.Finish(t.Context(), c.ID, 7, command.FromPanel(satel.ResultOK)), command.ErrNotYours, "nobody can have sent it")
	require.Equal(t, []string{"operator command.arm", "sweeper command.expired"}, b.acts(t))
}

func TestACommandOfAnotherLifeOfTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	c, untouched := b.request(t, 1), b.request(t, 4)
	b.db.Exec(t, "UPDATE station_clock SET salt = '+failover'")
	require.Empty(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}, command.Held{PanelID: 4, Fence: 7}))
	n, err := b.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "unknown", b.get(t, c.ID).State)
	require.Equal(t, "unknown", b.get(t, untouched.ID).State)

	// A worker had claimed it before the failover that lost the claim, and now answers.
	require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.FromPanel(satel.ResultCannotArm)))
	got := b.get(t, c.ID)
	require.Equal(t, []any{"refused", "cannot_arm", 0x12}, []any{got.State, got.Result, *got.ResultCode})
	require.ErrorIs(t, b.Finish(t.Context(), c.ID, 6, command.FromPanel(satel.ResultOK)), command.ErrNotYours)
	require.Equal(t, []string{"operator command.arm", "operator command.arm", "sweeper command.unknown", "sweeper command.unknown", "worker command.refused"}, b.acts(t))
	require.Len(t, b.frames(t), 3)

	// The answer may also come before the sweeper.
	c = b.request(t, 1)
	b.db.Exec(t, "UPDATE station_clock SET salt = '+again'")
	require.NoError(t, b.Finish(t.Context(), c.ID, 8, command.FromPanel(satel.ResultOK)))
	require.Equal(t, "done", b.get(t, c.ID).State)
}

func TestExecutingUnderADeadFence(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]string{
		"higher fence":  "UPDATE leases SET fence = 8, holder = 'b', expires_at = dozor_now() + interval '1 hour'",
		"lease expired": "UPDATE leases SET expires_at = dozor_now() - interval '1 s'",
		"lease gone":    "DELETE FROM leases",
	} {
		b := setup(t, false)
		b.db.Exec(t, "INSERT INTO leases (panel_id, holder, fence, expires_at) VALUES (1, 'a', 7, dozor_now() + interval '1 hour')")
		c := b.request(t, 1)
		require.Len(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}), 1, name)
		b.db.Exec(t, kill)
		sweep := func(want int, why string) {
			t.Helper()
			n, err := b.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, n, "%s: %s", name, why)
		}
		sweep(0, "before the deadline")
		b.shift(t, "17 s")
		sweep(0, "within the margin")
		b.shift(t, "4 s")
		sweep(1, "past the margin")
		sweep(0, "ended once")
		require.Equal(t, []string{"unknown", "unknown"}, []string{b.get(t, c.ID).State, b.get(t, c.ID).Result})
		require.Empty(t, b.claim(t, command.Held{PanelID: 1, Fence: 9}), "never run again")

		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.Outcome{Result: command.NoAnswer}), "nothing new")
		require.Len(t, b.frames(t), 1, name)
		require.ErrorIs(t, b.Finish(t.Context(), c.ID, 8, command.FromPanel(satel.ResultOK)), command.ErrNotYours)
		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.FromPanel(satel.ResultOK)), "the old fence corrects")
		require.Equal(t, "done", b.get(t, c.ID).State)
		require.Len(t, b.frames(t), 2, name)
	}
}

func TestAnExecutorThatForgotIsEndedToo(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.db.Exec(t, "INSERT INTO leases (panel_id, holder, fence, expires_at) VALUES (1, 'a', 7, dozor_now() + interval '1 hour')")
	b.request(t, 1)
	require.Len(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}), 1)
	b.shift(t, "30 s")
	n, err := b.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "its lease lives: it may still say how it ended")
	b.shift(t, "50 s")
	n, err = b.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestManySweepersEndEachCommandOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	for range 8 {
		b.request(t, 1)
	}
	b.shift(t, "20 s")
	var wg sync.WaitGroup
	var total atomic.Int64
	for range 8 {
		wg.Go(func() {
			n, err := b.Sweep(t.Context())
			if err != nil {
				t.Errorf("sweep: %v", err)
			}
			total.Add(int64(n))
		})
	}
	wg.Wait()
	require.EqualValues(t, 8, total.Load())
	require.Len(t, b.frames(t), 8)
}

func TestEveryResultMeansAnEndThatTheSchemaKnows(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	for code, want := range map[satel.Result][2]string{
		satel.ResultOK: {"done", "ok"}, satel.ResultAccepted: {"done", "accepted"},
		satel.ResultCodeNotFound: {"refused", "wrong_code"}, satel.ResultNoAccess: {"refused", "no_right"},
		satel.ResultCannotArm: {"refused", "cannot_arm"}, satel.ResultCannotArmForce: {"refused", "force_possible"},
		satel.ResultOther: {"refused", "other_error"}, 0x85: {"refused", "other_error"},
	} {
		c := b.request(t, 1)
		require.Len(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}), 1)
		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.FromPanel(code)))
		got := b.get(t, c.ID)
		require.Equal(t, want, [2]string{got.State, got.Result})
		require.EqualValues(t, code, *got.ResultCode)
	}
	for result, want := range map[command.Result]string{
		command.LinkDown: "refused", command.NoCode: "refused", command.TooLate: "expired",
		command.Late: "unknown", command.NoAnswer: "unknown", command.Unknown: "unknown",
	} {
		c := b.request(t, 1)
		require.Len(t, b.claim(t, command.Held{PanelID: 1, Fence: 7}), 1)
		require.NoError(t, b.Finish(t.Context(), c.ID, 7, command.Outcome{Result: result, Late: result == command.Late}))
		got := b.get(t, c.ID)
		require.Equal(t, []any{want, string(result), result == command.Late}, []any{got.State, got.Result, got.Late})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	require.NoError(t, command.DeadlineIn(time.Minute).Check())
	require.ErrorIs(t, command.DeadlineIn(0).Check(), command.ErrPastDeadline)
	d := command.DeadlineIn(20 * time.Millisecond)
	require.Eventually(t, func() bool { return d.Check() != nil }, 5*time.Second, time.Millisecond)
	require.LessOrEqual(t, d.Left(), time.Duration(0))
}

// Every role with every kind, made from the permission table.
func TestWhoMayOrderWhat(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	targets := map[command.Kind]command.Targets{
		command.Arm: {Partitions: []int{1}}, command.ForceArm: {Partitions: []int{1}}, command.Disarm: {Partitions: []int{1}},
		command.ClearAlarm: {Partitions: []int{1}}, command.Bypass: {Zones: []int{256}}, command.Unbypass: {Zones: []int{1}},
		command.Isolate: {Zones: []int{1, 2}}, command.OutputsOn: {Outputs: []int{256}}, command.OutputsOff: {Outputs: []int{1}},
		command.OutputsSwitch: {Outputs: []int{1}}, command.OpenDoor: {Expanders: []int{0, 63}}, command.ClearTroubles: {}, command.SetClock: {},
	}
	table := access.CommandTable()
	require.Len(t, table, len(command.Kinds()), "a row for each kind and for nothing else")
	for _, kind := range command.Kinds() {
		needed, ok := table[string(kind)]
		require.True(t, ok, kind)
		require.Contains(t, targets, kind)
		for _, role := range append(access.Roles(), "guest") {
			by := b.by
			by.Role = role
			view, err := b.Request(t.Context(), by, command.Order{PanelID: 1, Kind: kind, Targets: targets[kind]})
			if !role.Has(needed) {
				require.ErrorIs(t, err, command.ErrMayNot, "%s by %s", kind, role)
				require.NotContains(t, access.Orders(role), string(kind))
				continue
			}
			require.NoError(t, err, "%s by %s", kind, role)
			require.Contains(t, access.Orders(role), string(kind))
			got := b.claim(t, command.Held{PanelID: 1, Fence: 7})
			require.Len(t, got, 1)
			require.Equal(t, kind, got[0].Kind)
			require.NoError(t, b.Finish(t.Context(), view.ID, 7, command.Outcome{Result: command.Confirmed}))
			want := targets[kind]
			for _, list := range []*[]int{&want.Partitions, &want.Zones, &want.Outputs, &want.Expanders} {
				*list = append([]int{}, *list...)
			}
			require.Equal(t, want, got[0].Targets)
		}
	}
	require.Equal(t, []string{"arm", "clear_alarm", "disarm"}, access.Orders(access.Operator), "what an operator may is written down here once more")
	require.Empty(t, access.Orders("guest"))
}

func TestTargetsAreOfTheKindsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t, false)
	b.by.Role = access.Supervisor
	b.db.Exec(t, "INSERT INTO panel_objects (panel_id, kind, number, name, function) VALUES (1, 'output', 1, 'Syrena', 1), (1, 'output', 5, 'Brama', 25), (1, 'output', 6, 'Drzwi', 101)")
	for name, o := range map[string]command.Order{
		"no zone":               {Kind: command.Bypass},
		"zone 257":              {Kind: command.Bypass, Targets: command.Targets{Zones: []int{257}}},
		"partitions of zones":   {Kind: command.Isolate, Targets: command.Targets{Zones: []int{1}, Partitions: []int{1}}},
		"output twice":          {Kind: command.OutputsOn, Targets: command.Targets{Outputs: []int{5, 5}}},
		"a siren":               {Kind: command.OutputsOn, Targets: command.Targets{Outputs: []int{1, 5}}},
		"a door switched":       {Kind: command.OutputsSwitch, Targets: command.Targets{Outputs: []int{6}}},
		"no door":               {Kind: command.OpenDoor},
		"what is no door":       {Kind: command.OpenDoor, Targets: command.Targets{Outputs: []int{5}}},
		"expander 64":           {Kind: command.OpenDoor, Targets: command.Targets{Expanders: []int{64}}},
		"clock of a partition":  {Kind: command.SetClock, Targets: command.Targets{Partitions: []int{1}}},
		"mode of a bypass":      {Kind: command.Bypass, ArmMode: 1, Targets: command.Targets{Zones: []int{1}}},
		"expanders of switches": {Kind: command.OutputsOff, Targets: command.Targets{Outputs: []int{5}, Expanders: []int{1}}},
	} {
		o.PanelID = 1
		_, err := b.Request(t.Context(), b.by, o)
		require.Equal(t, errs.Invalid, errs.KindOf(err), name)
	}
	for name, o := range map[string]command.Order{
		"a switch and one that is not known": {Kind: command.OutputsOn, Targets: command.Targets{Outputs: []int{5, 7}}},
		"a door and an expander":             {Kind: command.OpenDoor, Targets: command.Targets{Outputs: []int{6}, Expanders: []int{0}}},
		"forced in mode 3":                   {Kind: command.ForceArm, ArmMode: 3, Targets: command.Targets{Partitions: []int{32}}},
	} {
		o.PanelID = 1
		_, err := b.Request(t.Context(), b.by, o)
		require.NoError(t, err, name)
	}
}

func TestWhatStoodInTheWayIsKeptWithNames(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		b := setup(t, pooled)
		b.db.Exec(t, `INSERT INTO panel_objects (panel_id, kind, number, name, partition) VALUES
			(1, 'zone', 3, 'Okno', 1), (1, 'zone', 7, 'Drzwi', 2), (1, 'zone', 8, 'Garaż', 3), (4, 'zone', 9, 'Obca', 3), (1, 'output', 9, 'Syrena', 0)`)
		c := b.request(t, 1)
		b.claim(t, command.Held{PanelID: 1, Fence: 7})
		o := command.FromPanel(satel.ResultCannotArmForce)
		o.InTheWay = []command.Obstacle{
			{What: command.Violated, Zone: 3},
			{What: command.Violated, Zone: 8},
			{What: command.Violated, Zone: 9},
			{What: command.Tampered, Zone: 7},
			{What: command.Trouble, Name: "system.ac"},
		}
		require.NoError(t, b.Finish(t.Context(), c.ID, 7, o))
		require.Equal(t, []command.Obstacle{
			{What: command.Violated, Zone: 3, Name: "Okno"}, {What: command.Violated, Zone: 9}, // of which nobody knows the partition
			{What: command.Tampered, Zone: 7, Name: "Drzwi"}, {What: command.Trouble, Name: "system.ac"},
		}, b.get(t, c.ID).InTheWay)
		require.Equal(t, b.get(t, c.ID), b.frames(t)[0])
	}
}

// What a panel may say, known or not, has a result that ends the command as what it is.
func TestEveryAnswerOfAPanelHasAResult(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := satel.Result(rapid.Byte().Draw(t, "code"))
		o := command.FromPanel(code)
		require.Equal(t, int(code), *o.Code)
		want := command.Refused
		if code.Success() {
			want = command.Done
		}
		require.Equal(t, want, o.Result.State(), "%02x", byte(code))
	})
}
