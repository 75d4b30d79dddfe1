package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var allReasons = []string{
	reasonBusyOwn, reasonBusyWorker, reasonBusyStranger, reasonKey, reasonNoAnswer, reasonClosed, reasonRefused, reasonUnreachable, reasonProtocol,
}

// Whatever fails in whatever order: a module is left alone for a second, is tried within ten
// seconds where the link may be back, and within the minute in any case.
func TestPausesBetweenAttemptsHoldTheirBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tried tries
		now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 60).Draw(t, "failures") {
			reason := rapid.SampledFrom(allReasons).Draw(t, "reason")
			was := tried.quarantined
			tried.failed(reason, now)
			require.True(t, tried.quarantined || !was, "it ends with a connection alone")
			pause := tried.pause(reason)
			require.GreaterOrEqual(t, pause, apart)
			require.LessOrEqual(t, pause, 75*time.Second)
			switch reason {
			case reasonBusyOwn, reasonBusyWorker:
				require.Equal(t, busyEvery, pause)
			case reasonRefused, reasonUnreachable:
				require.LessOrEqual(t, pause, 10*time.Second)
			case reasonBusyStranger:
				require.LessOrEqual(t, pause, 12*time.Second)
			case reasonKey:
				if tried.failures > 1 {
					require.GreaterOrEqual(t, pause, time.Minute)
				}
			default:
				require.LessOrEqual(t, pause, 70*time.Second)
			}
			now = now.Add(pause)
		}
	})
}

func TestAPanelThatHangsForMinutesIsInQuarantine(t *testing.T) {
	t.Parallel()
	var tried tries
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	now := began
	for !tried.quarantined {
		require.Less(t, now.Sub(began), 5*time.Minute)
		tried.failed(reasonNoAnswer, now)
		now = now.Add(tried.pause(reasonNoAnswer))
	}
	require.GreaterOrEqual(t, now.Sub(began), quarantineSilence)
	require.Greater(t, tried.pause(reasonNoAnswer), 20*time.Second, "each attempt takes its only place for a while")
}
