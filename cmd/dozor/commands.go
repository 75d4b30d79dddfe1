package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"dozor/internal/config"
	"dozor/internal/obs"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/satel/sim"
)

// commands is the grammar of the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the station, or some of its roles."`
	Demo    demoCommand    `cmd:"" help:"Run everything at once with simulated sites, to look around."`
	Sim     simCommand     `cmd:"" help:"Simulate alarm panels that answer as real ones do, and take orders over HTTP."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the schema of this program."`
	Key     struct {
		Init keyInitCommand `cmd:"" help:"Make a keyring, which seals secrets in the database."`
	} `cmd:"" help:"The keyring."`
	User struct {
		Create   userCreateCommand   `cmd:"" help:"Add a person who may sign in."`
		Password userPasswordCommand `cmd:"" help:"Give a person another password."`
	} `cmd:"" help:"People who may sign in."`
	Stream struct {
		Reset streamResetCommand `cmd:"" help:"Begin the stream anew, after a storage snapshot of the database was put back."`
	} `cmd:"" help:"The stream of notifications."`
	Bench struct {
		Alarm  benchAlarmCommand  `cmd:"" help:"Measure the way of alarms from panels to screens."`
		Ingest benchIngestCommand `cmd:"" help:"Measure how fast events go from the bus to the wire."`
		Screen benchScreenCommand `cmd:"" help:"Measure how fast a real browser paints alarms."`
	} `cmd:"" help:"Measure this program on this machine."`
	Version versionCommand `cmd:"" help:"Say what this program is."`
}

type simCommand struct {
	config.Sim `embed:""`
}

func (c *simCommand) Run(ctx context.Context, s streams) error {
	return sim.Run(ctx, sim.Options{
		Listen: string(c.Listen), Panels: c.Panels, Model: c.Model, Code: c.Code, Control: string(c.Control),
		LogDelay: delay(c.LogDelay), AnswerDelay: delay(c.AnswerDelay), MinGap: delay(c.MinGap),
		Logger: obs.NewLogger(s.err, obs.Text, slog.LevelInfo),
	})
}

// delay turns the flag's "0s" into the simulator's word for none.
func delay(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

type migrateCommand struct {
	config.Migrate `embed:""`
}

func (c *migrateCommand) Run(ctx context.Context, s streams) error {
	version, err := pg.Migrate(ctx, c.Owner.Reveal(), obs.NewLogger(s.err, c.Log.Format, c.Log.Level))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the database has schema version %d\n", version)
	return err
}

type keyInitCommand struct {
	config.KeyInit `embed:""`
}

func (c *keyInitCommand) Run(s streams) error {
	file, err := os.OpenFile(c.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s exists: a key in use must not be lost, so nothing was written", c.KeyFile)
	}
	if err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, secret.GenerateKey()); err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "wrote %s\nKeep a copy apart from the backups of the database: without it no secret in there can be opened again.\n", c.KeyFile)
	return err
}
