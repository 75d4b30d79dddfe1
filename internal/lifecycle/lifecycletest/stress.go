// Package lifecycletest checks that a service keeps the contract of lifecycle.Service.
// Tests only. It imports the standard library and testify.
package lifecycletest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// endTime is far more than any service needs to end in a test.
const endTime = 10 * time.Second

// Stress runs services made by fresh, each to its end: with a context that is over
// already, and with one that ends after every one of the pauses given, counted from the
// start. Each must return nil or the context's error, soon.
func Stress(t *testing.T, fresh func(t *testing.T) func(ctx context.Context) error, pauses ...time.Duration) {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	ends(over, t, fresh(t))
	for _, pause := range append([]time.Duration{0, time.Microsecond, 100 * time.Microsecond, time.Millisecond}, pauses...) {
		ctx, cancel := context.WithTimeout(t.Context(), pause)
		ends(ctx, t, fresh(t))
		cancel()
	}
}

func ends(ctx context.Context, t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- run(ctx) }()
	select {
	case err := <-result:
		require.Error(t, ctx.Err(), "it ended by itself: %v", err)
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			require.NoError(t, err)
		}
	case <-time.After(endTime):
		require.FailNow(t, "it did not end", "%v after its context was to end", endTime)
	}
}
