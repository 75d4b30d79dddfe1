package demo_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/internal/demo"
	"dozor/satel/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEverySiteIsOneThatAnInstallerCouldSet(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	encrypted := 0
	for _, s := range demo.Sites(500) {
		if s.Key != "" {
			encrypted++
		}
		require.False(t, names[s.Name], "two sites are called %s", s.Name)
		names[s.Name] = true
		panel, err := sim.New(sim.Config{Site: &s.Panel, Encrypted: s.Key != "", Key: s.Key})
		require.NoError(t, err, s.Name)
		for _, zone := range append(s.Raises, s.Panic) {
			if zone == 0 {
				continue
			}
			_, err := panel.Violate(zone)
			require.NoError(t, err, "zone %d of %s", zone, s.Name)
		}
		require.NotEmpty(t, s.Contacts, "somebody is called about %s", s.Name)
		for _, c := range s.Contacts {
			require.NotEmpty(t, c.Phones, c.Name)
			for _, p := range c.Phones {
				require.Regexp(t, `^\+48 (500 000 \d{3}|\d{2} 000 \d{2} \d{2})$`, p.Number, "a number that does not look invented")
			}
		}
		require.Greater(t, len(s.Panel.Users), 1, "somebody besides the station lives or works at %s", s.Name)
	}
	require.Equal(t, 100, encrypted, "one of five speaks encrypted, beside the others")
}

func TestTheScenarioShowsAnAlarmSoonAndEnds(t *testing.T) {
	t.Parallel()
	sites := demo.Sites(2)
	var panels []*sim.Panel
	for i := range sites {
		panel, err := sim.New(sim.Config{Site: &sites[i].Panel})
		require.NoError(t, err)
		panels = append(panels, panel)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Scenario{Sites: sites, Panels: panels, Logger: slog.New(slog.DiscardHandler), Seed: 1}.Run(ctx)
	}()
	require.Eventually(t, func() bool {
		for _, z := range panels[0].State().Zones {
			if z.AlarmMemory {
				return true
			}
		}
		return false
	}, 10*time.Second, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}
