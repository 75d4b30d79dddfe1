package station

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
)

// Dice returns the random numbers of a test, from the seed of this run.
func Dice(t testing.TB) *rand.Rand {
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

// AtMoment is a point, one of its first hits, and what happens then, as an order to fail.
func AtMoment(r *rand.Rand, point, action string) string {
	return fmt.Sprintf("%s=%d:%s", point, 1+r.IntN(hits[point]), action)
}

// RoleOf is the role that comes to a point.
func RoleOf(point string) string {
	switch prefix, _, _ := strings.Cut(point, "."); prefix {
	case "ingest":
		return "api"
	case "relay":
		return "relay"
	default:
		return "worker"
	}
}

// Moments returns the points of a role in random order, of all roles when it is empty.
func Moments(r *rand.Rand, role string) []string {
	var points []string
	for _, p := range failpoint.Points {
		if role == "" || RoleOf(p) == role {
			points = append(points, p)
		}
	}
	r.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points
}
