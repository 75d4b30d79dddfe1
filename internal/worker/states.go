package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// How often live state is written: one statement a worker, and a sign of life for what
// did not change.
const (
	flushStatesEvery = 500 * time.Millisecond
	touchEvery       = 5 * time.Second
	storeTimeout     = 3 * time.Second
)

// stateWriter gathers the state of all panels of a worker and writes it in batches. A
// value that could not be written is written with the next batch, or a newer one of
// the same panel in its place.
type stateWriter struct {
	states live.States
	log    *slog.Logger
	wake   func() // after a batch was written

	mu       sync.Mutex
	changed  map[ids.PanelID]live.PanelState
	answered map[ids.PanelID]live.Answered
}

func newStateWriter(states live.States, wake func(), log *slog.Logger) *stateWriter {
	return &stateWriter{
		states: states, log: log, wake: wake,
		changed: map[ids.PanelID]live.PanelState{}, answered: map[ids.PanelID]live.Answered{},
	}
}

// put takes a state to be written; it replaces an older one that still waits.
func (w *stateWriter) put(s live.PanelState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed[s.PanelID] = s
	delete(w.answered, s.PanelID)
}

// touch takes a sign of life.
func (w *stateWriter) touch(a live.Answered) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.changed[a.PanelID]; ok {
		s.AnsweredAt = a.AnsweredAt
		w.changed[a.PanelID] = s
		return
	}
	w.answered[a.PanelID] = a
}

// run writes until ctx ends, and once more then: the last state says that the link is
// no longer ours.
func (w *stateWriter) run(ctx context.Context) {
	flush, touch := time.NewTicker(flushStatesEvery), time.NewTicker(touchEvery)
	defer flush.Stop()
	defer touch.Stop()
	failing := false
	for {
		signs := false
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
			defer cancel()
			if err := w.write(last, true); err != nil {
				w.log.Warn("the last live state was not written", "err", err)
			}
			return
		case <-flush.C:
		case <-touch.C:
			signs = true
		}
		bounded, cancel := context.WithTimeout(ctx, storeTimeout)
		err := w.write(bounded, signs)
		cancel()
		if (err != nil) != failing && ctx.Err() == nil {
			failing = err != nil
			if failing {
				w.log.Warn("live state can't be written", "err", err)
			} else {
				w.log.Info("live state is written again")
			}
		}
	}
}

func (w *stateWriter) write(ctx context.Context, signs bool) error {
	w.mu.Lock()
	var changed []live.PanelState
	for _, s := range w.changed {
		changed = append(changed, s)
	}
	var answered []live.Answered
	if signs {
		for _, a := range w.answered {
			answered = append(answered, a)
		}
		clear(w.answered)
	}
	clear(w.changed)
	w.mu.Unlock()

	if len(changed) > 0 {
		if err := w.states.PutStates(ctx, changed); err != nil {
			w.giveBack(changed)
			return err
		}
		w.wake()
	}
	if len(answered) > 0 {
		return w.states.Touch(ctx, answered)
	}
	return nil
}

func (w *stateWriter) giveBack(states []live.PanelState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range states {
		if _, newer := w.changed[s.PanelID]; !newer {
			w.changed[s.PanelID] = s
		}
	}
}
