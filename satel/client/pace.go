package client

import (
	"context"
	"time"
)

const (
	// gapShrink is the part of the way to its floor that the gap goes with each answer.
	gapShrink = 8
	// gapRaise is what a lost answer does to the gap's floor, in halves.
	gapRaise = 3
	// floorTrial is the number of answers in a row after which a raised floor is lowered by a tenth.
	floorTrial = 2000
)

// pace is the time to leave between an answer and the next request.
type pace struct {
	min, start time.Duration
	floor      time.Duration
	learned    time.Duration // the floor when something was last answered
	gap        time.Duration
	answers    int // since the last loss or lowering of the floor
}

func newPace(minimum, start, floor time.Duration) pace {
	floor = min(start, max(minimum, floor))
	return pace{min: minimum, start: start, floor: floor, learned: floor, gap: start}
}

func (p *pace) answered() {
	p.answers++
	if p.answers >= floorTrial && p.floor > p.min {
		p.answers = 0
		p.floor = max(p.min, p.floor*9/10)
	}
	p.learned = p.floor
	step := (p.gap - p.floor) / gapShrink
	if step < time.Millisecond {
		step = time.Millisecond
	}
	p.gap = max(p.floor, p.gap-step)
}

func (p *pace) lost() {
	p.answers = 0
	p.floor = min(p.start, max(p.floor, p.gap*gapRaise/2))
	p.gap = max(p.start, p.gap)
}

const (
	// coarse is what a timer of an otherwise idle process is late at most.
	coarse = 1200 * time.Microsecond
	// fine is the longest time slept in the kernel: it keeps a processor of the runtime from other work.
	fine = 600 * time.Microsecond
)

// exact admits one exact sleeper at a time in the whole process. When many connections wait, the process is not idle and
// its timers are exact enough.
var exact = make(chan struct{}, 1)

// sleepUntil returns at the given time, or earlier with an error when ctx or the connection ends.
func (c *Conn) sleepUntil(ctx context.Context, at time.Time) error {
	if err := c.sleep(ctx, time.Until(at)-coarse); err != nil {
		return err
	}
	rest := time.Until(at)
	if rest <= fine {
		select {
		case exact <- struct{}{}:
			sleepExactly(rest)
			<-exact
			return nil
		default:
		}
	}
	return c.sleep(ctx, rest)
}

func (c *Conn) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := c.startTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done:
		return c.Err()
	}
}

// startTimer returns the connection's one timer, which the holder of the slot uses for one wait after the other: many
// connections make many waits.
func (c *Conn) startTimer(d time.Duration) *time.Timer {
	if c.timer == nil {
		c.timer = time.NewTimer(d)
	} else {
		c.timer.Reset(d)
	}
	return c.timer
}
