package worker_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/command"
	"dozor/internal/live"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/testkit"
	"dozor/satel/sim"
)

// serve lets a panel answer at one more address.
func (s *station) serve(p *sim.Panel) (host string, port int) {
	s.t.Helper()
	server, err := sim.NewServer(sim.ServerConfig{Panels: []*sim.Panel{p}})
	require.NoError(s.t, err)
	require.NoError(s.t, server.Start(context.Background()))
	s.t.Cleanup(func() { require.NoError(s.t, server.Stop(context.Background())) })
	host, number, err := net.SplitHostPort(server.PanelAddr(1))
	require.NoError(s.t, err)
	port, err = strconv.Atoi(number)
	require.NoError(s.t, err)
	return host, port
}

func (s *station) edit(c site.PanelChange) {
	s.t.Helper()
	panel, err := s.sites.Panel(context.Background(), s.id)
	require.NoError(s.t, err)
	_, err = s.sites.EditPanel(context.Background(), access.Station("test"), s.id, panel.Version, c)
	require.NoError(s.t, err)
}

func (s *station) move(host string, port int) { s.edit(site.PanelChange{Host: &host, Port: &port}) }

// within is how soon an edit must be followed.
const within = 3 * time.Second

func (s *station) soon(what string, met func() bool) {
	s.t.Helper()
	require.Eventually(s.t, met, within, 10*time.Millisecond, what)
}

func holds(p *sim.Panel) bool {
	for _, c := range p.Connections() {
		if c.ClosedAt.IsZero() && !c.Busy {
			return true
		}
	}
	return false
}

func another(t *testing.T, seed uint64) *sim.Panel {
	t.Helper()
	p, err := sim.New(sim.Config{Code: code, Seed: seed, LogDelay: 50 * time.Millisecond, AnswerDelay: 2 * time.Millisecond, MinGap: time.Millisecond})
	require.NoError(t, err)
	return p
}

func TestAPanelThatMovedIsFollowedAndItsMemoryGoesOn(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	_, err := s.panel.Burst(30, sim.BurstMixed)
	require.NoError(t, err)
	s.eventually("all are stored", func() bool { return s.count("raw IS NOT NULL") == 30 })
	fence := testkit.One[int64](t, s.db, "SELECT fence FROM leases")

	s.move(s.serve(s.panel))
	s.soon("the link is up under a new fence", func() bool {
		return s.state().Link == live.LinkUp && testkit.One[bool](t, s.db, "SELECT fence > $1 FROM panel_states", fence)
	})
	_, err = s.panel.Violate(panicZone)
	require.NoError(t, err)
	s.eventually("the alarm arrives", func() bool { return s.count("raw IS NOT NULL") == 31 })
	s.eventually("every segment is closed", func() bool {
		return testkit.One[int](t, s.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'") == 0
	})
	require.Equal(t, 31, s.count("raw IS NOT NULL"), "nothing twice, nothing lost")
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT max(epoch) FROM panel_logs"), "it is the same memory")
}

// Another panel at the new address has a memory of its own; back at the old one, what was
// stored of it is known.
func TestAnotherPanelAtTheNewAddressIsFollowedAndNothingIsDoubled(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	_, err := s.panel.Burst(25, sim.BurstMixed)
	require.NoError(t, err)
	s.eventually("all are stored", func() bool { return s.count("raw IS NOT NULL") == 25 })
	oldHost, oldPort, err := net.SplitHostPort(s.sim.PanelAddr(1))
	require.NoError(t, err)
	backPort, err := strconv.Atoi(oldPort)
	require.NoError(t, err)

	other := another(t, 77)
	s.move(s.serve(other))
	s.soon("the other panel is held", func() bool { return holds(other) && !holds(s.panel) })
	s.eventually("its memory is followed", func() bool { return testkit.One[int](t, s.db, "SELECT epoch FROM panel_logs") > 1 })
	_, err = other.Violate(panicZone)
	require.NoError(t, err)
	s.eventually("its alarm arrives", func() bool {
		return s.count("raw IS NOT NULL AND zone = $1 AND NOT historic AND epoch > 1", panicZone) == 1
	})
	require.Equal(t, 25, s.count("raw IS NOT NULL AND epoch = 1"))
	require.Equal(t, 1, testkit.One[int](t, s.db, "SELECT count(*) FROM alarms WHERE kind = 'panic' AND NOT historic"))

	s.move(oldHost, backPort)
	s.soon("the first panel is held again", func() bool { return holds(s.panel) && !holds(other) })
	_, err = s.panel.Violate(smokeZone)
	require.NoError(t, err)
	s.eventually("its alarm arrives", func() bool { return s.count("raw IS NOT NULL AND kind = 'fire' AND NOT historic AND epoch > 1") == 1 })
	s.eventually("every segment is closed", func() bool {
		return testkit.One[int](t, s.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'") == 0
	})
	require.Equal(t, 27, s.count("raw IS NOT NULL"), "25 of the first, one of the other, one more of the first")
}

func TestADisabledPanelIsLeftAndTakenAgain(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	no, yes := false, true
	s.edit(site.PanelChange{Enabled: &no})
	s.soon("the session ends", func() bool { return !holds(s.panel) })
	s.soon("and the state says why", func() bool { return s.state().Link == live.LinkDown && s.state().LinkReason == "disabled" })
	s.edit(site.PanelChange{Enabled: &yes})
	s.eventually("it is held again", func() bool { return holds(s.panel) && s.state().Link == live.LinkUp })

	_, err := s.sites.RetirePanel(context.Background(), access.Station("test"), s.id, "Rozbiórka")
	require.NoError(t, err)
	s.soon("a retired one is left too", func() bool { return !holds(s.panel) })
}

// A command that the panel has not answered when its address is edited ends in a recorded
// result, and is not sent to the panel at the new one.
func TestACommandInFlightEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s := newStation(t, code)
	s.startWorker("w1")
	s.followed()
	s.panel.SetLink(sim.LinkHung, 0)
	id := s.order(command.Disarm, 60*time.Second)
	s.eventually("it is in flight", func() bool {
		return testkit.One[bool](t, s.db, "SELECT state = 'executing' FROM commands WHERE id = $1", id)
	})
	other := another(t, 5)
	s.move(s.serve(other))
	s.soon("the other panel is held", func() bool { return holds(other) })
	state, result := s.ended(id)
	require.Contains(t, []string{"unknown", "refused"}, state, result)
	require.Empty(t, other.Commands())
}

func TestANewCodeIsUsedWithoutANewConnection(t *testing.T) {
	t.Parallel()
	s := newStation(t, "9999")
	s.startWorker("w1")
	s.followed()
	connections := len(s.panel.Connections())
	right := secret.Redacted(code)
	s.edit(site.PanelChange{Code: &right})
	deadline := time.Now().Add(within)
	for {
		state, result := s.ended(s.order(command.Disarm, 15*time.Second))
		if state == "done" {
			break
		}
		require.Equal(t, "wrong_code", result)
		require.True(t, time.Now().Before(deadline), "the new code is used within %v", within)
	}
	require.Len(t, s.panel.Connections(), connections, "the panel was watched all the time")
}
