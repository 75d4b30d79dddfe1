package kill

import (
	"testing"
	"time"

	"dozor/test/station"
)

func TestMain(m *testing.M) { station.Main(m) }

// quick are settings of simulated panels that answer fast, so that much happens between two kills.
var quick = []string{"--answer-delay=2ms", "--min-gap=1ms", "--log-delay=100ms"}

// panels of each station.
const panels = 3

// killTime bounds the wait for a moment to come: a lease that a dead worker left takes 10 s of it.
const killTime = 90 * time.Second
