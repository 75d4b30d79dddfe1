package lifecycle

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// InterruptedError is the cause of a context that a signal ended.
type InterruptedError struct{ Signal os.Signal }

func (i InterruptedError) Error() string { return "stopped by signal: " + i.Signal.String() }

// UntilSignal returns a context that ends with the first SIGINT or SIGTERM. The second
// one calls exit with the shell's code for it, at once: whoever presses twice means it.
// Call stop when done.
func UntilSignal(parent context.Context, exit func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	over, ended := make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			case s := <-signals:
				if n > 0 {
					fmt.Fprintln(os.Stderr, "dozor: second signal: leaving at once")
					exit(exitCode(s))
					return
				}
				cancel(InterruptedError{s})
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(over)
		<-ended
		cancel(nil)
	}
}

func exitCode(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 1
}
