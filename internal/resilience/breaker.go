package resilience

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// The rule of every breaker, as the customer's specification sets it.
const (
	failuresToOpen = 3
	openFor        = 30 * time.Second
	// A failure long ago says nothing of now: those that open it lie this close together.
	failuresWithin = 10 * time.Second
	// canaryTimeout bounds one question to a part that may be hung.
	canaryTimeout = 2 * time.Second
	// lookEvery is how often an open breaker looks whether it is time for a canary.
	lookEvery = time.Second
)

// State of a breaker, in a stable word.
type State string

// The states. Half-open is the moment of the canary.
const (
	Closed   State = "closed"
	HalfOpen State = "half_open"
	Open     State = "open"
)

// Status is what an administrator sees of a breaker.
type Status struct {
	Name  string
	State State
	// Since is when the part was put aside, or used again.
	Since time.Time
	// LastError is of the last failure, whatever came after it; empty when there was none.
	LastError string
	// Opened counts how often it opened since the process began.
	Opened int64
}

// Breaker stands before one part. Its methods are safe for concurrent use.
type Breaker struct {
	name    string
	log     *slog.Logger
	breaker circuitbreaker.CircuitBreaker[any]
	opened  chan struct{} // capacity 1

	mu      sync.Mutex
	status  Status
	changed func(Status)
}

// Option changes a breaker.
type Option func(*options)

type options struct {
	delay   time.Duration
	changed func(Status)
}

// WithDelay sets how long it stays open before a canary asks; 30 s otherwise.
func WithDelay(d time.Duration) Option { return func(o *options) { o.delay = d } }

// OnChange is called with each change of state, from the goroutine that caused it: it must
// not block.
func OnChange(f func(Status)) Option { return func(o *options) { o.changed = f } }

// New makes a closed breaker. Each change of state is logged once.
func New(name string, log *slog.Logger, opts ...Option) *Breaker {
	o := options{delay: openFor, changed: func(Status) {}}
	for _, opt := range opts {
		opt(&o)
	}
	b := &Breaker{
		name: name, log: log.With("component", "breaker", "part", name), opened: make(chan struct{}, 1),
		status: Status{Name: name, State: Closed, Since: time.Now()}, changed: o.changed,
	}
	b.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThresholdPeriod(failuresToOpen, failuresWithin).
		WithSuccessThreshold(1).
		WithDelay(o.delay).
		OnStateChanged(b.turned).
		Build()
	return b
}

// Closed says whether the part is to be used.
func (b *Breaker) Closed() bool { return b.breaker.IsClosed() }

// Succeeded tells that the part did what it was asked.
func (b *Breaker) Succeeded() {
	if b.breaker.IsClosed() {
		b.breaker.RecordSuccess()
	}
}

// Failed tells that it did not, or not in time. What fails while the breaker is open was
// asked before and says nothing new.
func (b *Breaker) Failed(err error) {
	b.note(err)
	if b.breaker.IsClosed() {
		b.breaker.RecordFailure()
	}
}

// Status returns the state for people.
func (b *Breaker) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// Run asks by canary while the breaker is open, until ctx ends. The canary must use the
// part as real work would, without any effect that counts.
func (b *Breaker) Run(ctx context.Context, canary func(context.Context) error) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.opened:
		case <-ticker.C:
		}
		if b.breaker.IsClosed() || !b.breaker.TryAcquirePermit() {
			continue
		}
		err := b.ask(ctx, canary)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			b.note(err)
			b.breaker.RecordFailure()
			continue
		}
		b.breaker.RecordSuccess()
	}
}

func (b *Breaker) ask(ctx context.Context, canary func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	if err := canary(ctx); err != nil {
		return fmt.Errorf("ask %s by a canary: %w", b.name, err)
	}
	return nil
}

func (b *Breaker) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.LastError = err.Error()
}

func (b *Breaker) turned(e circuitbreaker.StateChangedEvent) {
	state := words[e.NewState]
	b.mu.Lock()
	was := b.status.State
	b.status.State = state
	if state == Closed || was == Closed {
		b.status.Since = time.Now() // a canary that did not come back changes nothing
	}
	if state == Open && was == Closed {
		b.status.Opened++
	}
	now := b.status
	b.mu.Unlock()
	switch {
	case state == Open && was == Closed:
		b.log.Warn("a part is put aside; the station goes on without it", "err", now.LastError)
		select {
		case b.opened <- struct{}{}:
		default:
		}
	case state == Closed:
		b.log.Info("a part is used again")
	}
	b.changed(now)
}

var words = map[circuitbreaker.State]State{
	circuitbreaker.ClosedState: Closed, circuitbreaker.HalfOpenState: HalfOpen, circuitbreaker.OpenState: Open,
}
