package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

const (
	// stableAfter is how long a service must have run for its next failure to count
	// as the first: only then has a restart helped.
	stableAfter = time.Minute
	// remindEvery is how often a service that keeps failing is said again, in
	// attempts; each line would fill the disk and hide the rest.
	remindEvery = 10
)

// PanicError is what a service's panic becomes.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Guard makes an error of a panic, for the root of a goroutine whose owner lives on.
func Guard(run func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = &PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		return run(ctx)
	}
}

// keep runs a service again and again until its context ends, it is done, or it is
// essential and failed.
func (g *Group) keep(ctx context.Context, s Service) error {
	log := g.log.With("component", s.Name)
	run := Guard(s.Run)
	attempt := 0
	for {
		began := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			// What a service says once it was told to end is only news when it is
			// more than the echo of that.
			if err != nil && !errors.Is(err, context.Canceled) {
				log.Warn("ended with an error", "err", err)
			}
			return nil
		}
		if p, ok := errors.AsType[*PanicError](err); ok {
			log.Error("panic", "err", err, "stack", string(p.Stack))
		}
		if err == nil || s.Essential {
			return err
		}
		if time.Since(began) >= stableAfter {
			attempt = 0
		}
		attempt++
		if attempt == 1 {
			log.Warn("failed: starting it again", "attempt", attempt, "err", err)
		} else if attempt%remindEvery == 0 {
			log.Error("keeps failing", "attempt", attempt, "err", err)
		}
		select {
		case <-time.After(Backoff(attempt, g.opts.FirstPause, g.opts.LongestPause)):
		case <-ctx.Done():
			return nil
		}
		g.opts.Restarted(s.Name)
	}
}

// Backoff is the pause before attempt n + 1, n counted from 1: it doubles from first up
// to longest, of which between half and all is taken, so that many who lost the same
// thing don't come back together.
func Backoff(n int, first, longest time.Duration) time.Duration {
	pause := longest
	if shift := n - 1; shift < 32 && first<<shift > 0 && first<<shift < longest {
		pause = first << max(shift, 0)
	}
	return pause/2 + rand.N(pause/2+1)
}
