package e2e

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/wire"
	"dozor/test/station"
)

// panicAlarm is a wish for the frame of a hold-up at a keypad.
func panicAlarm(f station.Frame) bool {
	_, found := station.EventOf(f, func(e wire.Event) bool { return e.Code == 120 && !e.Provisional })
	return found && f.Data.Alarm != nil
}

// backlog lets n records come while the link is away.
func backlog(s *station.Station, n string) {
	s.Sim.Act(1, "link/drop")
	s.Sim.Act(1, "burst?kind=mixed&events="+n)
	s.Sim.Act(1, "link/restore")
}

// A real module answers in 100 ms: 2,000 records take it 200 s, in which a link that drops every 40 s is away five times.
// Here the walk takes a fifth of that, and so does the time between two drops, unless DOZOR_REAL_PACE is set, as the soak
// does. Alarms meanwhile never wait for the walk.
func TestLinkDropsAgainAndAgainInALongWalk(t *testing.T) {
	t.Parallel()
	answer, every, limit := "5ms", 8*time.Second, 3*time.Minute
	if os.Getenv("DOZOR_REAL_PACE") != "" {
		answer, every, limit = "100ms", 40*time.Second, 20*time.Minute
	}
	s, _, screen := open(t, station.Options{Sim: []string{"--answer-delay=" + answer, "--min-gap=1ms", "--log-delay=100ms"}})
	backlog(s, "2000")
	panel := s.Panels[0]

	drops := time.NewTicker(every)
	defer drops.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(limit)
	dropped, alarms := 0, 0
	alarmed := false // since the link was there again
	for walking := true; walking; {
		select {
		case <-drops.C:
			s.Sim.Act(1, "link/drop?ms=300")
			dropped++
			alarmed = false
		case <-look.C:
			d, err := s.Difference(panel)
			require.NoError(t, err)
			walking = !d.None()
			if alarmed || !walking || !s.Is("SELECT body->>'link' = 'up' FROM panel_states WHERE panel_id = $1", panel.ID) ||
				!s.Sim.Panel(1).Connected {
				continue
			}
			mark := screen.Mark()
			acted := s.Sim.Act(1, "partitions/1/panic")
			onTime(t, screen.Wait(mark, 10*time.Second, "a hold-up during the walk", panicAlarm), acted.At, 0)
			alarmed = true
			alarms++
		case <-deadline:
			d, err := s.Difference(panel)
			require.NoError(t, err)
			require.Fail(t, "the walk does not come to its end", "%v", d)
		}
	}
	require.GreaterOrEqual(t, dropped, 3, "the link broke in the walk")
	require.GreaterOrEqual(t, alarms, 3, "alarms came in the walk")
	t.Logf("%d drops, %d alarms on the way", dropped, alarms)
	s.Compare(screen, time.Minute)
	require.True(t, station.One[bool](s, "SELECT NOT EXISTS (SELECT FROM events WHERE kind = 'memory_gap' AND priority < 5)"), "nothing was lost")
}

func TestLinkHangs(t *testing.T) {
	t.Parallel()
	s, _, screen := open(t, station.Options{})
	backlog(s, "600")
	s.Eventually(30*time.Second, "the walk has begun", "SELECT count(*) > 50 FROM events WHERE raw IS NOT NULL")
	const hung = 5 * time.Second
	mark := screen.Mark()
	s.Sim.Act(1, "link/hang?ms=5000")
	acted := s.Sim.Act(1, "partitions/1/panic")
	s.Sim.Act(1, "burst?events=60")
	f := screen.Wait(mark, time.Minute, "the hold-up of while the link hung", panicAlarm)
	// A request that is never answered costs its timeout of 3 s; a second try and its pause may follow.
	onTime(t, f, acted.At, hung+5*time.Second)
	s.Compare(screen, time.Minute)
}

func TestGarbledFrames(t *testing.T) {
	t.Parallel()
	s, _, screen := open(t, station.Options{})
	backlog(s, "600")
	for n := range 3 {
		s.Eventually(30*time.Second, "the walk goes on", "SELECT count(*) > $1 FROM events WHERE raw IS NOT NULL", 60*(n+1))
		mark := screen.Mark()
		s.Sim.Act(1, "link/garble?ms=1500")
		acted := s.Sim.Act(1, "partitions/2/panic")
		f := screen.Wait(mark, time.Minute, "a hold-up of while frames were garbled", panicAlarm)
		onTime(t, f, acted.At, 1500*time.Millisecond+10*time.Second)
	}
	s.Compare(screen, time.Minute)
}

func TestLinkLostBecomesAnAlarmAndIsRestored(t *testing.T) {
	t.Parallel()
	s, _, screen := open(t, station.Options{})
	const grace = 4 * time.Second
	s.Exec("UPDATE panels SET link_grace = $1", grace)
	mark := screen.Mark()
	dropped := s.Sim.Act(1, "link/drop").At
	isLink := func(f station.Frame) bool { return f.Data.Alarm != nil && f.Data.Alarm.Kind == "link" }
	lost := screen.Wait(mark, time.Minute, "the lost link", isLink)
	require.Equal(t, wire.AlarmNew, lost.Type)
	require.Greater(t, lost.SeenAt.Sub(dropped), grace-time.Second, "not before its grace: signs of life may be a second old")
	// Signs of life are written every 5 s at the latest, and the watch looks each second.
	require.Less(t, lost.SeenAt.Sub(dropped), grace+3*time.Second)

	s.Sim.Act(1, "link/restore")
	restored := screen.Wait(mark, time.Minute, "the link is back", func(f station.Frame) bool {
		return isLink(f) && f.Data.Alarm.RestoredAt != nil
	})
	require.Equal(t, lost.Data.Alarm.ID, restored.Data.Alarm.ID)
	require.Equal(t, 1, restored.Data.Alarm.Ring)
	s.Compare(screen, 30*time.Second)
}
