package main

import (
	"context"
	"errors"
	"log/slog"

	"dozor/internal/bench"
	"dozor/internal/obs"
)

type benchAlarmCommand struct {
	bench.AlarmOptions `embed:""`
}

func (c *benchAlarmCommand) Run(ctx context.Context, s streams) error {
	c.Logger = obs.NewLogger(s.err, obs.Text, slog.LevelInfo)
	report, err := bench.Alarms(ctx, c.AlarmOptions)
	return measured(err, func() error { return report.Print(s.out, c.JSON) })
}

type benchIngestCommand struct {
	bench.IngestOptions `embed:""`
}

func (c *benchIngestCommand) Run(ctx context.Context, s streams) error {
	c.Logger = obs.NewLogger(s.err, obs.Text, slog.LevelInfo)
	report, err := bench.Ingests(ctx, c.IngestOptions)
	return measured(err, func() error { return report.Print(s.out, c.JSON) })
}

// measured prints what was measured, also where it shows that something was lost.
func measured(err error, show func() error) error {
	if err != nil && !errors.Is(err, bench.ErrInexact) {
		return err
	}
	return errors.Join(err, show())
}

type benchScreenCommand struct {
	bench.ScreenOptions `embed:""`
}

func (c *benchScreenCommand) Run(ctx context.Context, s streams) error {
	c.Logger = obs.NewLogger(s.err, obs.Text, slog.LevelInfo)
	report, err := bench.Screen(ctx, c.ScreenOptions)
	return measured(err, func() error { return report.Print(s.out, c.JSON) })
}

type benchPushCommand struct {
	bench.PushOptions `embed:""`
}

func (c *benchPushCommand) Run(ctx context.Context, s streams) error {
	c.Logger = obs.NewLogger(s.err, obs.Text, slog.LevelInfo)
	report, err := bench.Push(ctx, c.PushOptions)
	return measured(err, func() error { return report.Print(s.out, c.JSON) })
}

type benchPanelsCommand struct {
	bench.PanelsOptions `embed:""`
}

func (c *benchPanelsCommand) Run(ctx context.Context, s streams) error {
	c.Logger = obs.NewLogger(s.err, obs.Text, slog.LevelInfo)
	report, err := bench.Panels(ctx, c.PanelsOptions)
	return measured(err, func() error { return report.Print(s.out, c.JSON) })
}

type benchBareCommand struct {
	bench.BareOptions `embed:""`
}

func (c *benchBareCommand) Run(ctx context.Context) error { return bench.Bare(ctx, c.BareOptions) }
