package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/failpoint"
	"dozor/test/station"
)

func TestMain(m *testing.M) { station.Main(m) }

// quick are settings of simulated panels that answer fast, so that much happens between two kills.
var quick = []string{"--answer-delay=2ms", "--min-gap=1ms", "--log-delay=100ms"}

// panels of each station.
const panels = 3

// dice returns the random numbers of a test, from the seed of this run.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("DOZOR_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "DOZOR_SEED")
	}
	t.Logf("play it again with DOZOR_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, uint64(len(t.Name()))))
}

// hits is at which of the hits of a point something is killed, from 1 to this. A walk hits its point with each record, a
// cursor moves a few times a second, commands come one by one.
var hits = map[string]int{
	failpoint.WorkerSegmentOpened: 15,
	failpoint.WorkerAfterPublish:  60,
	failpoint.WorkerMidWalk:       60,
	failpoint.WorkerBeforeCursor:  15,
	failpoint.IngestBeforeCommit:  15,
	failpoint.IngestAfterCommit:   15,
	failpoint.IngestBeforeAck:     15,
	failpoint.RelayAfterStamp:     15,
	failpoint.RelayAfterPublish:   15,
	failpoint.CommandClaimed:      4,
	failpoint.CommandWritten:      4,
}

// order is a moment and what happens then.
func order(r *rand.Rand, point, action string) string {
	return fmt.Sprintf("%s=%d:%s", point, 1+r.IntN(hits[point]), action)
}

// roleOf is the role that comes to a point.
func roleOf(point string) string {
	switch prefix, _, _ := strings.Cut(point, "."); prefix {
	case "ingest":
		return "api"
	case "relay":
		return "relay"
	default:
		return "worker"
	}
}

// shuffled returns the points of a role, of all roles when it is empty.
func shuffled(r *rand.Rand, role string) []string {
	var points []string
	for _, p := range failpoint.Points {
		if role == "" || roleOf(p) == role {
			points = append(points, p)
		}
	}
	r.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points
}

// killTime bounds the wait for a moment to come: a lease that a dead worker left takes 10 s of it.
const killTime = 90 * time.Second
