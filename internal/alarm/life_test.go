package alarm_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/alarm"
	"dozor/internal/errs"
	"dozor/internal/ids"
)

func TestTheWayThroughAnAlarm(t *testing.T) {
	t.Parallel()
	me, other, leader := alarm.Actor{ID: 1}, alarm.Actor{ID: 2}, alarm.Actor{ID: 3, Supervisor: true}
	for _, c := range []struct {
		name    string
		from    alarm.Standing
		act     alarm.Act
		by      alarm.Actor
		want    alarm.Standing
		refused error
	}{
		{"claim", alarm.Standing{State: alarm.New}, alarm.Claim, me, alarm.Standing{State: alarm.Claimed, Owner: 1}, nil},
		{"claim a claimed one", alarm.Standing{State: alarm.Claimed, Owner: 2}, alarm.Claim, me, alarm.Standing{}, alarm.ErrState},
		{"ack", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Ack, me, alarm.Standing{State: alarm.Acknowledged, Owner: 1}, nil},
		{"ack another's", alarm.Standing{State: alarm.Claimed, Owner: 2}, alarm.Ack, me, alarm.Standing{}, alarm.ErrNotOwner},
		{"ack another's as leader", alarm.Standing{State: alarm.Claimed, Owner: 2}, alarm.Ack, leader, alarm.Standing{}, alarm.ErrNotOwner},
		{"ack twice", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Ack, me, alarm.Standing{}, alarm.ErrState},
		{"release", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Release, me, alarm.Standing{State: alarm.New}, nil},
		{"release another's", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Release, other, alarm.Standing{}, alarm.ErrNotOwner},
		{"release another's as leader", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Release, leader, alarm.Standing{State: alarm.New}, nil},
		{"release nobody's", alarm.Standing{State: alarm.New}, alarm.Release, leader, alarm.Standing{}, alarm.ErrState},
		{"take over", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Takeover, leader, alarm.Standing{State: alarm.Claimed, Owner: 3}, nil},
		{"take over as operator", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Takeover, other, alarm.Standing{}, alarm.ErrSupervisor},
		{"take over one's own", alarm.Standing{State: alarm.Acknowledged, Owner: 3}, alarm.Takeover, leader, alarm.Standing{}, alarm.ErrOwnAlready},
		{"resolve", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Resolve, me, alarm.Standing{State: alarm.Resolved, Owner: 1}, nil},
		{"resolve before ack", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Resolve, me, alarm.Standing{}, alarm.ErrState},
		{"reopen", alarm.Standing{State: alarm.Resolved, Owner: 1}, alarm.Reopen, other, alarm.Standing{State: alarm.Acknowledged, Owner: 2}, nil},
		{"close", alarm.Standing{State: alarm.Resolved, Owner: 1}, alarm.Close, other, alarm.Standing{State: alarm.Closed, Owner: 1}, nil},
		{"close unresolved", alarm.Standing{State: alarm.Acknowledged, Owner: 1}, alarm.Close, me, alarm.Standing{}, alarm.ErrState},
		{"reopen closed", alarm.Standing{State: alarm.Closed, Owner: 1}, alarm.Reopen, leader, alarm.Standing{}, alarm.ErrState},
		{"note on closed", alarm.Standing{State: alarm.Closed, Owner: 1}, alarm.Note, other, alarm.Standing{State: alarm.Closed, Owner: 1}, nil},
		{"pause", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Pause, me, alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, nil},
		{"pause again", alarm.Standing{State: alarm.Acknowledged, Owner: 1, Paused: true}, alarm.Pause, me, alarm.Standing{State: alarm.Acknowledged, Owner: 1, Paused: true}, nil},
		{"pause nobody's", alarm.Standing{State: alarm.New}, alarm.Pause, me, alarm.Standing{}, alarm.ErrState},
		{"pause what is resolved", alarm.Standing{State: alarm.Resolved, Owner: 1}, alarm.Pause, me, alarm.Standing{}, alarm.ErrState},
		{"pause another's as leader", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Pause, leader, alarm.Standing{}, alarm.ErrNotOwner},
		{"resume", alarm.Standing{State: alarm.Acknowledged, Owner: 1, Paused: true}, alarm.Resume, me, alarm.Standing{State: alarm.Acknowledged, Owner: 1}, nil},
		{"resume another's", alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, alarm.Resume, other, alarm.Standing{}, alarm.ErrNotOwner},
		{"resume what is awake", alarm.Standing{State: alarm.Claimed, Owner: 1}, alarm.Resume, me, alarm.Standing{}, alarm.ErrNotPaused},
		{"ack a paused one", alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, alarm.Ack, me, alarm.Standing{State: alarm.Acknowledged, Owner: 1}, nil},
		{"note on a paused one", alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, alarm.Note, other, alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, nil},
		{"an act of the station", alarm.Standing{State: alarm.Claimed, Owner: 1, Paused: true}, alarm.Woke, me, alarm.Standing{}, alarm.ErrUnknownAct},
	} {
		got, err := alarm.Next(c.from, c.act, c.by)
		if c.refused != nil {
			require.ErrorIs(t, err, c.refused, c.name)
			require.Equal(t, c.from, got, "%s: a refusal changes nothing", c.name)
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, got, c.name)
	}
	require.Equal(t, errs.Conflict, errs.KindOf(alarm.ErrNotOwner))
	require.NotErrorIs(t, alarm.ErrNotOwner, alarm.ErrState)
}

