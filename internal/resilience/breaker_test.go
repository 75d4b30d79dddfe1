package resilience_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/resilience"
)

var errBroken = errors.New("broken")

func TestThreeFailuresOpenItAndACanaryClosesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var seen []resilience.State
		b := resilience.New("broker", slog.New(slog.DiscardHandler), resilience.OnChange(func(s resilience.Status) { seen = append(seen, s.State) }))
		var recovered atomic.Bool
		var asked atomic.Int32
		ended := make(chan error)
		go func() {
			ended <- b.Run(ctx, func(context.Context) error {
				asked.Add(1)
				if recovered.Load() {
					return nil
				}
				return errBroken
			})
		}()
		b.Failed(errBroken)
		b.Failed(errBroken)
		require.True(t, b.Closed(), "two are not enough")
		b.Failed(errBroken)
		require.False(t, b.Closed())
		require.Equal(t, "broken", b.Status().LastError)
		aside := b.Status().Since

		<-time.After(29 * time.Second)
		synctest.Wait()
		require.Zero(t, asked.Load(), "it was left alone")
		<-time.After(3 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, asked.Load())
		require.False(t, b.Closed(), "the canary did not come back")
		require.Equal(t, aside, b.Status().Since, "it has been aside all the time")

		recovered.Store(true)
		<-time.After(32 * time.Second)
		synctest.Wait()
		require.True(t, b.Closed())
		require.EqualValues(t, 2, asked.Load())
		require.Equal(t, []resilience.State{resilience.Open, resilience.HalfOpen, resilience.Open, resilience.HalfOpen, resilience.Closed}, seen)
		require.EqualValues(t, 1, b.Status().Opened)
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestOldFailuresDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := resilience.New("broker", slog.New(slog.DiscardHandler))
		for range 5 {
			b.Failed(errBroken)
			b.Failed(errBroken)
			<-time.After(15 * time.Second)
		}
		require.True(t, b.Closed())
	})
}

func TestAHungCanaryIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := resilience.New("broker", slog.New(slog.DiscardHandler), resilience.WithDelay(time.Second))
		ended := make(chan error)
		go func() {
			ended <- b.Run(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		for range 3 {
			b.Failed(errBroken)
		}
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.False(t, b.Closed())
		require.Contains(t, b.Status().LastError, "canary")
		cancel()
		require.NoError(t, <-ended)
	})
}
