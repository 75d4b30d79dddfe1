package storm

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

func TestMain(m *testing.M) { station.Main(m) }

// size reads how large a run is: small where a change is judged, large in scripts/soak.
func size(t testing.TB, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// A small memory comes round in a storm, and can be read again within the time of a test.
const smallMemory = "INTEGRA 24"

func TestAStormOverManyPanels(t *testing.T) {
	panels, lasts := size(t, "DOZOR_PANELS", 8), time.Duration(size(t, "DOZOR_STORM", 25))*time.Second
	for _, key := range []string{"", "klucz-burzy"} {
		t.Run(fmt.Sprintf("key %q", key), func(t *testing.T) {
			t.Parallel()
			r := station.Dice(t)
			s := station.New(t, station.Options{
				Panels: panels, Key: key,
				Sim: []string{"--model=" + smallMemory, "--answer-delay=2ms", "--min-gap=1ms", "--log-delay=50ms"},
			})
			core := s.Instance("core", "api,relay")
			all := []*station.Instance{core, s.Instance("worker-1", "worker"), s.Instance("worker-2", "worker")}
			for _, i := range all {
				i.Start("")
			}
			for _, i := range all {
				i.Ready(time.Minute)
			}
			desk := s.Desk(core)
			screen := desk.Screen()
			s.AddPanels(panels)
			s.Connected(time.Minute)

			town := s.Live(desk, r)
			seed := r.Uint64()
			t.Logf("the storm's seed is %d", seed)
			s.Sim.StartStorm(seed, lasts)
			require.Eventually(t, func() bool { return !s.Sim.Storm().Running }, lasts+time.Minute, 200*time.Millisecond, "the storm ends")
			town.Rest()
			storm := s.Sim.Storm()
			require.Len(t, storm.Strikes, storm.Struck)
			struck := map[string]int{}
			for _, strike := range storm.Strikes {
				struck[strike.Kind]++
				if strike.Kind == "wrap" {
					s.Wrapped(strike.Panel)
				}
			}
			t.Logf("%d strikes: %v", storm.Struck, struck)
			s.Connected(2 * time.Minute)
			s.Compare(screen, 5*time.Minute)
		})
	}
}
