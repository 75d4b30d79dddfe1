package ingest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/testkit"
)

func TestTheRecordJoinsItsInferenceSilently(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.process(t, s.inferred(t, codePanic, 2, s.now))
	require.True(t, s.frames(t)[0].Events[0].Provisional)
	s.send(t, signal{code: codePanic, source: 2, at: s.now.Add(30 * time.Second)})
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.Equal(t, 1, a[0].Ring, "the record is the same happening")
	require.Equal(t, 2, a[0].Count)

	s.send(t, signal{code: codePanic, source: 2, at: s.now.Add(31 * time.Second)})
	require.Equal(t, 2, s.alarms(t)[0].Ring, "a second record rings")
	s.check(t)
}

func TestTheInferenceJoinsItsRecordSilently(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.send(t, signal{code: codePanic, source: 2, at: s.now})
	s.process(t, s.inferred(t, codePanic, 2, s.now.Add(time.Second)))
	require.Equal(t, 1, s.alarms(t)[0].Ring)
	s.process(t, s.inferred(t, codePanic, 2, s.now.Add(2*time.Second)))
	require.Equal(t, 2, s.alarms(t)[0].Ring, "a second inference has no record to explain it")
	require.Equal(t, 1, testkit.One[int](t, s.Database, "SELECT count(*)::int FROM provisional_matches WHERE provisional_id IS NOT NULL AND record_id IS NOT NULL"))
	s.check(t)
}

func TestBothInOneBatch(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.process(t, s.message(t, signal{code: codeFire, source: 30, at: s.now.Add(time.Second)}), s.inferred(t, codeFire, 30, s.now))
	a := s.alarms(t)
	require.Len(t, a, 1)
	require.Equal(t, 1, a[0].Ring)
	require.Equal(t, 2, a[0].Count)
	s.check(t)
}

func TestARecordPastTheTimeRings(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.process(t, s.inferred(t, codePanic, 2, s.now))
	s.send(t, signal{code: codePanic, source: 2, at: s.now.Add(121 * time.Second)})
	require.Equal(t, 2, s.alarms(t)[0].Ring)
}

func TestOnlyTheInferredZonesRecordExplainsIt(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.process(t, s.inferred(t, codePanic, 2, s.now))
	s.send(t, signal{code: codePanic, source: 3, at: s.now.Add(time.Second)})
	require.Equal(t, 2, s.alarms(t)[0].Ring)
	s.send(t, signal{code: codePanic, source: 2, restore: true, at: s.now.Add(2 * time.Second)})
	s.send(t, signal{code: codePanic, source: 2, at: s.now.Add(3 * time.Second)})
	require.Equal(t, 2, s.alarms(t)[0].Ring, "an end does not explain an alarm, the record after it does")
	s.check(t)
}

// The code of an inference is a guess by the zone's reaction.
func TestARecordThatSaysMoreThanTheGuessRings(t *testing.T) {
	t.Parallel()
	s := newStation(t, 1)
	s.process(t, s.inferred(t, codeBurglary, 5, s.now))
	s.send(t, signal{code: codeFire, source: 5, at: s.now.Add(time.Second)})
	a := s.alarms(t)
	require.Len(t, a, 2, "a fire is not hidden in a burglary")
	require.Equal(t, "fire", a[1].Kind)
	s.send(t, signal{code: codeBurglary, source: 5, at: s.now.Add(2 * time.Second)})
	require.Equal(t, 2, s.alarms(t)[0].Count, "the inference was taken by the fire: this counts on its own")

	s.process(t, s.inferred(t, 0, 7, s.now.Add(3*time.Second)))
	s.send(t, signal{code: codeBurglary, source: 7, at: s.now.Add(4 * time.Second)})
	a = s.alarms(t)
	require.Len(t, a, 3)
	require.Equal(t, "unknown", a[2].Kind)
	require.Equal(t, 2, a[2].Count, "a record that says no more than was known joins what nobody could name")
	require.Equal(t, 1, a[2].Ring)
	s.check(t)
}
