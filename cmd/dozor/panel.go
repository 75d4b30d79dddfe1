package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"dozor/internal/config"
	"dozor/internal/event"
	"dozor/internal/installer"
)

type panelProbeCommand struct {
	config.PanelProbe `embed:""`
}

func (c *panelProbeCommand) Run(ctx context.Context, s streams) error {
	target, err := target(ctx, c.Panel, s)
	if err != nil {
		return err
	}
	if c.AskCode() {
		if c.Code, err = ask(ctx, "user code", s); err != nil {
			return err
		}
	}
	panel, err := installer.Open(ctx, target, event.PanelZone(), nil)
	if err != nil {
		return err
	}
	defer panel.Close()
	report, err := panel.Probe(ctx, c.Code)
	if err != nil {
		return err
	}
	if c.JSON {
		return indented(s.out, report)
	}
	return report.Write(s.out)
}

type panelEventsCommand struct {
	config.PanelEvents `embed:""`
}

func (c *panelEventsCommand) Run(ctx context.Context, s streams) error {
	target, err := target(ctx, c.Panel, s)
	if err != nil {
		return err
	}
	panel, err := installer.Open(ctx, target, event.PanelZone(), nil)
	if err != nil {
		return err
	}
	defer panel.Close()
	events, err := panel.Events(ctx, event.PanelZone(), c.Last)
	if err != nil {
		return err
	}
	if c.JSON {
		return indented(s.out, events)
	}
	for _, e := range events {
		if err := e.Write(s.out); err != nil {
			return err
		}
	}
	return nil
}

type panelWatchCommand struct {
	config.PanelWatch `embed:""`
}

func (c *panelWatchCommand) Run(ctx context.Context, s streams) error {
	target, err := target(ctx, c.Panel, s)
	if err != nil {
		return err
	}
	begun := func(panel string, pushes bool) {
		how := "asking each second"
		if pushes {
			how = "the module tells of changes by itself"
		}
		fmt.Fprintf(s.err, "watching %s; %s; Ctrl-C ends\n", panel, how)
	}
	lines := json.NewEncoder(s.out)
	return installer.Watch(ctx, target, event.PanelZone(), begun, func(change installer.Change) error {
		if c.JSON {
			return lines.Encode(change)
		}
		return change.Write(s.out)
	})
}

// target is how to reach the panel, with the key asked for where it has to be.
func target(ctx context.Context, c config.Panel, s streams) (installer.Target, error) {
	if c.AskKey() {
		key, err := ask(ctx, "integration key", s)
		if err != nil {
			return installer.Target{}, err
		}
		c.Key = key
	}
	return installer.Target{Address: string(c.Address), Encrypted: c.Encrypted || c.Key != "", Key: c.Key}, nil
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
