package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

type told struct{ Said string }

func (r *told) Print(w io.Writer, _ bool) error {
	_, err := fmt.Fprintln(w, "alone:", r.Said)
	return err
}

func measureTold(t *testing.T, which Adapters, failing Adapters, with error) (*Runs[*told], error) {
	runs := &Runs[*told]{headings: []string{"said"}, cells: func(r *told) []any { return []any{r.Said} }}
	err := measureEach(t.Context(), which, runs, func(_ context.Context, a Adapters) (*told, error) {
		if a == failing {
			return &told{string(a)}, with
		}
		return &told{string(a)}, nil
	})
	return runs, err
}

func show(t *testing.T, runs *Runs[*told], asJSON bool) string {
	var b bytes.Buffer
	require.NoError(t, runs.Print(&b, asJSON))
	return b.String()
}

func TestAllCombinationsAreOneTable(t *testing.T) {
	t.Parallel()
	runs, err := measureTold(t, AllAdapters, "", nil)
	require.NoError(t, err)
	require.Equal(t, "adapters   said\npg         pg\namqp       amqp\nredis      redis\nboth       both\n", show(t, runs, false))
	require.JSONEq(t, `{"runs":[{"adapters":"pg","report":{"Said":"pg"}},{"adapters":"amqp","report":{"Said":"amqp"}},`+
		`{"adapters":"redis","report":{"Said":"redis"}},{"adapters":"both","report":{"Said":"both"}}]}`, show(t, runs, true))

	runs, err = measureTold(t, WithRedis, "", nil)
	require.NoError(t, err)
	require.Equal(t, "alone: redis\n", show(t, runs, false))
}

func TestAnInexactRunDoesNotEndTheOthers(t *testing.T) {
	t.Parallel()
	runs, err := measureTold(t, AllAdapters, WithRabbit, exact(1, 0))
	require.ErrorIs(t, err, ErrInexact)
	require.ErrorContains(t, err, "with amqp")
	require.Len(t, runs.Runs, 4)

	runs, err = measureTold(t, AllAdapters, WithRabbit, errors.New("no broker"))
	require.ErrorContains(t, err, "with amqp: no broker")
	require.Len(t, runs.Runs, 1, "what was measured before is kept")
}

func TestCPUCountsWhatServes(t *testing.T) {
	t.Parallel()
	total, dozor := cpuPerEvent([]ProcessUse{
		{Name: "postgres", CPU: 3}, {Name: "rabbitmq", CPU: 1}, {Name: "dozor", CPU: 2}, {Name: "sim", CPU: 9}, {Name: "bench", CPU: 9},
	}, 2000)
	require.InDelta(t, 3.0, total, 1e-9)
	require.InDelta(t, 1.0, dozor, 1e-9)
}
