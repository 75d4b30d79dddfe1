package app

import (
	"context"
	"fmt"
	"time"

	"dozor/internal/httpapi"
	"dozor/internal/stream"
	"dozor/internal/timer"
)

// How often things are done, and how long they are kept.
const (
	sweepEvery      = time.Second
	timersEvery     = 500 * time.Millisecond
	sessionsEvery   = 2 * time.Second // a screen whose session ran out is told, its alarms are put back
	lettersEvery    = time.Second
	watchEvery      = time.Second // over links, panels and the station itself
	wordsEvery      = time.Second
	retentionEvery  = time.Hour
	outboxKept      = 7 * 24 * time.Hour
	partitionsAhead = 6 // months of events that have their table before they begin
	feedEvery       = 500 * time.Millisecond
)

// every runs a job at once and then at its interval, until ctx ends.
func (c *core) every(interval time.Duration, name string, job func(context.Context) error) func(context.Context) error {
	return c.onWake(nil, interval, name, job)
}

// onWake is every that also runs when woken. A failure is logged once until it is over.
func (c *core) onWake(wake <-chan struct{}, interval time.Duration, name string, job func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		failing := false
		for {
			err := job(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if (err != nil) != failing {
				failing = err != nil
				if failing {
					c.log.Warn("a job can't be done", "job", name, "err", err)
				} else {
					c.log.Info("a job is done again", "job", name)
				}
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			case <-wake:
			}
		}
	}
}

// runTimers does what is due, and says so to the relays.
func (c *core) runTimers(effects map[timer.Kind]timer.Effect) func(context.Context) error {
	runner := timer.NewRunner(c.pool, effects)
	return c.every(timersEvery, "timers", func(ctx context.Context) error {
		ran, err := runner.Round(ctx)
		if ran > 0 {
			c.notified()
		}
		return err
	})
}

// housekeep makes the partitions that will be needed and removes what has ended.
func (c *core) housekeep(ctx context.Context, eventsKept int) error {
	if _, err := c.pool.Exec(ctx, "SELECT dozor_ensure_event_partitions($1)", partitionsAhead); err != nil {
		return fmt.Errorf("make partitions of events: %w", err)
	}
	if eventsKept > 0 {
		var dropped int
		err := c.pool.QueryRow(ctx, "SELECT dozor_drop_event_partitions(dozor_now() - make_interval(months => $1))", eventsKept).Scan(&dropped)
		if err != nil {
			return fmt.Errorf("drop old partitions of events: %w", err)
		}
		if dropped > 0 {
			c.log.Info("old events were dropped", "partitions", dropped, "months_kept", eventsKept)
		}
	}
	if err := httpapi.PurgeIdempotencyKeys(ctx, c.pool); err != nil {
		return err
	}
	return c.auth.Purge(ctx)
}

// feedStates brings the live state of panels to the streams of this instance.
func (c *core) feedStates(hub *stream.Hub) func(context.Context) error {
	wake, stop := c.hints.Subscribe(channelStates)
	feed := c.onWake(wake, feedEvery, "states", func(ctx context.Context) error {
		states, err := c.live.States(ctx)
		if err != nil {
			return err
		}
		hub.PublishState(states)
		return nil
	})
	return func(ctx context.Context) error { defer stop(); return feed(ctx) }
}