// Whatever people do in whatever order: an alarm in work has one owner, who took it; it
// is resolved only by the owner after an ack; closed is the end. A pause is the owner's, and
// ends when the alarm passes to another one, goes on or goes back.
func TestLifeOfAnAlarm(t *testing.T) {
	t.Parallel()
	acts := []alarm.Act{alarm.Claim, alarm.Release, alarm.Takeover, alarm.Ack, alarm.Resolve, alarm.Reopen, alarm.Close, alarm.Note, alarm.Pause, alarm.Resume}
	order := map[alarm.State]int{alarm.New: 0, alarm.Claimed: 1, alarm.Acknowledged: 2, alarm.Resolved: 3, alarm.Closed: 4}
	rapid.Check(t, func(t *rapid.T) {
		now := alarm.Standing{State: alarm.New}
		t.Repeat(map[string]func(*rapid.T){
			"act": func(t *rapid.T) {
				act := rapid.SampledFrom(acts).Draw(t, "act")
				by := alarm.Actor{ID: ids.UserID(rapid.IntRange(1, 3).Draw(t, "by"))}
				by.Supervisor = by.ID == 3
				before := now
				next, err := alarm.Next(now, act, by)
				if err != nil {
					require.Equal(t, before, next)
					return
				}
				now = next
				if step := order[now.State] - order[before.State]; step > 1 {
					t.Fatalf("%s leapt from %s to %s", act, before.State, now.State)
				}
				if now.Owner != before.Owner && now.Owner != 0 {
					require.Equal(t, by.ID, now.Owner, "nobody is given an alarm by somebody else")
				}
				if now.Paused && !before.Paused {
					require.Equal(t, alarm.Pause, act)
				}
				if now.Paused {
					require.Equal(t, []any{before.State, before.Owner}, []any{now.State, now.Owner}, "what passes on is awake")
				}
				if before.State.IsWorked() && before.Owner != by.ID && !by.Supervisor {
					require.Equal(t, before, now, "nobody changes another's alarm")
				}
			},
			"wake": func(*rapid.T) {
				woken, was := now.Wake()
				require.Equal(t, now.Paused, was)
				require.False(t, woken.Paused)
				require.Equal(t, []any{now.State, now.Owner}, []any{woken.State, woken.Owner}, "waking changes nothing else")
				now = woken
			},
			"": func(t *rapid.T) {
				if now.Paused {
					require.True(t, now.State.IsWorked(), "only what somebody has is paused")
				}
				if now.State.IsWorked() {
					require.NotZero(t, now.Owner)
				}
				if now.State == alarm.New {
					require.Zero(t, now.Owner)
				}
			},
		})
	})
}
