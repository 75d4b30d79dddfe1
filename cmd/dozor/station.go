package main

import (
	"context"
	"fmt"
	"log/slog"

	"dozor/internal/app"
	"dozor/internal/config"
	"dozor/internal/obs"
)

type serveCommand struct {
	config.Serve `embed:""`
}

func (c *serveCommand) Run(ctx context.Context, s streams) error {
	p := program(s, c.Log)
	p.Log.LogAttrs(ctx, slog.LevelInfo, "settings", config.Attrs(c.Serve)...)
	return p.Serve(ctx, c.Serve)
}

type demoCommand struct {
	config.Demo `embed:""`
}

func (c *demoCommand) Run(ctx context.Context, s streams) error {
	return app.Program{Version: version, Log: obs.NewLogger(s.err, c.LogFormat, c.LogLevel)}.Demo(ctx, c.Demo, s.out)
}

type demoSitesCommand struct {
	config.DemoSites `embed:""`
}

func (c *demoSitesCommand) Run(ctx context.Context, s streams) error {
	return app.Program{Version: version, Log: obs.NewLogger(s.err, obs.Text, c.LogLevel)}.DemoSites(ctx, c.DemoSites)
}

type userCreateCommand struct {
	config.UserCreate `embed:""`
}

func (c *userCreateCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Password, err = password(ctx, c.Password, s); err != nil {
		return err
	}
	if err := program(s, config.Log{}).CreateUser(ctx, c.UserCreate); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s may sign in as %s\n", c.Name, c.Role)
	return err
}

type userPasswordCommand struct {
	config.UserPassword `embed:""`
}

func (c *userPasswordCommand) Run(ctx context.Context, s streams) (err error) {
	if c.Password, err = password(ctx, c.Password, s); err != nil {
		return err
	}
	if err := program(s, config.Log{}).SetPassword(ctx, c.UserPassword); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s has a new password\n", c.Login)
	return err
}

type streamResetCommand struct {
	config.StreamReset `embed:""`
}

func (c *streamResetCommand) Run(ctx context.Context, s streams) error {
	epoch, err := program(s, config.Log{}).ResetStream(ctx, c.StreamReset)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the stream begins anew as epoch %d\n", epoch)
	return err
}

func program(s streams, l config.Log) app.Program {
	return app.Program{Version: version, Log: obs.NewLogger(s.err, l.Format, l.Level)}
}
