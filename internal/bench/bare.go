package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/satel"
	"dozor/satel/client"
)

// BareOptions say whom Bare asks, and how often.
type BareOptions struct {
	PollInterval time.Duration `required:"" help:"The time between two questions to a panel."`
	MinGap       time.Duration `required:"" help:"The time that a panel wants between answer and question."`
	Address      []string      `arg:"" help:"Where the panels are."`
}

// Bare holds panels with the protocol's client alone and asks each for news, until ctx
// ends: what no program that polls can do without. Panels measures it beside a worker.
func Bare(ctx context.Context, o BareOptions) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, address := range o.Address {
		group.Go(func() error { return o.poll(ctx, address) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (o BareOptions) poll(ctx context.Context, address string) error {
	conn, err := client.Dial(ctx, client.Config{Address: address, MinGap: o.MinGap})
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(o.PollInterval)
	defer tick.Stop()
	for {
		if _, err := conn.NewData(ctx, satel.NewDataShort); err != nil {
			return fmt.Errorf("ask %s for news: %w", address, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// pollBare measures Bare in a process of its own, in microseconds of CPU time for a panel
// and a second.
func (r *panelsRun) pollBare(ctx context.Context, addresses []address) (float64, error) {
	args := []string{"bench-bare", "--poll-interval=" + r.o.PollInterval.String(), "--min-gap=" + r.o.MinGap.String()}
	for _, at := range addresses {
		args = append(args, fmt.Sprintf("%s:%d", at.host, at.port))
	}
	c, err := startChild(r.binary, "bare", r.dir, nil, args...)
	if err != nil {
		return 0, err
	}
	r.children = append(r.children, c)
	last := target{number: len(addresses)}
	err = until(ctx, c, readyLimit, "the panels to be polled", func(ctx context.Context) error {
		n, err := r.sim.asked(ctx, last.number, satel.CmdNewData)
		if err == nil && n == 0 {
			err = errors.New("the last one was not asked yet")
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	lasting := min(bareFor, r.o.Duration)
	r.log.Info("polling the panels without dozor", "for", lasting)
	used, err := startMeters(c.meter())
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := pause(ctx, lasting); err != nil {
		return 0, errors.Join(err, c.ended())
	}
	elapsed := time.Since(begun)
	processes, err := used.stop()
	if err != nil {
		return 0, err
	}
	if err := r.stop(ctx, c); err != nil {
		return 0, err
	}
	return round(1e6*processes[0].CPU/elapsed.Seconds()/float64(len(addresses)), 1), nil
}
